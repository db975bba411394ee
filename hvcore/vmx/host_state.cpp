// SPDX-License-Identifier: MIT
// The controls, and the state that an exit loads. SDM 3C 25.5 "Host-State Area".
#include "vmx/capabilities.hpp"
#include "vmx/entry.hpp"
#include "vmx/guest.hpp"
#include "vmx/launch.hpp"

namespace hv::vmx {

namespace {
constexpr std::uint16_t root_vpid = 1;
// How long an access that is only logged may go on.
constexpr std::uint32_t slice_ticks = 1u << 14;

template <typename... Fields> void write_zero(current_vmcs const& v) {
    (v.write<Fields>(typename Fields::value_type{}), ...);
}

/// The core's CR4: no PCIDs, no global pages, no rights that depend on user pages, XSETBV possible.
cr4 core_cr4() {
    using c1 = cpuid::leaf_1_ecx;
    bool const xsave = make<c1>(insn::cpuid(1, 0).ecx).get<c1::xsave>();
    constexpr auto bits = cr4::pae::mask | cr4::mce::mask | cr4::vmxe::mask;
    return make<cr4>(insn::rdmsr(msr::ia32_vmx_cr4_fixed0) | bits).with<cr4::osxsave>(xsave);
}
constexpr std::uint64_t core_cr0 = cr0::pe::mask | cr0::pg::mask | cr0::ne::mask | cr0::wp::mask;
constexpr std::uint64_t power_on_pat = 0x0007040600070406;    // SDM 3A 12.12.4
// A guest that no interrupt reaches gives the CPU back after so long.
constexpr std::uint32_t guest_slice_ticks = 1u << 21;
}    // namespace

void write_common_controls(current_vmcs const& v, control_set const& own, std::uint16_t tag,
                           hpa msrs, hpa stage_root) {
    v.write<secondary_controls>(own.secondary);
    v.write<entry_controls>(own.entry);
    write_zero<cr3_target_count, exit_msr_store_count, exit_msr_load_count, entry_msr_load_count,
               entry_event, guest_interruptibility, guest_activity, guest_pending_debug>(v);
    v.write<vpid>(tag);
    v.write<msr_bitmap_address>(msrs);
    v.write<ept_pointer_field>(ept_pointer::to(stage_root));
    v.write<vmcs_link_pointer>(~std::uint64_t{0});
}

void write_controls(cpu& c, control_set const& controls) {
    auto const& v = c.vmcs;
    auto const& m = c.machine();
    c.timer_value = slice_ticks >> controls.timer_shift;
    c.guest_slice = guest_slice_ticks >> controls.timer_shift;
    c.own_controls = controls;
    v.write<pin_controls>(controls.pin);
    v.write<processor_controls>(controls.processor);
    v.write<exit_controls>(controls.exit);
    v.write<exception_bitmap>(0);
    v.write<io_bitmap_a>(m.ports_at);
    v.write<io_bitmap_b>(m.ports_at + page_bytes);
    write_common_controls(v, controls, root_vpid, m.msrs_at, m.stage.root());
    if ((controls.secondary & secondary::xsaves::mask) != 0) v.write<xss_exiting_bitmap>(0);
}

void write_host_state(cpu const& c) {
    auto const& v = c.vmcs;
    v.write<host_cr0>(make<cr0>(insn::rdmsr(msr::ia32_vmx_cr0_fixed0) | core_cr0));
    v.write<host_cr3>(c.owner->space.root().raw);
    v.write<host_cr4>(core_cr4());
    v.write<host_efer>(efer{}.with<efer::lme>(true).with<efer::lma>(true).with<efer::nxe>(true));
    v.write<host_pat>(power_on_pat);
    v.write<host_cs_selector>(core_selector::code);
    v.write<host_ss_selector>(core_selector::data);
    v.write<host_tr_selector>(core_selector::task);
    for (auto i : {0u, 3u, 4u, 5u}) v.write_at<host_es_selector>(i, 0);    // ES DS FS GS
    write_zero<host_fs_base, host_sysenter_cs, host_sysenter_esp, host_sysenter_eip>(v);
    v.write<host_gs_base>(reinterpret_cast<std::uint64_t>(&c));    // for the trap handlers
    v.write<host_tr_base>(reinterpret_cast<std::uint64_t>(&c.base.tss));
    v.write<host_gdtr_base>(reinterpret_cast<std::uint64_t>(&c.base.gdt));
    v.write<host_idtr_base>(reinterpret_cast<std::uint64_t>(c.owner->idt.begin()));
    v.write<host_rsp>(reinterpret_cast<std::uint64_t>(&c) + sizeof(general_registers));
    v.write<host_rip>(reinterpret_cast<std::uint64_t>(hv_vmx_exit_entry));
}

}    // namespace hv::vmx
