// SPDX-License-Identifier: MIT
// The controls, and the state that an exit loads. SDM 3C 25.5 "Host-State Area".
#include "vmx/capabilities.hpp"
#include "vmx/entry.hpp"
#include "vmx/launch.hpp"

namespace hv::vmx {

namespace {
constexpr std::uint16_t root_vpid = 1;
constexpr std::uint32_t slice_ticks = 1u
                                      << 14;    // how long an access that is only logged may go on

/// The core's CR4: no PCIDs, no global pages, no rights that depend on user pages, XSETBV possible.
cr4 core_cr4() {
    using c1 = cpuid::leaf_1_ecx;
    bool const xsave = make<c1>(insn::cpuid(1, 0).ecx).get<c1::xsave>();
    return make<cr4>(insn::rdmsr(msr::ia32_vmx_cr4_fixed0))
        .with<cr4::pae>(true)
        .with<cr4::mce>(true)
        .with<cr4::vmxe>(true)
        .with<cr4::osxsave>(xsave);
}

constexpr cr0 core_cr0(std::uint64_t fixed) {
    return make<cr0>(fixed)
        .with<cr0::pe>(true)
        .with<cr0::pg>(true)
        .with<cr0::ne>(true)
        .with<cr0::wp>(true);
}
constexpr std::uint64_t power_on_pat = 0x0007040600070406;    // SDM 3A 12.12.4
// A guest that no interrupt reaches gives the CPU back after so long.
constexpr std::uint32_t guest_slice_ticks = 1u << 21;
}    // namespace

void write_controls(cpu& c, control_set const& controls) {
    auto const& v = c.vmcs;
    auto const& m = c.machine();
    c.timer_value = slice_ticks >> controls.timer_shift;
    c.guest_slice = guest_slice_ticks >> controls.timer_shift;
    c.own_controls = controls;
    v.write<pin_controls>(controls.pin);
    v.write<processor_controls>(controls.processor);
    v.write<secondary_controls>(controls.secondary);
    v.write<exit_controls>(controls.exit);
    v.write<entry_controls>(controls.entry);
    v.write<exception_bitmap>(0);
    v.write<cr3_target_count>(0);
    v.write<exit_msr_store_count>(0);
    v.write<exit_msr_load_count>(0);
    v.write<entry_msr_load_count>(0);
    v.write<entry_event>(0);
    v.write<vpid>(root_vpid);
    v.write<msr_bitmap_address>(m.msrs_at);
    v.write<ept_pointer_field>(ept_pointer::to(m.stage.root()));
    if ((controls.secondary & secondary::xsaves::mask) != 0) v.write<xss_exiting_bitmap>(0);
}

void write_host_state(cpu const& c) {
    auto const& v = c.vmcs;
    v.write<host_cr0>(core_cr0(insn::rdmsr(msr::ia32_vmx_cr0_fixed0)));
    v.write<host_cr3>(c.owner->space.root().raw);
    v.write<host_cr4>(core_cr4());
    v.write<host_efer>(efer{}.with<efer::lme>(true).with<efer::lma>(true).with<efer::nxe>(true));
    v.write<host_pat>(power_on_pat);
    v.write<host_cs_selector>(core_selector::code);
    v.write<host_ss_selector>(core_selector::data);
    v.write<host_tr_selector>(core_selector::task);
    for (auto i : {0u, 3u, 4u, 5u}) v.write_at<host_es_selector>(i, 0);    // ES DS FS GS
    v.write<host_fs_base>(0);
    v.write<host_gs_base>(
        reinterpret_cast<std::uint64_t>(&c));    // the trap handlers find it there
    v.write<host_tr_base>(reinterpret_cast<std::uint64_t>(&c.base.tss));
    v.write<host_gdtr_base>(reinterpret_cast<std::uint64_t>(&c.base.gdt));
    v.write<host_idtr_base>(reinterpret_cast<std::uint64_t>(c.owner->idt.begin()));
    v.write<host_sysenter_cs>(0);
    v.write<host_sysenter_esp>(0);
    v.write<host_sysenter_eip>(0);
    v.write<host_rsp>(reinterpret_cast<std::uint64_t>(&c) + sizeof(general_registers));
    v.write<host_rip>(reinterpret_cast<std::uint64_t>(hv_vmx_exit_entry));
}

}    // namespace hv::vmx
