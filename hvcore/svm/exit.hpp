// SPDX-License-Identifier: MIT
#pragma once
#include "svm/cpu.hpp"

namespace hv::svm {

after on_nested_page_fault(cpu&), on_msr(cpu&), on_exception(cpu&), on_nmi(cpu&), on_iret(cpu&),
    on_init(cpu&), on_interrupt(cpu&), on_invalid(cpu&), on_unexpected(cpu&);

std::uint32_t access_of(nested_fault f);    // bits of enum hv_access

/// Where the exit entry goes on (entry.S).
enum way : unsigned { way_to_root_vm = 0, way_to_guest = 1, way_to_linux = 2 };

/// A launch that came back: the first VMRUN found the VMCB invalid (APM 2 15.5.1).
inline constexpr std::uint64_t launch_entry_failed = 2;

}    // namespace hv::svm

// entry.S
extern "C" {
/// Leave the loader's stack for the core's, and enter the guest. Returns on failure only.
std::uint64_t hv_svm_launch(hv::svm::cpu& c);
/// From the exit path of an entry that failed at launch: back to where hv_svm_launch was called.
[[noreturn]] void hv_svm_abandon(hv::svm::cpu& c);
extern char const hv_svm_trap_stubs[];    // arch/trap.S
}
