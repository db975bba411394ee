// SPDX-License-Identifier: MIT
#pragma once
#include "arch/register.hpp"
#include "mem/entry_format.hpp"

namespace hv {

/// A nested page-table entry is an ordinary long-mode one. APM 2 15.25.3 "Nested Page Table Entry
/// Format", 5.3 "Long-Mode Page Translation".
struct npt_entry : reg<npt_entry> {
    using present = bit<npt_entry, 0>;
    using writable = bit<npt_entry, 1>;
    using user = bit<npt_entry, 2>;    // guests' accesses count as ring 3's
    using caching = field<npt_entry, 4, 3>;
    using accessed = bit<npt_entry, 5>;
    using dirty = bit<npt_entry, 6>;
    using large = bit<npt_entry, 7>;         // in an entry of level 1: PAT
    using ignore_pat = bit<npt_entry, 9>;    // free for software
    using frame = field<npt_entry, 51, 12>;
    using no_execute = bit<npt_entry, 63>;
    using table_reserved = field<npt_entry, 8, 7>;
    using frame_low_2m = field<npt_entry, 20, 12>;    // PAT and reserved bits of a 2 MiB leaf
    using frame_low_1g = field<npt_entry, 29, 12>;
};

/// Leaves are write-back as far as this stage goes: on SVM the MTRRs count for guests as for the
/// host, and the guest's own PAT after that. The bits that say "accessed" and "dirty" are set from
/// the start, so that the CPU never writes to a table.
struct npt_format {
    static constexpr bool has_types = false;
    static constexpr std::uint64_t leaf(leaf_value const& v, unsigned level) {
        return npt_entry{}
            .with<npt_entry::present>(v.allowed != rights::none)
            .with<npt_entry::writable>(includes(v.allowed, rights::write))
            .with<npt_entry::user>(true)
            .with<npt_entry::accessed>(true)
            .with<npt_entry::dirty>(true)
            .with<npt_entry::large>(level > 1)
            .with<npt_entry::ignore_pat>(v.pat == guest_pat::ignored)
            .with<npt_entry::frame>(frame_field(v.to, v.allowed).raw / page_bytes)
            .with<npt_entry::no_execute>(!includes(v.allowed, rights::execute))
            .raw;
    }
    static constexpr std::uint64_t table(hpa at) {
        return npt_entry{}
            .with<npt_entry::present>(true)
            .with<npt_entry::writable>(true)
            .with<npt_entry::user>(true)
            .with<npt_entry::accessed>(true)
            .with<npt_entry::frame>(at.raw / page_bytes)
            .raw;
    }
    static constexpr bool is_leaf(std::uint64_t entry, unsigned level) {
        return entry != 0 && (level == 1 || make<npt_entry>(entry).get<npt_entry::large>());
    }
    static constexpr hpa table_of(std::uint64_t entry) {
        return hpa{make<npt_entry>(entry).get<npt_entry::frame>() * page_bytes};
    }
    static constexpr leaf_value value_of(std::uint64_t entry, unsigned level) {
        auto const e = make<npt_entry>(entry);
        auto allowed = e.get<npt_entry::present>() ? rights::read : rights::none;
        if (e.get<npt_entry::writable>()) allowed = allowed | rights::write;
        if (!e.get<npt_entry::no_execute>()) allowed = allowed | rights::execute;
        return {.to = frame_field(table_of(entry), allowed).down(entry_bytes(level)),
                .allowed = allowed,
                .type = memory_type::wb,
                .pat = e.get<npt_entry::ignore_pat>() ? guest_pat::ignored : guest_pat::honoured};
    }

    /// Whether a walk over the entry meets a reserved bit, or the entry says what this core never
    /// writes.
    /// Source   APM 2 5.3.3 "4-Kbyte Page Translation" and the two sections that follow it.
    static constexpr bool malformed(std::uint64_t entry, unsigned level,
                                    stage_limits const& limits) {
        if (entry == 0) return false;
        auto const e = make<npt_entry>(entry);
        if (!e.get<npt_entry::present>())
            return !is_leaf(entry, level) || !limits.leaf_at(level) ||
                   table_of(entry).raw < limits.top();
        if (!e.get<npt_entry::user>() || e.get<npt_entry::caching>() != 0) return true;
        if (table_of(entry).raw >= limits.top()) return true;
        if (!is_leaf(entry, level))
            return e.get<npt_entry::table_reserved>() != 0 || e.get<npt_entry::no_execute>();
        if (level == 1 && e.get<npt_entry::large>()) return true;
        if (!limits.leaf_at(level)) return true;
        if (level == 3) return e.get<npt_entry::frame_low_1g>() != 0;
        return level == 2 && e.get<npt_entry::frame_low_2m>() != 0;
    }
};
static_assert(entry_format<npt_format>);

}    // namespace hv
