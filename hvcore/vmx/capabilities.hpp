// SPDX-License-Identifier: MIT
#pragma once
#include "base/result.hpp"
#include "mem/entry_format.hpp"
#include "vmx/controls.hpp"

namespace hv::vmx {

/// The controls that the core runs with, adjusted to what this CPU demands and allows.
struct control_set {
    std::uint32_t pin{}, processor{}, secondary{}, exit{}, entry{};
    bool time_slices{};       // the VMX-preemption timer is there
    std::uint32_t exits{};    // what can be made to exit: watchable_…, and instructions
    std::uint32_t timer_shift{};
};

/// Choose the controls from the capability MSRs.
/// detail   on an error: the index of the MSR that does not allow what is needed.
/// Errors   no_device: EPT, unrestricted guest or another need is missing.
/// Source   SDM 3D A "VMX Capability Reporting Facility".
result<control_set> choose_controls(std::uint64_t& detail);

/// What EPT can do here.
/// Errors   no_device: no 4-level walk, no write-back tables, no INVEPT or INVVPID of all contexts.
result<stage_limits> ept_limits(unsigned max_phy_addr, std::uint64_t& detail);

}    // namespace hv::vmx
