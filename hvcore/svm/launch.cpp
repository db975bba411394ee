// SPDX-License-Identifier: MIT
#include "svm/launch.hpp"
#include "svm/capabilities.hpp"
#include "svm/exit.hpp"

namespace hv::svm {

namespace {

status check_cpu(launch_progress& progress) {
    HV_TRY(progress.reach(HV_STEP_FEATURE_CONTROL));
    progress.detail = insn::rdmsr(msr::vm_cr);
    if (make<msr::vm_control>(progress.detail).get<msr::vm_control::svm_disable>())
        return error{errc::no_device};
    HV_TRY(progress.reach(HV_STEP_IN_USE));
    progress.detail = insn::rdmsr(efer::msr);
    if (make<efer>(progress.detail).get<efer::svme>()) return error{errc::busy};
    return done;
}

result<svm_features> check_capabilities(launch_progress& progress) {
    HV_TRY(progress.reach(HV_STEP_CAPABILITIES));
    auto const features = HV_TRY(choose_features(progress.detail));
    progress.detail = insn::rdmsr(msr::ia32_pat);
    if (!pat_is_usable(progress.detail)) return error{errc::no_device};
    return features;
}

void set_svme(bool on) {
    insn::wrmsr(efer::msr, make<efer>(insn::rdmsr(efer::msr)).with<efer::svme>(on).raw);
}

/// INITs of a CPU that is under the core become exceptions in root mode, where the CPU can do that.
bool redirect_init(bool on) {
    using init = msr::vm_control::redirect_init;
    auto const wanted = make<msr::vm_control>(insn::rdmsr(msr::vm_cr)).with<init>(on);
    if (!insn::wrmsr_safe(msr::vm_cr, wanted.raw)) return false;
    return make<msr::vm_control>(insn::rdmsr(msr::vm_cr)).get<init>();
}

status enter_svm(cpu& c, launch_progress& progress) {
    HV_TRY(progress.reach(HV_STEP_SVME));
    set_svme(true);
    progress.detail = insn::rdmsr(efer::msr);
    if (!make<efer>(progress.detail).get<efer::svme>()) return error{errc::io};
    insn::wrmsr(msr::vm_hsave_pa, c.host_at.raw);
    c.redirects_init = redirect_init(true);
    return done;
}

void leave_svm() {
    redirect_init(false);
    insn::wrmsr(msr::vm_hsave_pa, 0);
}

/// From EFER.SVME to VMRUN; the caller leaves SVM on any error.
status load_and_launch(cpu& c, hv_launch const& a, launch_progress& progress) {
    HV_TRY(progress.reach(HV_STEP_CONTROLS));
    write_controls(c);
    HV_TRY(progress.reach(HV_STEP_GUEST_STATE));
    write_guest_state(c, a);
    c.load_masks();
    c.launch_cr3 = insn::read_cr3();
    c.launch_cr0 = insn::read_cr0();
    c.launch_cr4 = insn::read_cr4();
    c.launch_efer = insn::rdmsr(efer::msr);
    announce_launch(c);
    bool const spoil = !progress.reach(HV_STEP_ENTRY);
    if (spoil) c.block->control.asid = 0;    // a test wants the entry itself to fail
    static_cast<void>(hv_svm_launch(c));
    withdraw_launch(c);
    progress.root_state = true;
    progress.detail = c.block->control.exit_code;
    restore_linux_state(c);
    return error{errc::io};
}

}    // namespace

status launch(hv_launch const& a, root_machine& m, area at, image_sizes const& sizes, hva base,
              launch_progress& progress) {
    HV_TRY(check_cpu(progress));
    auto const features = HV_TRY(check_capabilities(progress));
    auto const limits = npt_limits(max_phy_addr());
    if (!m.ready) HV_TRY(build_machine(m, a, sizes, base, limits, hv_svm_trap_stubs, progress));
    m.time_slices = true;    // a step ends them
    m.exits = watchable_tables | watchable_ports | watchable_debug |
              ((1u << HV_INSTRUCTION_RDRAND) - 1);
    HV_TRY(progress.reach(HV_STEP_HOST_STATE));
    auto& c = *HV_TRY(build_cpu<cpu>(m, a, at, base));
    c.last_guest = 0;
    c.block = reinterpret_cast<vmcb*>(at.page(area::control_block).raw);
    c.has_next_rip = features.get<svm_features::next_rip>();
    auto entered = enter_svm(c, progress);
    if (entered) entered = load_and_launch(c, a, progress);
    leave_svm();
    // With GIF clear the loader has to go on before SVME may be (abi/launch.h).
    if (!progress.root_state) set_svme(false);
    return entered;
}

}    // namespace hv::svm
