// SPDX-License-Identifier: MIT
#include "root/root_trap.hpp"

/// NMIs come only while the exit path lets them in, and it looks at its work after that: nothing
/// has to start over.
extern "C" void hv_svm_trap(hv::trap_frame& f) {
    auto& c = hv::this_cpu();    // hv_svm_take_host_state put it there
    hv::on_root_trap(c, f, [](hv::trap_frame&) {});
}
