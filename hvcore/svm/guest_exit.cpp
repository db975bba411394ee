// SPDX-License-Identifier: MIT
// Exits of guests: the core answers what needs no device, all others end the run.
#include "call/guest_event.hpp"
#include "root/msr_event.hpp"
#include "root/root_trap.hpp"
#include "svm/exit.hpp"
#include "svm/guest.hpp"

namespace hv::svm {

namespace {

next fault(guest_vcpu const& v, exception x) {
    auto& b = block_of(v);
    auto const event = event_of(make<event_field>(b.control.exit_event), x,
                                make<cr0>(b.save.cr0).get<cr0::pe>());
    if (!event) return back({.why = HV_GUEST_SHUTDOWN});
    b.control.event = event->raw;
    return again;
}

next on_guest_cpuid(guest_vcpu& v) {
    auto& s = block_of(v).save;
    auto& r = v.gpr;
    r.take(v.list->answer(static_cast<std::uint32_t>(s.rax), static_cast<std::uint32_t>(r.rcx),
                          [&] { return make<cr4>(s.cr4); }));
    s.rax = r.rax;
    return behind(2);
}

next on_guest_call(guest_vcpu const& v) {
    auto& s = block_of(v).save;
    if (s.cpl != 0) return fault(v, invalid_opcode);
    if (kvm_has_hypercall(s.rax)) return back({.why = HV_GUEST_HYPERCALL, .length = 3});
    s.rax = static_cast<std::uint64_t>(no_such_hypercall);
    return behind(3);
}

next on_guest_io(guest_vcpu const& v) {
    auto const& b = block_of(v);
    auto const q = make<io_access>(b.control.exit_info_1);
    auto const length = static_cast<std::uint32_t>(b.control.exit_info_2 - b.save.rip) & 15;
    return back(io_exit(q, length, b.save.rax));
}

next on_guest_efer(guest_vcpu& v, bool write, std::uint64_t value) {
    auto& s = block_of(v).save;
    constexpr auto known = efer::sce::mask | efer::lme::mask | efer::lma::mask | efer::nxe::mask;
    auto const now = make<efer>(s.efer).with<efer::svme>(false);
    if (!write) {
        s.rax = static_cast<std::uint32_t>(now.raw);
        v.gpr.rdx = now.raw >> 32;
        return behind(2);
    }
    if (!takes_efer(make<efer>(value), now, make<cr0>(s.cr0), known))
        return fault(v, general_protection);
    s.efer = make<efer>(value).with<efer::svme>(true).with<efer::lma>(now.get<efer::lma>()).raw;
    return behind(2);
}

next on_guest_msr(guest_vcpu& v) {
    auto const& b = block_of(v);
    bool const write = b.control.exit_info_1 == 1;
    auto const index = static_cast<std::uint32_t>(v.gpr.rcx);
    auto const value = static_cast<std::uint32_t>(b.save.rax) | v.gpr.rdx << 32;
    if (index == msr::ia32_efer) return on_guest_efer(v, write, value);
    return msr_exit(write, 2, index, value);
}

next on_guest_xsetbv(cpu const& c, guest_vcpu& v) {
    auto const& s = block_of(v).save;
    auto const value = static_cast<std::uint32_t>(s.rax) | v.gpr.rdx << 32;
    bool const sound = static_cast<std::uint32_t>(v.gpr.rcx) == 0 && s.cpl == 0 && c.has.xsave &&
                       xcr0_is_possible(value, c.outside.xcr0) && insn::xsetbv_safe(0, value);
    if (!sound) return fault(v, general_protection);
    return behind(3);
}

next on_guest_memory(guest_vcpu const& v) {
    auto const& b = block_of(v).control;
    auto const access = access_of(make<nested_fault>(b.exit_info_1));
    return back({.why = HV_GUEST_MEMORY, .detail = access, .address = b.exit_info_2});
}

next on_guest_nmi(cpu const& c) {
    c.let_nmis_in();
    return back({.why = HV_GUEST_INTERRUPTED});
}

/// The guest's NMI handler is about to end.
next on_guest_iret(guest_vcpu& v) {
    v.nmi_masked = false;
    set_intercept(block_of(v), exit_code::iret, false);
    return (v.flags & HV_RUN_NMI_WINDOW) != 0 ? back({.why = HV_GUEST_WINDOW}) : again;
}

/// Instructions that do nothing here, or are not there.
next on_guest_instruction(guest_vcpu const& v) {
    auto const& b = block_of(v).control;
    switch (static_cast<unsigned>(b.exit_code)) {
    case unsigned(exit_code::invd):
    case unsigned(exit_code::wbinvd): return behind(2);    // as if it did nothing
    case unsigned(exit_code::monitor):
    case unsigned(exit_code::mwait):
    case unsigned(exit_code::armed_mwait):
        return (v.flags & HV_RUN_NO_MWAIT) != 0 ? fault(v, invalid_opcode) : behind(3);
    case unsigned(exit_code::rdpmc): return fault(v, general_protection);
    default:
        if (is_virtualization(code_of(b.exit_code))) return fault(v, invalid_opcode);
        if (code_of(b.exit_code) == exit_code::invalid)
            return back({.why = HV_GUEST_INVALID, .address = b.exit_code});
        return back({.why = HV_GUEST_UNEXPECTED, .address = b.exit_code, .value = b.exit_info_1});
    }
}

next dispatch(cpu& c, guest_vcpu& v) {
    auto const& b = block_of(v).control;
    switch (static_cast<unsigned>(b.exit_code)) {
    case unsigned(exit_code::cpuid):              return on_guest_cpuid(v);
    case unsigned(exit_code::vmmcall):            return on_guest_call(v);
    case unsigned(exit_code::io):                 return on_guest_io(v);
    case unsigned(exit_code::nested_page_fault):  return on_guest_memory(v);
    case unsigned(exit_code::msr):                return on_guest_msr(v);
    case unsigned(exit_code::hlt):                return back({HV_GUEST_HLT, 1});
    case unsigned(exit_code::external_interrupt):
    case unsigned(exit_code::init):               return back({.why = HV_GUEST_INTERRUPTED});
    case unsigned(exit_code::virtual_interrupt):  return back({.why = HV_GUEST_WINDOW});
    case unsigned(exit_code::nmi):                return on_guest_nmi(c);
    case unsigned(exit_code::iret):               return on_guest_iret(v);
    case unsigned(exit_code::cr8_read):           return back({HV_GUEST_CR8, 0, 0, 16});
    case unsigned(exit_code::cr8_write):          return back({HV_GUEST_CR8, 0, 1, 16});
    case unsigned(exit_code::xsetbv):             return on_guest_xsetbv(c, v);
    case unsigned(exit_code::shutdown):           return back({.why = HV_GUEST_SHUTDOWN});
    case unsigned(exit_code::debug_exception):    return fault(v, debug_trap);
    case unsigned(exit_code::undefined):          return back({.why = HV_GUEST_UNDEFINED});
    case unsigned(exit_code::alignment_check):    return fault(v, {vector{17}, true, 0});
    case unsigned(exit_code::machine_check):
        c.base.pending_work.fetch_or(work_machine_check);
        return back({.why = HV_GUEST_INTERRUPTED});
    default: return on_guest_instruction(v);
    }
}

void advance(cpu const& c, guest_vcpu const& v, std::uint64_t bytes) {
    auto& b = block_of(v);
    b.save.rip = c.has_next_rip ? b.control.next_rip : b.save.rip + bytes;
    b.control.interrupt_shadow &= ~std::uint64_t{1};
    if (!make<rflags>(b.save.rflags).get<rflags::tf>()) return;
    b.save.dr6 |= 1u << 14;
    static_cast<void>(fault(v, debug_trap));
}

hv_event half_delivered(guest_vcpu const& v) {
    auto const event = cut_short(block_of(v).control);
    return {static_cast<std::uint32_t>(event.raw),
            static_cast<std::uint32_t>(event.get<event_field::error>())};
}

/// Whether the guest had no time to take the interrupt of its entry, which then waits no more.
bool was_not_taken(guest_vcpu const& v) {
    auto& of = block_of(v).control.virtual_interrupt;
    auto const now = make<virtual_interrupt>(of);
    if ((v.flags & HV_RUN_WINDOW) != 0 || !now.get<virtual_interrupt::pending>()) return false;
    of = now.with<virtual_interrupt::pending>(false).raw;
    return true;
}

}    // namespace

bool handle_guest(cpu& c) {
    auto& v = *c.guest;
    auto& b = block_of(v).control;
    bool const delivered = !was_not_taken(v) && code_of(b.exit_code) != exit_code::invalid;
    b.tlb = tlb_control::nothing;
    b.event = 0;
    v.half_delivered = {};
    auto next = dispatch(c, v);
    if (!next.stay && c.machine().rules().watches_guests())
        next = judge_guest(c, v, next, static_cast<std::uint16_t>(b.exit_code),
                           block_of(v).save.rip, [&](exception x) { return fault(v, x); });
    if (next.advance != 0) advance(c, v, next.advance);
    auto const cut = !delivered ? v.injected : next.advance != 0 ? hv_event{} : half_delivered(v);
    v.injected = {};
    if (!next.stay) {
        if (next.exit.why != HV_GUEST_SHUTDOWN) v.half_delivered = cut;
        c.leave_guest(next.exit);
        return false;
    }
    if ((b.event & event_valid) == 0) b.event = cut.event | std::uint64_t{cut.error} << 32;
    if (++v.exits % exits_of_a_slice != 0) return true;
    v.half_delivered = {static_cast<std::uint32_t>(b.event),
                        static_cast<std::uint32_t>(b.event >> 32)};
    c.leave_guest({.why = HV_GUEST_INTERRUPTED});
    return false;
}

}    // namespace hv::svm
