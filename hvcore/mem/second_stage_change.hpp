// SPDX-License-Identifier: MIT
#pragma once
// The requests of second_stage on a span: checked in one pass, carried out in another.
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
status second_stage<F, M, G>::init(stage_limits const& limits) {
    if (!limits.sound()) return error{errc::invalid};
    root_ = HV_TRY(memory_.take(stage_levels));
    limits_ = limits;
    return done;
}

template <entry_format F, table_memory M, leaf_guard G>
status second_stage<F, M, G>::map(gpa_span at, hpa to, rights r, memory_type type) {
    HV_TRY(check(at));
    if (!to.aligned(page_bytes) || !hpa_span{to, at.bytes}.within(limits_.top()) || !expressible(r))
        return error{errc::invalid};
    return carry_out(at, [&](gpa a, std::uint64_t left) -> result<step> {
        auto const target = to + (a - at.first);
        auto const found = find(a, 1).level;
        auto const level = fit(a.raw | target.raw, left, found);
        return step{a, entry_bytes(level), action::write, level, found, {target, r, type, {}}};
    });
}

template <entry_format F, table_memory M, leaf_guard G>
status second_stage<F, M, G>::map_to_one(gpa_span at, hpa page, rights r, memory_type type) {
    HV_TRY(check(at));
    if (!page.aligned(page_bytes) || page.raw >= limits_.top() || !expressible(r))
        return error{errc::invalid};
    return carry_out(at, [&](gpa a, std::uint64_t) -> result<step> {
        return step{a, page_bytes, action::write, 1, find(a, 1).level, {page, r, type, {}}};
    });
}

template <entry_format F, table_memory M, leaf_guard G>
status second_stage<F, M, G>::unmap(gpa_span at) {
    HV_TRY(check(at));
    return carry_out(
        at, [&](gpa a, std::uint64_t left) -> result<step> { return unmap_step(a, left); });
}

template <entry_format F, table_memory M, leaf_guard G>
status second_stage<F, M, G>::protect(gpa_span at, rights r) {
    HV_TRY(check(at));
    if (!expressible(r)) return error{errc::invalid};
    return carry_out(at, [&](gpa a, std::uint64_t left) { return protect_step(a, left, r); });
}

template <entry_format F, table_memory M, leaf_guard G>
result<std::uint64_t> second_stage<F, M, G>::protect_cost(gpa_span at, rights r) const {
    HV_TRY(check(at));
    if (!expressible(r)) return error{errc::invalid};
    return plan(at, [&](gpa a, std::uint64_t left) { return protect_step(a, left, r); });
}

template <entry_format F, table_memory M, leaf_guard G>
std::optional<translation> second_stage<F, M, G>::translate(gpa a) const {
    if (a.raw >= limits_.top()) return std::nullopt;
    auto const s = find(a, 1);
    if (!F::is_leaf(s.entry, s.level)) return std::nullopt;
    auto const v = F::value_of(s.entry, s.level);
    return translation{v.to + (a - a.down(entry_bytes(s.level))), v.allowed, v.type, s.level};
}

template <entry_format F, table_memory M, leaf_guard G>
std::uint64_t second_stage<F, M, G>::hole_at(gpa a) const {
    auto const s = find(a, 1);
    return F::present(s.entry) ? 0 : entry_bytes(s.level);
}

template <entry_format F, table_memory M, leaf_guard G>
status second_stage<F, M, G>::check(gpa_span at) const {
    if (!at.pages() || !at.within(limits_.top())) return error{errc::invalid};
    return done;
}

/// The entry at which a walk for `a` ends, or the one in the table of level `lowest`.
template <entry_format F, table_memory M, leaf_guard G>
auto second_stage<F, M, G>::find(gpa a, unsigned lowest) const -> slot {
    slot s{root_, entry_index(a, stage_levels), stage_levels, 0};
    s.entry = memory_.read(s.table, s.index);
    for (unsigned level = stage_levels; level > lowest && is_table(s.entry, level); --level) {
        s.table = F::table_of(s.entry);
        s.level = level - 1;
        s.index = entry_index(a, s.level);
        s.entry = memory_.read(s.table, s.index);
    }
    return s;
}

/// The largest level, up to `highest`, of a leaf whose addresses have these bits set.
template <entry_format F, table_memory M, leaf_guard G>
unsigned second_stage<F, M, G>::fit(std::uint64_t bits, std::uint64_t left,
                                    unsigned highest) const {
    for (unsigned level = stage_levels - 1; level > 1; --level) {
        auto const bytes = entry_bytes(level);
        if (level <= highest && limits_.leaf_at(level) && bits % bytes == 0 && left >= bytes)
            return level;
    }
    return 1;
}

