// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace hv::vmm {

/// What is to be loaded of an ELF kernel.
struct elf_image {
    struct segment {
        std::uint64_t offset;
        std::uint64_t file_bytes;
        std::uint64_t memory_bytes;
        std::uint64_t gpa;
    };

    std::vector<segment> segments;
    std::uint64_t entry;                       // for 64-bit code, physical
    std::optional<std::uint32_t> pvh_entry;    // for 32-bit code without paging
    std::uint64_t end_gpa;
};

/// Nothing when it is no ELF file. Errors: failure, when it is one that cannot be booted.
std::optional<elf_image> parse_elf(std::span<std::byte const> file, std::string const& name);

}
