// SPDX-License-Identifier: MIT
// The root VM's state at launch: what Linux runs with on this CPU. SDM 3C 25.4 "Guest-State Area".
#include "arch/descriptor.hpp"
#include "vmx/launch.hpp"

namespace hv::vmx {

namespace {

void write_segments(current_vmcs const& v) {
    auto const gdt = insn::sgdt();
    auto const ldt = read_segment(insn::sldt(), gdt, gva{});
    std::uint16_t const data[] = {insn::read_es(), insn::read_cs(), insn::read_ss(),
                                  insn::read_ds(), insn::read_fs(), insn::read_gs()};
    for (unsigned i = 0; i < 6; ++i) v.write_segment(i, read_segment(data[i], gdt, ldt.base));
    v.write_segment(ldtr_segment, ldt);
    v.write_segment(tr_segment, read_segment(insn::str(), gdt, gva{}));
    v.write<guest_fs_base>(gva{insn::rdmsr(msr::ia32_fs_base)});
    v.write<guest_gs_base>(gva{insn::rdmsr(msr::ia32_gs_base)});
}

}    // namespace

void write_guest_state(cpu& c, hv_launch const& a) {
    auto const& v = c.vmcs;
    auto const now4 = make<cr4>(insn::read_cr4());
    auto const now0 = make<cr0>(insn::read_cr0());
    v.write<guest_cr0>(now0);
    v.write<cr0_shadow>(now0);
    v.write<guest_cr3>(a.guest_cr3);
    v.write<guest_cr4>(now4);
    v.write<cr4_shadow>(now4.with<cr4::vmxe>(false));
    v.write<cr0_mask>(cr0_bits.virtually);
    v.write<cr4_mask>(cr4_bits.never);
    v.write<guest_dr7>(insn::read_dr7());
    v.write<guest_rip>(gva{a.guest_rip});
    v.write<guest_rsp>(gva{a.guest_rsp});
    v.write<guest_rflags>(rflags{}.with<rflags::fixed_1>(true));
    write_segments(v);
    c.set_held(with_tables(c.held_now(), insn::sgdt(), insn::sidt()));
    v.write<guest_sysenter_cs>(static_cast<std::uint32_t>(insn::rdmsr(msr::ia32_sysenter_cs)));
    v.write<guest_sysenter_esp>(insn::rdmsr(msr::ia32_sysenter_esp));
    v.write<guest_sysenter_eip>(insn::rdmsr(msr::ia32_sysenter_eip));
    v.write<guest_debugctl>(a.debugctl);
    v.write<guest_pat>(insn::rdmsr(msr::ia32_pat));
    v.write<guest_efer>(make<efer>(insn::rdmsr(efer::msr)));
}

void restore_linux_state(cpu const& c) {
    auto const& v = c.vmcs;
    insn::wrmsr(efer::msr, v.read<guest_efer>().raw);
    insn::wrmsr(msr::ia32_pat, v.read<guest_pat>());
    insn::wrmsr(msr::ia32_sysenter_cs, v.read<guest_sysenter_cs>());
    insn::wrmsr(msr::ia32_sysenter_esp, v.read<guest_sysenter_esp>());
    insn::wrmsr(msr::ia32_sysenter_eip, v.read<guest_sysenter_eip>());
    restore_paging(v.read<guest_cr0>().raw, c.launch_cr3, v.read<guest_cr4>().raw);
}

}    // namespace hv::vmx
