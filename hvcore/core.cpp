// SPDX-License-Identifier: MIT
// The entry from the loader, and the one place that knows both backends.
#include "abi/image.h"
#include "core_layout.hpp"
#include "svm/capabilities.hpp"

extern "C" {
extern char const hv_image_end[];
std::int64_t hv_core_launch(hv_launch* args);
}

namespace hv {

namespace {

constexpr hva base{HV_CORE_BASE};

image_sizes sizes() {
    auto const end = hva{reinterpret_cast<std::uint64_t>(hv_image_end)};
    return {pages_of(end - base), machine_pages, pool_pages, cpu_pages};
}

/// The machine that the CPUs share, built on the first of them.
/// Errors   invalid: not built yet, and this is not the first CPU. bad_handle: another machine's.
template <typename Machine> result<Machine*> machine_for(hv_launch const& a) {
    auto* const at = reinterpret_cast<void*>(page_at(base, sizes().image_pages).raw);
    // The loader zeroed the frames, so a machine that was never built says that it is not ready.
    auto& m = *static_cast<Machine*>(at);
    if (!m.ready && a.cpu != 0) return error{errc::invalid};
    if (!m.ready) return new (at) Machine;
    if (a.handle != m.handle) return error{errc::bad_handle};
    return &m;
}

status launch(hv_launch const& a, launch_progress& progress) {
    auto const s = sizes();
    HV_TRY(progress.reach(HV_STEP_ARGUMENTS));
    HV_TRY(check_launch(a));
    HV_TRY(progress.reach(HV_STEP_VENDOR));
    auto const area = page_at(base, s.image_pages + s.pool_pages + a.cpu * s.cpu_pages);
    if (vmx::has_vmx())
        return vmx::launch(a, *HV_TRY(machine_for<vmx::root_machine>(a)), {area}, s, base,
                           progress);
    if (svm::has_svm())
        return svm::launch(a, *HV_TRY(machine_for<svm::root_machine>(a)), {area}, s, base,
                           progress);
    return error{errc::no_device};
}

}    // namespace
}    // namespace hv

/// Called by hv_core_entry (header.S) on each CPU; see abi/launch.h for what it owes the loader.
std::int64_t hv_core_launch(hv_launch* args) {
    hv_launch const copy = *args;    // once: what follows only looks at the copy
    hv::launch_progress progress{copy.fail_step};
    auto const failed = hv::launch(copy, progress);
    args->step = progress.step();
    args->detail = progress.detail;
    args->root_state = progress.root_state ? 1 : 0;
    return failed.error().negative();
}
