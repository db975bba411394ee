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
/// Fields of DR7 that rules can keep (SDM 3B 18.2.4 "Debug Control Register (DR7)"); and 1 << enum
/// hv_table.
std::span<named_number const> dr7_bits();
std::span<named_number const> table_bits();

std::optional<std::uint64_t> number_of(std::span<named_number const> names, std::string_view name);
/// " (nearest: x)" or nothing.
std::string hint_of(std::span<named_number const> names, std::string_view name);
/// The name, or 0x… where there is none.
std::string msr_text(std::uint64_t index);
/// "smep smap", bits without a name as 0x….
std::string bits_text(std::span<named_number const> names, std::uint64_t mask);
std::string cr_bits_text(std::uint64_t which, std::uint64_t mask);
/// "dr0 dr7", with the bits of DR7 where they are not all: of a rule's mask.
std::string debug_text(std::uint64_t mask);
/// The mask with all of each field that it has a bit of.
std::uint64_t whole_fields(std::span<named_number const> names, std::uint64_t mask);

/// All bits of dr7_bits().
constexpr std::uint64_t dr7_mask = 0xffff03ff;
/// Bits of DR0 to DR3 in a rule's mask: 1 << (32 + number).
constexpr unsigned first_debug_bit = 32;
constexpr unsigned debug_addresses = 4;

}
