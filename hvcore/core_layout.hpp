// SPDX-License-Identifier: MIT
#pragma once
#include "svm/launch.hpp"
#include "vmx/launch.hpp"

namespace hv {

constexpr std::uint32_t pages_of(std::uint64_t bytes) {
    return static_cast<std::uint32_t>((bytes + page_bytes - 1) / page_bytes);
}

// The pool area begins with struct machine; what is left are second-stage tables.
inline constexpr std::uint64_t machine_bytes = sizeof(vmx::root_machine) > sizeof(svm::root_machine)
                                                   ? sizeof(vmx::root_machine)
                                                   : sizeof(svm::root_machine);
inline constexpr std::uint32_t machine_pages = pages_of(machine_bytes);
inline constexpr std::uint32_t spare_tables = 64;
inline constexpr std::uint32_t pool_pages = machine_pages + spare_tables;
inline constexpr std::uint32_t cpu_pages = vmx::area::pages;
static_assert(cpu_pages == svm::area::pages);

}    // namespace hv
