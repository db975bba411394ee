// SPDX-License-Identifier: MIT
#pragma once
#include "root/root_trap.hpp"
#include "vmx/cpu.hpp"

namespace hv::vmx {

enum launch_failure : std::uint64_t {
    launch_refused = 1,         // VMfail: controls or host state
    launch_entry_failed = 2,    // guest state: an exit to the core, and back through hv_vmx_abandon
};

/// Park this CPU: the core is broken on it.
[[noreturn]] void give_up(cpu& c, char const* why);

}    // namespace hv::vmx

// entry.S
extern "C" {
/// VMLAUNCH on the loader's stack. Returns on failure only, with one of enum launch_failure.
std::uint64_t hv_vmx_launch(hv::vmx::cpu& c);
/// From the exit path of an entry that failed at launch: back to where hv_vmx_launch was called.
[[noreturn]] void hv_vmx_abandon(hv::vmx::cpu& c);
extern char const hv_vmx_trap_stubs[];    // arch/trap.S
extern char const hv_vmx_exit_entry[];
extern char const hv_vmx_fast_check[];
extern char const hv_vmx_fast_end[];
extern char const hv_vmx_rare_check[];
extern char const hv_vmx_rare_end[];
extern char const hv_vmx_guest_exit_entry[];
extern char const hv_vmx_guest_check[];
extern char const hv_vmx_guest_end[];
}
