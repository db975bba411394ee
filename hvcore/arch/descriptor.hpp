// SPDX-License-Identifier: MIT
#pragma once
#include "arch/register.hpp"
#include "base/address.hpp"
#include <cstdint>

namespace hv {

struct selector : reg<selector> {    // SDM 3A 3.4.2 "Segment Selectors"
    using local = bit<selector, 2>;
    using index = field<selector, 15, 3>;
    [[nodiscard]] constexpr bool null() const { return (raw & ~std::uint64_t{3}) == 0; }
};

struct descriptor : reg<descriptor> {    // SDM 3A 3.4.5 "Segment Descriptors"
    using limit_low = field<descriptor, 15, 0>;
    using base_low = field<descriptor, 39, 16>;
    using access_low = field<descriptor, 47, 40>;    // type, S, DPL, P
    using type = field<descriptor, 43, 40>;
    using limit_high = field<descriptor, 51, 48>;
    using access_high = field<descriptor, 55, 52>;    // AVL, L, D/B, G
    using granularity = bit<descriptor, 55>;
    using base_high = field<descriptor, 63, 56>;
};

/// A segment as the VMCS and the VMCB hold it. SDM 3C 25.4.1 "Guest Register State".
struct segment {
    std::uint16_t selector{};
    std::uint32_t limit{};
    // the VMCS format: descriptor bits 55..52 and 47..40, bit 16: unusable
    std::uint32_t access{};
    gva base{};
    friend constexpr bool operator==(segment const&, segment const&) = default;
    static constexpr std::uint32_t unusable = 1u << 16;
};

/// The VMCS's segment of a descriptor; `upper` is the second half of a 16-byte system descriptor,
/// else 0.
constexpr segment unpack(std::uint16_t selector, descriptor low, std::uint64_t upper) {
    segment s{.selector = selector};
    auto const limit = low.get<descriptor::limit_low>() | low.get<descriptor::limit_high>() << 16;
    s.limit = static_cast<std::uint32_t>(low.get<descriptor::granularity>() ? limit << 12 | 0xfff
                                                                            : limit);
    s.access = static_cast<std::uint32_t>(low.get<descriptor::access_low>() |
                                          low.get<descriptor::access_high>() << 12);
    s.base = gva{low.get<descriptor::base_low>() | low.get<descriptor::base_high>() << 24 |
                 upper << 32};
    return s;
}

/// GDTR or IDTR. SDM 3A 2.4 "Memory-Management Registers".
struct [[gnu::packed]] table_register {
    std::uint16_t limit;
    std::uint64_t base;
};
static_assert(sizeof(table_register) == 10);

/// The 64-bit task-state segment: the core only uses the stacks. SDM 3A 8.7 "Task Management in
/// 64-bit Mode".
struct [[gnu::packed]] task_state {
    std::uint32_t reserved_0;
    std::uint64_t rsp[3];
    std::uint64_t reserved_1;
    std::uint64_t ist[7];
    std::uint64_t reserved_2;
    std::uint16_t reserved_3;
    std::uint16_t io_map_base;
};
static_assert(sizeof(task_state) == 104);

/// The core's own selectors, the same on every CPU.
namespace core_selector {
inline constexpr std::uint16_t code = 0x08;
inline constexpr std::uint16_t data = 0x10;
inline constexpr std::uint16_t task = 0x18;    // 16 bytes
}    // namespace core_selector

struct core_gdt {
    std::uint64_t null = 0;
    std::uint64_t code = 0x00af9b000000ffff;    // 64-bit, ring 0, accessed: a load never writes it
    std::uint64_t data = 0x00cf93000000ffff;
    std::uint64_t task_low = 0;
    std::uint64_t task_high = 0;
    constexpr void set_task(hva tss) {
        auto const d = descriptor{}
                           .with<descriptor::limit_low>(sizeof(task_state) - 1)
                           .with<descriptor::base_low>(tss.raw)
                           .with<descriptor::base_high>(tss.raw >> 24)
                           .with<descriptor::access_low>(0x89u);    // present, available 64-bit TSS
        task_low = d.raw;
        task_high = tss.raw >> 32;
    }
};
static_assert(sizeof(core_gdt) == 40);

struct gate {    // SDM 3A 6.14.1 "64-Bit Mode IDT"
    std::uint64_t low{}, high{};
    static constexpr gate to(hva handler, unsigned stack) {
        auto const at = handler.raw;
        return {(at & 0xffff) | std::uint64_t{core_selector::code} << 16 |
                    std::uint64_t{stack} << 32 | 0x8eull << 40 | (at >> 16 & 0xffff) << 48,
                at >> 32};
    }
};
static_assert(sizeof(gate) == 16);

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
