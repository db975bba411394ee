// SPDX-License-Identifier: MIT
#pragma once
// Any second stage: tables of any number and content that keep the invariant of sound(), around a
// core of any place and size. Nothing is remembered from one read to the next, so that what holds
// here holds for every sequence of requests, and while others change the same tables.
#include "mem/ept_format.hpp"
#include "mem/npt_format.hpp"
#include "mem/second_stage.hpp"
#include "prove.hpp"

using page_number = unsigned _BitInt(36);
/// The level of the table in each page of the pool: any function, the same during one request.
extern "C" std::uint8_t __CPROVER_uninterpreted_level(page_number page);

namespace model {
using namespace hv;

/// What does not change while a request is carried out.
struct world {
    std::uint64_t core_first, core_end;    // the core's private frames
    std::uint64_t pool_first, pool_end;    // those of them that tables are taken from
    stage_limits limits;
    bool is_ept;
};
inline constinit world w{};
inline constexpr std::uint64_t frame_mask = 0x000ffffffffff000;

inline unsigned level_of(std::uint64_t table) {
    return __CPROVER_uninterpreted_level(static_cast<page_number>(table / 4096));
}
inline bool is_pools(std::uint64_t page) {
    return (page & 4095) == 0 && page >= w.pool_first && page < w.pool_end;
}
inline std::uint64_t covered(unsigned level) { return 1ull << (3 + 9 * (level & 7)); }
/// All sums here are below 2^49.
inline bool in_core(std::uint64_t first, std::uint64_t bytes) {
    return first < w.core_end && w.core_first < first + bytes;
}

inline void any_world(bool is_ept) {
    w.is_ept = is_ept;
    w.core_first = HV_INPUT("core_first");
    w.core_end = HV_INPUT("core_end");
    w.pool_first = HV_INPUT("pool_first");
    w.pool_end = HV_INPUT("pool_end");
    w.limits.address_bits = prove::any<std::uint32_t>();
    w.limits.leaf_2m = prove::any<bool>();
    w.limits.leaf_1g = prove::any<bool>();
    prove_assume(w.limits.address_bits >= 32 && w.limits.address_bits <= 48);
    prove_assume(((w.core_first | w.core_end | w.pool_first | w.pool_end) & 4095) == 0);
    prove_assume(0 < w.core_first && w.core_first <= w.pool_first && w.pool_first < w.pool_end);
    prove_assume(w.pool_end <= w.core_end && w.core_end <= 1ull << w.limits.address_bits);
}

// What the processor makes of an entry, read off the manuals and not off the core's formats.
inline bool present(std::uint64_t e) { return w.is_ept ? (e & 7) != 0 : (e & 1) != 0; }
inline bool leaf(std::uint64_t e, unsigned level) { return level == 1 || (e >> 7 & 1) != 0; }
/// SDM 3C 29.3.3.1 "EPT Misconfigurations", and nothing that is writable or executable only.
inline bool ept_sound(std::uint64_t e, unsigned level) {
    if ((e & 1) == 0 || e >> 52 != 0) return false;
    if (!leaf(e, level)) return (e >> 3 & 31) == 0;
    auto const type = e >> 3 & 7;
    return type != 2 && type != 3 && type != 7;
}
/// APM 2 5.3 "Long-Mode Page Translation", 15.25.5 "Nested Table Walk": for users, write-back.
inline bool npt_sound(std::uint64_t e, unsigned level) {
    if ((e >> 2 & 1) == 0 || (e >> 3 & 3) != 0 || (e >> 52 & 0x7ff) != 0) return false;
    if (!leaf(e, level)) return (e >> 7 & 3) == 0 && e >> 63 == 0;
    return level != 1 || (e >> 7 & 1) == 0;
}

/// The invariant of every entry of every table that a root leads to.
inline bool sound(std::uint64_t entry, unsigned level) {
    // L1TF: no frame number there but one beyond all memory, of what is closed.
    if (!present(entry))
        return entry == 0 ||
               (leaf(entry, level) && (entry & frame_mask) >> w.limits.address_bits != 0);
    if (!(w.is_ept ? ept_sound(entry, level) : npt_sound(entry, level))) return false;
    auto const frame = entry & frame_mask;
    if (!leaf(entry, level)) return is_pools(frame) && level_of(frame) == level - 1;
    bool const size = level == 1 || (level == 2 && w.limits.leaf_2m) ||
                      (level == 3 && w.limits.leaf_1g);
    if (!size || (frame & (covered(level) - 1)) != 0) return false;
    return frame + covered(level) <= 1ull << w.limits.address_bits &&
           !in_core(frame, covered(level));
}

struct tables {
    [[nodiscard]] std::uint64_t read(hpa table, unsigned index) const {
        prove_check(is_pools(table.raw) && index < 512, "a read outside the tables");
        auto const entry = prove_any_u64();
        prove_assume(sound(entry, level_of(table.raw)));
        return entry;
    }
    void write(hpa table, unsigned index, std::uint64_t entry) {
        prove_show("written_entry", entry);
        prove_show("written_level", level_of(table.raw));
        prove_check(is_pools(table.raw) && index < 512, "a write outside the tables");
        prove_check(sound(entry, level_of(table.raw)),
                    "an entry that leads into the core, or that the processor does not take");
    }
    [[nodiscard]] result<hpa> take(unsigned level) {
        if (prove::any<bool>()) return error{errc::no_memory};
        auto const page = prove_any_u64();
        prove_assume(is_pools(page) && level_of(page) == level);
        return hpa{page};
    }
    void give(hpa table, unsigned level) {
        prove_check(is_pools(table.raw), "a page given back that is not the pool's");
        prove_check(level_of(table.raw) == level, "a table given back as what it never was");
    }
    [[nodiscard]] std::uint64_t available() const { return prove_any_u64(); }
};

/// Any guard that keeps its promise; that core_guard does is tested (tests/fuzz/fuzz_guard.cpp).
struct guard {
    result<guest_pat> operator()(hpa_span to, rights) const {
        if (prove::any<bool>()) return error{errc::perm};
        if (!to.within(1ull << 52) || in_core(to.first.raw, to.bytes)) return error{errc::perm};
        return prove::any<bool>() ? guest_pat::ignored : guest_pat::honoured;
    }
};
static_assert(table_memory<tables> && leaf_guard<guard>);

struct ept {
    using format = ept_format;
};
struct npt {
    using format = npt_format;
};
template <typename Vendor> using stage = second_stage<typename Vendor::format, tables, guard>;

}    // namespace model
