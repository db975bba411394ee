// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hv {

/// Why a CPU left its guest, in lower case: for "vmx" a basic exit reason (SDM 3D C "VMX Basic Exit
/// Reasons"), for "svm" the low 16 bits of an exit code (APM 2 C "SVM Intercept Exit Codes"); where
/// both mean the same, the name is the SDM's. exit_N where there is no name. SVM has one code for
/// both accesses to an MSR: write says which.
std::string exit_name(std::string_view backend, std::uint64_t reason, bool write = false);
/// The name of what is counted in hv_cpu_shared.counter[slot].
std::string counter_name(std::string_view backend, std::uint64_t slot);

}
