// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hv {

/// The name of a basic exit reason: for "vmx" the SDM's (3D, appendix C "VMX Basic Exit Reasons"),
/// exit_N where the backend has none for it.
std::string exit_name(std::string_view backend, std::uint64_t reason);

}
