// SPDX-License-Identifier: MIT
#pragma once
// What second_stage does over all its tables: merge, new memory types, release. And how it counts
// the tables that a request takes.
#include "mem/second_stage.hpp"

namespace hv {

/// Counts the tables that steps in ascending order will need, each once.
template <entry_format F, table_memory M, leaf_guard G> class second_stage<F, M, G>::table_count {
public:
    constexpr void add(step const& s) {
        for (unsigned level = s.level; level < s.found; ++level) {
            auto const covered = s.at.down(entry_bytes(level + 1));
            if (counted_[level] && last_[level] == covered) continue;
            counted_[level] = true;
            last_[level] = covered;
            ++total;
        }
    }
    std::uint64_t total{};

private:
    array<gpa, stage_levels> last_{};    // what the newest table of each level covers
    array<bool, stage_levels> counted_{};
};

template <entry_format F, table_memory M, leaf_guard G>
template <unsigned Level>
void second_stage<F, M, G>::release_below(hpa table) {
    if constexpr (Level > 1) {
        for (unsigned i = 0; i < table_entries; ++i) {
            auto const entry = memory_.read(table, i);
            if (is_table(entry, Level)) release_below<Level - 1>(F::table_of(entry));
        }
    }
    memory_.give(table, Level);
}

template <entry_format F, table_memory M, leaf_guard G>
template <unsigned Level>
void second_stage<F, M, G>::merge_below(hpa table, gpa base, gpa_span at) {
    for (unsigned i = 0; i < table_entries; ++i) {
        auto const covered = base + entry_bytes(Level, i);
        if (covered >= at.first + at.bytes) return;
        if (covered + entry_bytes(Level) <= at.first) continue;
        slot const s{table, i, Level, memory_.read(table, i)};
        if (!is_table(s.entry, Level)) continue;
        if constexpr (Level > 2) merge_below<Level - 1>(F::table_of(s.entry), covered, at);
        collapse(s);
    }
}

template <entry_format F, table_memory M, leaf_guard G>
void second_stage<F, M, G>::collapse(slot const& s) {
    auto const below = F::table_of(s.entry);
    auto const first = memory_.read(below, 0);
    if (first == 0) {
        for (unsigned i = 0; i < table_entries; ++i)
            if (memory_.read(below, i) != 0) return;
        memory_.write(s.table, s.index, 0);
    } else {
        if (!F::is_leaf(first, s.level - 1) || s.level == stage_levels) return;
        auto const v = F::value_of(first, s.level - 1);
        // An unaligned frame or a leaf that the processor lacks would be malformed.
        if (!alike(below, s.level - 1, v) || !write_leaf(s, v)) return;
    }
    memory_.give(below, s.level - 1);
}

/// Whether the leaves of a table differ from the first in nothing but the frame they are due.
template <entry_format F, table_memory M, leaf_guard G>
bool second_stage<F, M, G>::alike(hpa table, unsigned level, leaf_value first) const {
    for (unsigned i = 0; i < table_entries; ++i) {
        auto expected = first;
        expected.to = first.to + entry_bytes(level, i);
        if (memory_.read(table, i) != F::leaf(expected, level)) return false;
    }
    return true;
}

template <entry_format F, table_memory M, leaf_guard G>
template <unsigned Level, typename TypeOf>
void second_stage<F, M, G>::retype_below(hpa table, TypeOf const& type_of) {
    for (unsigned i = 0; i < table_entries; ++i) {
        slot const s{table, i, Level, memory_.read(table, i)};
        if (F::is_leaf(s.entry, Level)) {
            retype_leaf<Level>(s, type_of);
        } else if constexpr (Level > 1) {
            if (s.entry != 0) retype_below<Level - 1>(F::table_of(s.entry), type_of);
        }
    }
}

template <entry_format F, table_memory M, leaf_guard G>
template <unsigned Level, typename TypeOf>
void second_stage<F, M, G>::retype_leaf(slot const& s, TypeOf const& type_of) {
    auto v = F::value_of(s.entry, Level);
    auto const wanted = type_of(hpa_span{v.to, entry_bytes(Level)});
    if (wanted && *wanted == v.type) return;
    if constexpr (Level > 1) {
        if (!wanted) {
            if (auto const below = grow(s, gpa{})) {
                retype_below<Level - 1>(below.value().table, type_of);
                return;
            }
        }
    }
    v.type = wanted ? *wanted : memory_type::uc;
    // Same frames and rights as the guard allowed before; if not now, nobody may have them.
    if (!write_leaf(s, v)) memory_.write(s.table, s.index, 0);
}

}    // namespace hv
