// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hv {

struct named_number {
    std::string_view name;
    std::uint64_t number;
};

/// MSRs by the names of the SDM (4, "Model-Specific Registers"), AMD's own by those of the APM, in
/// lower case.
std::span<named_number const> msr_names();
/// Bits of CR0 and CR4 (SDM 3A 2.5 "Control Registers"); number: the bit's mask.
std::span<named_number const> cr0_bits();
std::span<named_number const> cr4_bits();

/// Bits of XCR0 (SDM 1 13.3 "Enabling the XSAVE Feature Set"), and 1 << enum hv_instruction.
std::span<named_number const> xcr0_bits();
std::span<named_number const> instruction_bits();

std::optional<std::uint64_t> number_of(std::span<named_number const> names, std::string_view name);
/// " (nearest: x)" or nothing.
std::string hint_of(std::span<named_number const> names, std::string_view name);
/// The name, or 0x… where there is none.
std::string msr_text(std::uint64_t index);
/// "smep smap", bits without a name as 0x….
std::string bits_text(std::span<named_number const> names, std::uint64_t mask);
std::string cr_bits_text(std::uint64_t which, std::uint64_t mask);
/// "gdt", "idt" or "gdt idt", of enum hv_table.
std::string tables_text(std::uint64_t first, std::uint64_t last);

}
