// SPDX-License-Identifier: MIT
#pragma once
#include "root/build_cpu.hpp"
#include "vmx/cpu.hpp"

namespace hv::vmx {

using area = cpu_area<cpu>;

/// Whether CPUID names VMX.
bool has_vmx();

/// Put this CPU under the core. On success it does not return: the CPU is a guest at a.guest_rip.
/// Errors   whatever the step says that `progress` stands at; everything on this CPU is as it was,
///          except what progress.root_state announces.
/// Source   SDM 3C 32.5 "Preparation and Launching a Virtual Machine".
[[nodiscard]] status launch(hv_launch const& a, root_machine& m, area at, image_sizes const& sizes,
                            hva base, launch_progress& progress);

// The three parts of it.
[[nodiscard]] status enter_vmx(cpu& c, launch_progress& progress);
void leave_vmx(cpu& c);
void write_controls(cpu& c, struct control_set const& controls);
void write_host_state(cpu const& c);
void write_guest_state(cpu& c, hv_launch const& a);
/// Undo what the exit of a failed entry has loaded of the host state, as far as abi/launch.h
/// promises.
void restore_linux_state(cpu const& c);

}    // namespace hv::vmx
