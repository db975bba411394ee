// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/vmm/guest_memory.hpp"
#include "daemon/vmm/input_file.hpp"

namespace hv::vmm {

// Where things lie below 1 MiB.
constexpr std::uint64_t gdt_gpa = 0x500;
constexpr std::uint64_t start_info_gpa = 0x6000;
constexpr std::uint64_t boot_params_gpa = 0x7000;
constexpr std::uint64_t page_tables_gpa = 0x9000;
constexpr std::uint64_t command_line_gpa = 0x20000;
constexpr std::uint64_t command_line_most = 0x10000;
constexpr std::uint64_t low_ram_end = 0x9fc00;
constexpr std::uint64_t tables_gpa = 0xe0000;    // ACPI's, where a PC's firmware has them
constexpr std::uint64_t tables_end = 0x100000;

/// How the first CPU begins.
struct boot_start {
    bool long_mode;    // else 32-bit protected mode without paging, as PVH has it
    std::uint64_t entry;
    std::uint64_t information;    // what rsi or ebx points to
};

struct memory_range {
    std::uint64_t gpa;
    std::uint64_t bytes;
    std::uint32_t type;    // of E820, and of PVH, whose numbers are the same
};

struct boot_request {
    input_file const& kernel;
    std::optional<input_file> const& initrd;
    std::string const& command_line;
    std::uint64_t rsdp_gpa;
};

/// Puts kernel, initrd and command line into memory, and what tells the kernel of them.
/// Errors: failure: no kernel, too large for this memory.
boot_start load_linux(guest_memory const& memory, boot_request const& what);

std::vector<memory_range> memory_map(guest_memory const& memory);

struct loaded_initrd {
    std::uint64_t gpa = 0;
    std::uint64_t bytes = 0;
};
/// As high as `below` allows, above `kernel_end`.
loaded_initrd place_initrd(std::uint64_t bytes, std::uint64_t kernel_end, std::uint64_t below);

}