/// Bytes from `a` to the end of what the entry covers, or of the request.
template <entry_format F, table_memory M, leaf_guard G>
std::uint64_t second_stage<F, M, G>::rest_of(slot const& s, gpa a, std::uint64_t left) {
    auto const rest = a.down(entry_bytes(s.level)) + entry_bytes(s.level) - a;
    return rest < left ? rest : left;
}

template <entry_format F, table_memory M, leaf_guard G>
auto second_stage<F, M, G>::protect_step(gpa a, std::uint64_t left, rights r) const
    -> result<step> {
    auto const s = find(a, 1);
    if (!F::is_leaf(s.entry, s.level)) return error{errc::no_entry};
    auto v = F::value_of(s.entry, s.level);
    if (v.allowed == r) return step{a, rest_of(s, a, left), action::skip, s.level, s.level, v};
    auto const level = fit(a.raw, left, s.level);
    v.to = v.to + (a - a.down(entry_bytes(s.level)));
    v.allowed = r;
    return step{a, entry_bytes(level), action::write, level, s.level, v};
}

template <entry_format F, table_memory M, leaf_guard G>
auto second_stage<F, M, G>::unmap_step(gpa a, std::uint64_t left) const -> step {
    auto const s = find(a, 1);
    if (F::is_leaf(s.entry, s.level)) {
        auto const level = fit(a.raw, left, s.level);
        return {a, entry_bytes(level), action::clear, level, s.level, {}};
    }
    return {a, rest_of(s, a, left), action::skip, s.level, s.level, {}};
}

template <entry_format F, table_memory M, leaf_guard G>
status second_stage<F, M, G>::permitted(step const& s) const {
    if (s.what != action::write) return done;
    auto const verdict = guard_(hpa_span{s.leaf.to, s.bytes}, s.leaf.allowed);
    if (!verdict) return verdict.error();
    return done;
}

/// Walks a request without changing anything: is every leaf allowed, how many tables are missing?
template <entry_format F, table_memory M, leaf_guard G>
template <typename Next>
result<std::uint64_t> second_stage<F, M, G>::plan(gpa_span at, Next const& next) const {
    table_count tables;
    for (std::uint64_t offset = 0; offset < at.bytes;) {
        auto const s = HV_TRY(next(at.first + offset, at.bytes - offset));
        HV_TRY(permitted(s));
        tables.add(s);
        offset += s.bytes;
    }
    return tables.total;
}

template <entry_format F, table_memory M, leaf_guard G>
template <typename Next>
status second_stage<F, M, G>::carry_out(gpa_span at, Next const& next) {
    if (HV_TRY(plan(at, next)) > memory_.available()) return error{errc::no_memory};
    for (std::uint64_t offset = 0; offset < at.bytes;) {
        auto const s = HV_TRY(next(at.first + offset, at.bytes - offset));
        if (s.what != action::skip) HV_TRY(put(s));
        offset += s.bytes;
    }
    return done;
}

template <entry_format F, table_memory M, leaf_guard G>
status second_stage<F, M, G>::put(step const& s) {
    auto at = find(s.at, s.level);
    for (unsigned i = 1; i < stage_levels && at.level > s.level; ++i) at = HV_TRY(grow(at, s.at));
    if (s.what == action::write) return write_leaf(at, s.leaf);
    memory_.write(at.table, at.index, 0);
    return done;
}

/// Puts a table below an entry that is a leaf or not present, which translates as the entry did.
template <entry_format F, table_memory M, leaf_guard G>
auto second_stage<F, M, G>::grow(slot const& s, gpa a) -> result<slot> {
    auto const level = s.level - 1;
    auto const table = HV_TRY(memory_.take(level));
    if (F::is_leaf(s.entry, s.level)) {
        auto const filled = fill(table, level, F::value_of(s.entry, s.level));
        if (!filled) {
            memory_.give(table, level);
            return filled.error();
        }
    }
    memory_.write(s.table, s.index, F::table(table));
    auto const index = entry_index(a, level);
    return slot{table, index, level, memory_.read(table, index)};
}

template <entry_format F, table_memory M, leaf_guard G>
status second_stage<F, M, G>::fill(hpa table, unsigned level, leaf_value whole) {
    for (unsigned i = 0; i < table_entries; ++i) {
        auto part = whole;
        part.to = whole.to + entry_bytes(level, i);
        HV_TRY(write_leaf({table, i, level, 0}, part));
    }
    return done;
}

/// The only function that writes a leaf, of whatever VM.
template <entry_format F, table_memory M, leaf_guard G>
status second_stage<F, M, G>::write_leaf(slot const& s, leaf_value v) {
    v.pat = HV_TRY(guard_(hpa_span{v.to, entry_bytes(s.level)}, v.allowed));
    auto const entry = F::leaf(v, s.level);
    if (F::malformed(entry, s.level, limits_)) return error{errc::invalid};
    memory_.write(s.table, s.index, entry);
    return done;
}

}    // namespace hv
