// SPDX-License-Identifier: MIT
#pragma once
#include "arch/register.hpp"
#include "mem/entry_format.hpp"

namespace hv {

struct ept_entry : reg<ept_entry> {    // SDM 3C 29.3.2 "EPT Translation Mechanism"
    using allowed = field<ept_entry, 2, 0, rights>;
    using type = field<ept_entry, 5, 3>;
    using ignore_pat = bit<ept_entry, 6>;
    using large = bit<ept_entry, 7>;
    using frame = field<ept_entry, 51, 12>;
    using table_reserved = field<ept_entry, 7, 3>;
    using frame_low_2m = field<ept_entry, 20, 12>;    // reserved in a 2 MiB leaf
    using frame_low_1g = field<ept_entry, 29, 12>;
};

struct ept_format {
    static constexpr bool has_types = true;
    static constexpr std::uint64_t leaf(leaf_value const& v, unsigned level) {
        return ept_entry{}
            .with<ept_entry::allowed>(v.allowed)
            .with<ept_entry::type>(static_cast<std::uint64_t>(v.type))
            .with<ept_entry::ignore_pat>(v.pat == guest_pat::ignored)
            .with<ept_entry::large>(level > 1)
            .with<ept_entry::frame>(frame_field(v.to, v.allowed).raw / page_bytes)
            .raw;
    }
    static constexpr std::uint64_t table(hpa at) {
        return ept_entry{}
            .with<ept_entry::allowed>(all_rights)
            .with<ept_entry::frame>(at.raw / page_bytes)
            .raw;
    }
    static constexpr bool is_leaf(std::uint64_t entry, unsigned level) {
        return entry != 0 && (level == 1 || make<ept_entry>(entry).get<ept_entry::large>());
    }
    static constexpr hpa table_of(std::uint64_t entry) {
        return hpa{make<ept_entry>(entry).get<ept_entry::frame>() * page_bytes};
    }
    static constexpr leaf_value value_of(std::uint64_t entry, unsigned level) {
        auto const e = make<ept_entry>(entry);
        auto const allowed = e.get<ept_entry::allowed>();
        return {.to = frame_field(table_of(entry), allowed).down(entry_bytes(level)),
                .allowed = allowed,
                .type = static_cast<memory_type>(e.get<ept_entry::type>()),
                .pat = e.get<ept_entry::ignore_pat>() ? guest_pat::ignored : guest_pat::honoured};
    }

    /// Whether a walk over the entry ends in an EPT misconfiguration, or the entry allows what this
    /// core never grants (execute without read).
    /// Source   SDM 3C 29.3.3.1 "EPT Misconfigurations".
    static constexpr bool malformed(std::uint64_t entry, unsigned level,
                                    stage_limits const& limits) {
        if (entry == 0) return false;
        auto const e = make<ept_entry>(entry);
        if (!expressible(e.get<ept_entry::allowed>())) return true;
        if (e.get<ept_entry::allowed>() == rights::none)
            return !is_leaf(entry, level) || !limits.leaf_at(level) ||
                   table_of(entry).raw < limits.top();
        if (table_of(entry).raw >= limits.top()) return true;
        if (!is_leaf(entry, level)) return e.get<ept_entry::table_reserved>() != 0;
        if (!limits.leaf_at(level)) return true;
        if (!is_memory_type(e.get<ept_entry::type>())) return true;
        if (level == 3) return e.get<ept_entry::frame_low_1g>() != 0;
        return level == 2 && e.get<ept_entry::frame_low_2m>() != 0;
    }
};
static_assert(entry_format<ept_format>);

}    // namespace hv
