// SPDX-License-Identifier: MIT
#pragma once
#include "mem/core_guard.hpp"
#include "mem/entry_format.hpp"
#include <optional>

namespace hv {

struct translation {
    hpa to{};
    rights allowed{};
    memory_type type{};
    unsigned level{};
};

/// One VM's guest-physical to host-physical tables, four levels. Callers hold the VM's lock, and
/// owe a shoot-down (INVEPT on every CPU of the VM) before they let go of it: nothing here flushes.
/// A request is checked as a whole first: on every error, no translation has changed.
template <entry_format F, table_memory M, leaf_guard G> class second_stage {
public:
    constexpr second_stage(M& memory, G guard) : memory_{memory}, guard_{guard} {}

    /// Take a root table. Errors: invalid: limits. no_memory: pool empty.
    [[nodiscard]] status init(stage_limits const& limits) {
        if (!limits.sound()) return error{errc::invalid};
        root_ = HV_TRY(memory_.take(stage_levels));
        limits_ = limits;
        return done;
    }
    /// Give back every table, the root too; nothing may use them any more.
    void release() {
        if (root_ == hpa{}) return;
        release_below<stage_levels>(root_);
        root_ = {};
    }

    /// Map `at` to the frames from `to` on, in the largest leaves that fit, splitting larger ones
    /// on the way. A leaf never replaces a table: merge() does that.
    /// at, to   4 KiB aligned; at.bytes: a multiple of 4 KiB, not 0.
    /// Effect   entries only; the caller owes INVEPT before the lock is released.
    /// Errors   invalid: alignment, wrap, beyond the limits, rights that no entry can express.
    ///          perm: the guard refuses. no_memory: pool empty. Nothing changed.
    /// Source   SDM 3C 29.3.2 "EPT Translation Mechanism".
    [[nodiscard]] status map(gpa_span at, hpa to, rights r, memory_type type) {
        HV_TRY(check(at));
        if (!to.aligned(page_bytes) || !hpa_span{to, at.bytes}.within(limits_.top()) ||
            !includes(r, rights::read))
            return error{errc::invalid};
        return carry_out(at, [&](gpa a, std::uint64_t left) -> result<step> {
            auto const target = to + (a - at.first);
            auto const found = find(a, 1).level;
            auto const level = fit(a.raw | target.raw, left, found);
            return step{a, entry_bytes(level), action::write, level, found, {target, r, type, {}}};
        });
    }
    /// Map every 4 KiB of `at` to the one frame `page`: what hides frames behind the zero page.
    /// Effect, errors   as map().
    [[nodiscard]] status map_to_one(gpa_span at, hpa page, rights r, memory_type type) {
        HV_TRY(check(at));
        if (!page.aligned(page_bytes) || page.raw >= limits_.top() || !includes(r, rights::read))
            return error{errc::invalid};
        return carry_out(at, [&](gpa a, std::uint64_t) -> result<step> {
            return step{a, page_bytes, action::write, 1, find(a, 1).level, {page, r, type, {}}};
        });
    }
    /// Take away what `at` maps; what is not present there stays so.
    /// Effect, errors   as map(), but the guard is only asked for leaves that are split.
    [[nodiscard]] status unmap(gpa_span at) {
        HV_TRY(check(at));
        return carry_out(
            at, [&](gpa a, std::uint64_t left) -> result<step> { return unmap_step(a, left); });
    }
    /// Set the rights of all leaves in `at`, splitting those that reach beyond it. What has these
    /// rights already is left as it is: going back to how things were takes no table.
    /// Effect   as map().
    /// Errors   as map(). no_entry: some of `at` is not present. Nothing changed.
    [[nodiscard]] status protect(gpa_span at, rights r) {
        HV_TRY(check(at));
        if (!expressible(r)) return error{errc::invalid};
        return carry_out(at, [&](gpa a, std::uint64_t left) { return protect_step(a, left, r); });
    }
    /// Tables that protect() with the same arguments would take. Errors: as protect().
    [[nodiscard]] result<std::uint64_t> protect_cost(gpa_span at, rights r) const {
        HV_TRY(check(at));
        if (!expressible(r)) return error{errc::invalid};
        return plan(at, [&](gpa a, std::uint64_t left) { return protect_step(a, left, r); });
    }

    /// Replace each full table of alike, contiguous leaves that covers some of `at` by one leaf,
    /// and drop empty tables.
    /// Effect   translations stay; tables are given back, so the caller owes INVEPT nevertheless.
    void merge(gpa_span at) {
        if (at.bytes == 0 || !at.within(limits_.top())) return;
        merge_below<stage_levels>(root_, gpa{}, at);
    }
    /// Give every leaf the type that type_of(hpa_span) names. Where it names none for a large leaf,
    /// that is split; where the pool is empty, it becomes UC as a whole, which is always safe.
    /// Effect   as map().
    template <typename TypeOf> void retype(TypeOf const& type_of) {
        retype_below<stage_levels>(root_, type_of);
    }

    [[nodiscard]] std::optional<translation> translate(gpa a) const {
        if (a.raw >= limits_.top()) return std::nullopt;
        auto const s = find(a, 1);
        if (!F::is_leaf(s.entry, s.level)) return std::nullopt;
        auto const v = F::value_of(s.entry, s.level);
        return translation{v.to + (a - a.down(entry_bytes(s.level))), v.allowed, v.type, s.level};
    }
    /// Bytes of the aligned, empty block around `a` that one entry covers; 0 where `a` is present.
    [[nodiscard]] std::uint64_t hole_at(gpa a) const {
        auto const s = find(a, 1);
        return s.entry != 0 ? 0 : entry_bytes(s.level);
    }
    [[nodiscard]] std::uint64_t available() const { return memory_.available(); }
    [[nodiscard]] hpa root() const { return root_; }
    [[nodiscard]] stage_limits const& limits() const { return limits_; }

private:
    /// An entry and where it stands.
    struct slot {
        hpa table{};
        unsigned index{};
        unsigned level{};
        std::uint64_t entry{};
    };
    enum class action : std::uint8_t { skip, clear, write };
    /// One entry's worth of a request.
    struct step {
        gpa at{};
        std::uint64_t bytes{};
        action what{};
        unsigned level{};    // of the entry to write
        unsigned found{};    // level at which a walk ends now
        leaf_value leaf{};
    };
    class table_count;

    [[nodiscard]] status check(gpa_span at) const {
        if (!at.pages() || !at.within(limits_.top())) return error{errc::invalid};
        return done;
    }
    /// The entry at which a walk for `a` ends, or the one in the table of level `lowest`.
    [[nodiscard]] slot find(gpa a, unsigned lowest) const {
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
    [[nodiscard]] unsigned fit(std::uint64_t bits, std::uint64_t left, unsigned highest) const {
        for (unsigned level = stage_levels - 1; level > 1; --level) {
            auto const bytes = entry_bytes(level);
            if (level <= highest && limits_.leaf_at(level) && bits % bytes == 0 && left >= bytes)
                return level;
        }
        return 1;
    }
    /// Bytes from `a` to the end of what the entry covers, or of the request.
    [[nodiscard]] static std::uint64_t rest_of(slot const& s, gpa a, std::uint64_t left) {
        auto const rest = a.down(entry_bytes(s.level)) + entry_bytes(s.level) - a;
        return rest < left ? rest : left;
    }
    [[nodiscard]] result<step> protect_step(gpa a, std::uint64_t left, rights r) const {
        auto const s = find(a, 1);
        if (!F::is_leaf(s.entry, s.level)) return error{errc::no_entry};
        auto v = F::value_of(s.entry, s.level);
        if (v.allowed == r) return step{a, rest_of(s, a, left), action::skip, s.level, s.level, v};
        auto const level = fit(a.raw, left, s.level);
        v.to = v.to + (a - a.down(entry_bytes(s.level)));
        v.allowed = r;
        return step{a, entry_bytes(level), action::write, level, s.level, v};
    }
    [[nodiscard]] step unmap_step(gpa a, std::uint64_t left) const {
        auto const s = find(a, 1);
        if (F::is_leaf(s.entry, s.level)) {
            auto const level = fit(a.raw, left, s.level);
            return {a, entry_bytes(level), action::clear, level, s.level, {}};
        }
        return {a, rest_of(s, a, left), action::skip, s.level, s.level, {}};
    }
    [[nodiscard]] status permitted(step const& s) const {
        if (s.what != action::write) return done;
        auto const verdict = guard_(hpa_span{s.leaf.to, s.bytes}, s.leaf.allowed);
        if (!verdict) return verdict.error();
        return done;
    }
    /// Walks a request without changing anything: is every leaf allowed, how many tables are
    /// missing?
    template <typename Next>
    [[nodiscard]] result<std::uint64_t> plan(gpa_span at, Next const& next) const {
        table_count tables;
        for (std::uint64_t offset = 0; offset < at.bytes;) {
            auto const s = HV_TRY(next(at.first + offset, at.bytes - offset));
            HV_TRY(permitted(s));
            tables.add(s);
            offset += s.bytes;
        }
        return tables.total;
    }
    template <typename Next> [[nodiscard]] status carry_out(gpa_span at, Next const& next) {
        if (HV_TRY(plan(at, next)) > memory_.available()) return error{errc::no_memory};
        for (std::uint64_t offset = 0; offset < at.bytes;) {
            auto const s = HV_TRY(next(at.first + offset, at.bytes - offset));
            if (s.what != action::skip) HV_TRY(put(s));
            offset += s.bytes;
        }
        return done;
    }
    [[nodiscard]] status put(step const& s) {
        auto at = find(s.at, s.level);
        for (unsigned i = 1; i < stage_levels && at.level > s.level; ++i)
            at = HV_TRY(grow(at, s.at));
        if (s.what == action::write) return write_leaf(at, s.leaf);
        memory_.write(at.table, at.index, 0);
        return done;
    }
    /// Puts a table below an entry that is a leaf or not present, which translates as the entry
    /// did.
    [[nodiscard]] result<slot> grow(slot const& s, gpa a) {
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
    [[nodiscard]] status fill(hpa table, unsigned level, leaf_value whole) {
        for (unsigned i = 0; i < table_entries; ++i) {
            auto part = whole;
            part.to = whole.to + entry_bytes(level, i);
            HV_TRY(write_leaf({table, i, level, 0}, part));
        }
        return done;
    }
    /// The only function that writes a leaf, of whatever VM.
    [[nodiscard]] status write_leaf(slot const& s, leaf_value v) {
        v.pat = HV_TRY(guard_(hpa_span{v.to, entry_bytes(s.level)}, v.allowed));
        auto const entry = F::leaf(v, s.level);
        if (F::malformed(entry, s.level, limits_)) return error{errc::invalid};
        memory_.write(s.table, s.index, entry);
        return done;
    }
    [[nodiscard]] bool is_table(std::uint64_t entry, unsigned level) const {
        return level > 1 && entry != 0 && !F::is_leaf(entry, level);
    }

    template <unsigned Level> void release_below(hpa table);
    template <unsigned Level> void merge_below(hpa table, gpa base, gpa_span at);
    void collapse(slot const& s);
    [[nodiscard]] bool alike(hpa table, unsigned level, leaf_value first) const;
    template <unsigned Level, typename TypeOf>
    void retype_below(hpa table, TypeOf const& type_of);
    template <unsigned Level, typename TypeOf>
    void retype_leaf(slot const& s, TypeOf const& type_of);

    M& memory_;
    G guard_;
    hpa root_{};
    stage_limits limits_{};
};

}    // namespace hv

#include "mem/second_stage_whole.hpp"
