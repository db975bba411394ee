// SPDX-License-Identifier: MIT
#pragma once
#include "arch/insn.hpp"

namespace hv {

/// The segment of a selector, from its descriptor in the operating system's GDT or LDT; the loader
/// keeps both mapped during the launch.
inline segment read_segment(std::uint16_t value, table_register const& gdt, gva ldt) {
    auto const s = make<selector>(value);
    if (s.null()) return {.selector = value, .access = segment::unusable};
    auto const table = s.get<selector::local>() ? ldt.raw : gdt.base;
    auto const* at = reinterpret_cast<std::uint64_t const*>(table) + s.get<selector::index>();
    auto const low = make<descriptor>(at[0]);
    constexpr std::uint64_t code_or_data = 1u << 4;    // S, in access_low
    bool const system = (low.get<descriptor::access_low>() & code_or_data) == 0;
    return unpack(value, low, system ? at[1] & 0xffffffff : 0);
}

}    // namespace hv
