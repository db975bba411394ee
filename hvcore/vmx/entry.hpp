// SPDX-License-Identifier: MIT
#pragma once
#include "vmx/cpu.hpp"

namespace hv::vmx {

enum launch_failure : std::uint64_t {
    launch_refused = 1,         // VMfail: controls or host state
    launch_entry_failed = 2,    // guest state: an exit to the core, and back through hv_vmx_abandon
};

/// The CPU that runs this in root mode, once an exit has loaded the host state.
cpu& this_cpu();

/// Give this CPU up: its state goes to the ring, it answers NMIs and does nothing else any more.
[[noreturn]] void park(cpu& c, char const* why);

/// What a PC does when a CPU shuts down: the whole machine is reset.
[[noreturn]] void reset_machine();

/// An NMI has arrived, in the guest or in root mode: note what it asks for. The exit path acts on
/// it.
void meet_nmi(hv::cpu& c);

}    // namespace hv::vmx

// entry.S
extern "C" {
/// VMLAUNCH on the loader's stack. Returns on failure only, with one of enum launch_failure.
std::uint64_t hv_vmx_launch(hv::vmx::cpu& c);
/// From the exit path of an entry that failed at launch: back to where hv_vmx_launch was called.
[[noreturn]] void hv_vmx_abandon(hv::vmx::cpu& c);
extern char const hv_vmx_exit_entry[];
extern char const hv_vmx_fast_check[];
extern char const hv_vmx_fast_end[];
extern char const hv_vmx_rare_check[];
extern char const hv_vmx_rare_end[];
}
