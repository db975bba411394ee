// SPDX-License-Identifier: MIT
#include "vmcb_check.hpp"
#include "entry_check.hpp"

namespace fake {

using namespace entry_rule;

namespace {

void check_registers(findings& f, hv::svm::save_area const& s, svm_limits const& limits) {
    f.expect(bit(s.efer, 12), "15.5.1 EFER.SVME");
    f.expect((s.efer & ~limits.efer_known) == 0, "15.5.1 EFER reserved bits");
    f.expect(bit(s.cr0, 30) || !bit(s.cr0, 29), "15.5.1 CR0.NW without CD");
    f.expect(s.cr0 >> 32 == 0, "15.5.1 CR0 upper half");
    f.expect((s.cr4 & ~limits.cr4_known) == 0, "15.5.1 CR4 reserved bits");
    f.expect(s.cr3 >> limits.physical_bits == 0, "15.5.1 CR3 reserved bits");
    f.expect(s.dr6 >> 32 == 0, "15.5.1 DR6 upper half");
    f.expect(s.dr7 >> 32 == 0, "15.5.1 DR7 upper half");
    f.expect(!bit(s.cr4, 23) || bit(s.cr0, 16), "15.5.1 CR4.CET without CR0.WP");
    if (!bit(s.efer, 8) || !bit(s.cr0, 31)) return;
    f.expect(bit(s.cr4, 5), "15.5.1 long mode without PAE");
    f.expect(bit(s.cr0, 0), "15.5.1 long mode without PE");
    f.expect(!bit(s.cs.attributes, 9) || !bit(s.cs.attributes, 10), "15.5.1 CS.L and CS.D");
}

void check_controls(findings& f, hv::svm::control_area const& c, hv::svm::save_area const& s,
                    svm_limits const& limits) {
    auto const top = 1ull << limits.physical_bits;
    f.expect(bit(c.intercepts_2, 0), "15.5.1 VMRUN not intercepted");
    f.expect(c.asid != 0, "15.5.1 ASID 0");
    f.expect(c.asid < limits.asids, "15.5.1 ASID beyond NASID");
    f.expect(!bit(c.intercepts_1, 28) || (c.msr_map & ~0xfffull) + 0x2000 <= top,
             "15.5.1 MSR permission map");
    f.expect((c.msr_map & 0xfff) == 0, "15.11 MSR permission map unaligned");
    f.expect(!bit(c.intercepts_1, 27) || (c.io_map & ~0xfffull) + 0x3000 <= top,
             "15.5.1 I/O permission map");
    f.expect(static_cast<unsigned>(c.tlb) <= 1, "15.16.1 TLB_CONTROL");
    f.expect(limits.nested_paging && c.nested_paging == 1, "15.25.4 nested paging");
    f.expect(c.nested_cr3 < top && (c.nested_cr3 & 0xfff) == 0, "15.25.4 nested CR3");
    f.expect(pat(s.pat), "15.25.4 guest PAT");
}

bool pushes_error(unsigned vector) {
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 ||
           vector == 29 || vector == 30;
}

void check_event(findings& f, hv::svm::control_area const& c, hv::svm::save_area const& s) {
    auto const e = c.event;
    if (!bit(e, 31)) return;
    auto const type = e >> 8 & 7;
    auto const vector = static_cast<unsigned>(e & 0xff);
    f.expect(type == 0 || (type >= 2 && type <= 4), "15.20 reserved type");
    f.expect((e & 0x7ffff000) == 0, "15.20 reserved bits");
    if (type == 2) {
        f.expect((c.interrupt_shadow & 1) == 0, "an NMI in a shadow");
        f.expect(vector == 2, "15.20 NMI with another vector");
    }
    if (type != 3) return;
    f.expect(vector < 32 && vector != 2, "15.20 not an exception");
    // The processor pushes what it is told to: the handler would find another frame.
    bool const with_code = bit(s.cr0, 0) && pushes_error(vector);
    f.expect(bit(e, 11) == with_code, "15.20 error code of another vector");
}

/// VMRUN itself only makes addresses canonical: what it would change is a mistake here.
void check_state(findings& f, hv::svm::vmcb const& v) {
    auto const& s = v.save;
    bool const long_mode = bit(s.efer, 10);
    f.expect(long_mode == (bit(s.efer, 8) && bit(s.cr0, 31)), "EFER.LMA");
    bool const code_64 = long_mode && bit(s.cs.attributes, 9);
    f.expect(code_64 ? canonical(s.rip) : s.rip >> 32 == 0, "RIP");
    f.expect((s.rflags & 0xffffffffffc08028) == 0 && bit(s.rflags, 1), "RFLAGS reserved bits");
    for (auto const* t : {&s.fs, &s.gs, &s.tr, &s.ldtr, &s.gdtr, &s.idtr})
        f.expect(canonical(t->base), "base not canonical");
    f.expect(s.cpl <= 3, "CPL");
    f.expect((v.control.interrupt_shadow & ~3ull) == 0, "interrupt shadow");
}

}    // namespace

std::vector<std::string> check_vmcb(hv::svm::vmcb const& v, svm_limits const& limits) {
    findings f;
    check_registers(f, v.save, limits);
    check_controls(f, v.control, v.save, limits);
    check_event(f, v.control, v.save);
    check_state(f, v);
    return f.take();
}

}    // namespace fake
