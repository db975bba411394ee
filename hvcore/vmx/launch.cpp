// SPDX-License-Identifier: MIT
#include "vmx/launch.hpp"
#include "vmx/capabilities.hpp"
#include "vmx/entry.hpp"

namespace hv::vmx {

bool has_vmx() {
    using c1 = cpuid::leaf_1_ecx;
    return make<c1>(insn::cpuid(1, 0).ecx).get<c1::vmx>();
}

namespace {

status check_cpu(launch_progress& progress) {
    HV_TRY(progress.reach(HV_STEP_FEATURE_CONTROL));
    progress.detail = insn::rdmsr(msr::ia32_feature_control);
    auto const f = make<msr::feature_control>(progress.detail);
    if (!f.get<msr::feature_control::locked>() || !f.get<msr::feature_control::vmx_outside_smx>())
        return error{errc::no_device};
    HV_TRY(progress.reach(HV_STEP_IN_USE));
    progress.detail = insn::read_cr4();
    if (make<cr4>(progress.detail).get<cr4::vmxe>()) return error{errc::busy};
    return done;
}

}    // namespace

status enter_vmx(cpu& c, launch_progress& progress) {
    auto const revision = static_cast<std::uint32_t>(
        make<basic>(insn::rdmsr(msr::ia32_vmx_basic)).get<basic::revision>());
    for (auto at : {c.host_at, c.control_at})
        *reinterpret_cast<std::uint32_t*>(HV_TRY(c.owner->all.to_hva(at)).raw) = revision;
    HV_TRY(progress.reach(HV_STEP_VMXON));
    insn::write_cr4(make<cr4>(insn::read_cr4()).with<cr4::vmxe>(true).raw);
    if (!insn::vmxon(c.host_at)) {
        insn::write_cr4(make<cr4>(insn::read_cr4()).with<cr4::vmxe>(false).raw);
        return error{errc::busy};
    }
    return done;
}

void leave_vmx(cpu& c) {
    static_cast<void>(insn::vmclear(c.control_at));    // so that the CPU does not write to it later
    insn::vmxoff();
    insn::write_cr4(make<cr4>(insn::read_cr4()).with<cr4::vmxe>(false).raw);
}

namespace {

/// From VMXON to VMLAUNCH; the caller leaves VMX operation on any error.
status load_and_launch(cpu& c, hv_launch const& a, control_set const& controls,
                       launch_progress& progress) {
    HV_TRY(progress.reach(HV_STEP_VMCLEAR));
    if (!insn::vmclear(c.control_at)) return error{errc::io};
    HV_TRY(progress.reach(HV_STEP_VMPTRLD));
    if (!insn::vmptrld(c.control_at)) return error{errc::io};
    HV_TRY(progress.reach(HV_STEP_CONTROLS));
    write_controls(c, controls);
    write_host_state(c);
    HV_TRY(progress.reach(HV_STEP_GUEST_STATE));
    write_guest_state(c, a);
    c.load_masks();
    // Left over from a hoist before this one: same EPT pointer, same VPID.
    if (!insn::invept(invalidate_all_contexts, 0) || !insn::invvpid(invalidate_all_contexts, 0))
        return error{errc::io};
    HV_TRY(progress.reach(HV_STEP_VMLAUNCH));
    c.launch_cr3 = insn::read_cr3();
    announce_launch(c);
    bool const spoil = !progress.reach(HV_STEP_ENTRY);
    if (spoil) c.vmcs.write<guest_rflags>(rflags{});    // a test wants the entry itself to fail
    auto const how = hv_vmx_launch(c);
    withdraw_launch(c);
    progress.root_state = how == launch_entry_failed;
    if (progress.root_state) {
        progress.detail = c.vmcs.read<exit_reason_field>();
        restore_linux_state(c);
    } else {
        progress.back_to(HV_STEP_VMLAUNCH);
        progress.detail = c.vmcs.read<instruction_error>();
    }
    return error{errc::io};
}

}    // namespace

status launch(hv_launch const& a, root_machine& m, area at, image_sizes const& sizes, hva base,
              launch_progress& progress) {
    HV_TRY(check_cpu(progress));
    HV_TRY(progress.reach(HV_STEP_CAPABILITIES));
    auto const controls = HV_TRY(choose_controls(progress.detail));
    // Only now: a CPU whose controls know neither EPT nor VPID has no MSR that tells of them.
    auto const limits = HV_TRY(ept_limits(max_phy_addr(), progress.detail));
    if (!m.ready) HV_TRY(build_machine(m, a, sizes, base, limits, hv_vmx_trap_stubs, progress));
    m.time_slices = controls.time_slices && (a.cpu == 0 || m.time_slices);
    m.exits &= controls.exits;
    HV_TRY(progress.reach(HV_STEP_HOST_STATE));
    auto& c = *HV_TRY(build_cpu<cpu>(m, a, at, base));
    HV_TRY(enter_vmx(c, progress));
    auto const failed = load_and_launch(c, a, controls, progress);
    leave_vmx(c);
    return failed;
}

}    // namespace hv::vmx
