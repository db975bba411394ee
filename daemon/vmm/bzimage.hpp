// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <asm/bootparam.h>

namespace hv::vmm {

/// What a boot loader reads in a bzImage. Source: Documentation/arch/x86/boot.rst.
struct bzimage {
    setup_header header;
    std::uint64_t kernel_offset;    // in the file, of what goes to memory
    std::uint64_t kernel_bytes;
    std::uint64_t load_gpa;
    std::uint64_t needs_bytes;    // from load_gpa on, until it knows its memory itself
};

// The kernel's 64-bit entry lies this far behind where it is loaded.
constexpr std::uint64_t long_mode_entry = 0x200;

/// Nothing when it is no bzImage. Errors: failure, when it is one that cannot be booted so.
std::optional<bzimage> parse_bzimage(std::span<std::byte const> file, std::string const& name);

}
