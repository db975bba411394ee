// SPDX-License-Identifier: MIT
// The root VM's state at launch: what Linux runs with on this CPU. APM 2 15.5.1 "Basic Operation".
#include "arch/descriptor.hpp"
#include "svm/launch.hpp"

namespace hv::svm {

namespace {

constexpr vmcb_segment convert(segment const& s) {
    if ((s.access & segment::unusable) != 0) return {s.selector, 0, 0, 0};
    auto const attributes = (s.access & 0xff) | (s.access >> 4 & 0xf00);
    return {s.selector, static_cast<std::uint16_t>(attributes), s.limit, s.base.raw};
}

void write_segments(save_area& s) {
    auto const gdt = insn::sgdt();
    auto const ldt = read_segment(insn::sldt(), gdt, gva{});
    s.es = convert(read_segment(insn::read_es(), gdt, ldt.base));
    s.cs = convert(read_segment(insn::read_cs(), gdt, ldt.base));
    s.ss = convert(read_segment(insn::read_ss(), gdt, ldt.base));
    s.ds = convert(read_segment(insn::read_ds(), gdt, ldt.base));
}

}    // namespace

void write_guest_state(cpu& c, hv_launch const& a) {
    auto& s = c.block->save;
    insn::vmsave(c.control_at);    // FS, GS, TR, LDTR, system-call and SYSENTER MSRs
    write_segments(s);
    s.cpl = 0;
    s.cr0 = insn::read_cr0();
    s.cr3 = a.guest_cr3;
    s.cr4 = insn::read_cr4();
    s.efer = insn::rdmsr(efer::msr);    // SVME is set by now
    s.dr6 = insn::read_dr6();
    s.dr7 = insn::read_dr7();
    c.set_held(with_tables(c.held_now(), insn::sgdt(), insn::sidt()));
    s.rip = a.guest_rip;
    s.rsp = a.guest_rsp;
    s.rflags = rflags{}.with<rflags::fixed_1>(true).raw;
    s.rax = 0;
    s.pat = insn::rdmsr(msr::ia32_pat);
    s.debugctl = a.debugctl;
}

/// Not from the VMCB: a VMRUN that fails may have written it.
void restore_linux_state(cpu const& c) {
    restore_paging(c.launch_cr0, c.launch_cr3, c.launch_cr4);
    insn::wrmsr(efer::msr, c.launch_efer);
}

}    // namespace hv::svm
