// SPDX-License-Identifier: MIT
#include "svm/cpu.hpp"

namespace hv::svm {

/// The way out is a jump (hv_svm_leave): `table` maps Linux and the core, so that the code which
/// loads it goes on. Linux then finds its TR, LDTR, FS, GS and system-call MSRs as they were; GDT,
/// IDT, CS, SS, CR0, CR4, EFER it loads itself, and GIF stays clear until it says STGI.
/// Errors   invalid: not 64-bit code, a target that is not canonical, a table that is no page of
///          RAM, or one of the core's.
/// Source   APM 2 15.17 "Global Interrupt Flag, STGI and CLGI Instructions".
status cpu::leave(gva target, hpa table) {
    auto const& s = block->save;
    if (!canonical(target) || target.raw == 0) return error{errc::invalid};
    if ((s.cs.attributes & vmcb_segment::long_mode) == 0) return error{errc::invalid};
    if (!make<efer>(s.efer).get<efer::lma>()) return error{errc::invalid};
    hpa_span const page{table, page_bytes};
    if (!page.pages() || !page.within(owner->top_of_ram)) return error{errc::invalid};
    if (owner->all.touches(page)) return error{errc::invalid};
    record(*this, HV_RECORD_UNHOISTED);
    leave_cr3 = table.raw;
    leave_rip = target.raw;
    base.state.store(cpu_state::unhoisted);
    base.shared->launched = 0;
    // An NMI that is on its way meets Linux itself, as soon as GIF lets it.
    bool const nmi = base.nmi_waits || (base.pending_work.exchange(0) & work_nmi) != 0;
    if (nmi) owner->apic.send_nmi(base.apic_id);
    base.nmi_waits = false;
    return done;
}

}    // namespace hv::svm
