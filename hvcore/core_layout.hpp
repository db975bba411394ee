// SPDX-License-Identifier: MIT
#pragma once
#include "vmx/launch.hpp"

namespace hv {

constexpr std::uint32_t pages_of(std::uint64_t bytes) {
    return static_cast<std::uint32_t>((bytes + page_bytes - 1) / page_bytes);
}

// The pool area begins with struct machine; what is left are second-stage tables.
inline constexpr std::uint32_t machine_pages = pages_of(sizeof(vmx::root_machine));
inline constexpr std::uint32_t spare_tables = 64;
inline constexpr std::uint32_t pool_pages = machine_pages + spare_tables;

}    // namespace hv
