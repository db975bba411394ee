// SPDX-License-Identifier: MIT
#pragma once
#include "root/build_cpu.hpp"
#include "svm/cpu.hpp"

namespace hv::svm {

using area = cpu_area<cpu>;

/// Put this CPU under the core. On success it does not return: the CPU is a guest at a.guest_rip.
/// Errors   whatever the step says that `progress` stands at; everything on this CPU is as it was,
///          except what progress.root_state announces.
/// Source   APM 2 15.4 "Enabling SVM", 15.5 "VMRUN Instruction".
[[nodiscard]] status launch(hv_launch const& a, root_machine& m, area at, image_sizes const& sizes,
                            hva base, launch_progress& progress);

// The parts of it.
void write_controls(cpu& c);
void write_guest_state(cpu& c, hv_launch const& a);
/// Undo what the core has loaded for a launch that failed late, as far as abi/launch.h promises.
void restore_linux_state(cpu const& c);

}    // namespace hv::svm

extern "C" void hv_svm_take_host_state(hv::svm::cpu& c);    // for entry.S
