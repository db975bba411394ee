// SPDX-License-Identifier: MIT
#pragma once
#include "mem/core_guard.hpp"
#include "mem/entry_format.hpp"
#include "mem/table_memory.hpp"
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
    [[nodiscard]] status init(stage_limits const& limits);
    /// Give back every table, the root too; nothing may use them any more.
    void release();

    /// Map `at` to the frames from `to` on, in the largest leaves that fit, splitting larger ones
    /// on the way. A leaf never replaces a table: merge() does that.
    /// at, to   4 KiB aligned; at.bytes: a multiple of 4 KiB, not 0.
    /// Effect   entries only; the caller owes INVEPT before the lock is released.
    /// Errors   invalid: alignment, wrap, beyond the limits, rights that no entry can express.
    ///          perm: the guard refuses. no_memory: pool empty. Nothing changed.
    /// Source   SDM 3C 29.3.2 "EPT Translation Mechanism".
    [[nodiscard]] status map(gpa_span at, hpa to, rights r, memory_type type);
    /// Map every 4 KiB of `at` to the one frame `page`: what hides frames behind the zero page.
    /// Effect, errors   as map().
    [[nodiscard]] status map_to_one(gpa_span at, hpa page, rights r, memory_type type);
    /// Take away what `at` maps; what is not present there stays so.
    /// Effect, errors   as map(), but the guard is only asked for leaves that are split.
    [[nodiscard]] status unmap(gpa_span at);
    /// Set the rights of all leaves in `at`, splitting those that reach beyond it. What has these
    /// rights already is left as it is: going back to how things were takes no table.
    /// Effect   as map().
    /// Errors   as map(). no_entry: some of `at` is not present. Nothing changed.
    [[nodiscard]] status protect(gpa_span at, rights r);
    /// Tables that protect() with the same arguments would take. Errors: as protect().
    [[nodiscard]] result<std::uint64_t> protect_cost(gpa_span at, rights r) const;

    /// Replace each full table of alike, contiguous leaves that covers some of `at` by one leaf,
    /// and drop empty tables.
    /// Effect   translations stay; tables are given back, so the caller owes INVEPT nevertheless.
    void merge(gpa_span at);
    /// Give every leaf the type that type_of(hpa_span) names. Where it names none for a large leaf,
    /// that is split; where the pool is empty, it becomes UC as a whole, which is always safe.
    /// Effect   as map().
    template <typename TypeOf> void retype(TypeOf const& type_of);

    [[nodiscard]] std::optional<translation> translate(gpa a) const;
    /// Bytes of the aligned, empty block around `a` that one entry covers; 0 where `a` is present.
    [[nodiscard]] std::uint64_t hole_at(gpa a) const;
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

    [[nodiscard]] status check(gpa_span at) const;
    [[nodiscard]] slot find(gpa a, unsigned lowest) const;
    [[nodiscard]] unsigned fit(std::uint64_t bits, std::uint64_t left, unsigned highest) const;
    [[nodiscard]] static std::uint64_t rest_of(slot const& s, gpa a, std::uint64_t left);
    [[nodiscard]] result<step> protect_step(gpa a, std::uint64_t left, rights r) const;
    [[nodiscard]] step unmap_step(gpa a, std::uint64_t left) const;
    [[nodiscard]] status permitted(step const& s) const;
    template <typename Next>
    [[nodiscard]] result<std::uint64_t> plan(gpa_span at, Next const& next) const;
    template <typename Next> [[nodiscard]] status carry_out(gpa_span at, Next const& next);
    [[nodiscard]] status put(step const& s);
    [[nodiscard]] result<slot> grow(slot const& s, gpa a);
    [[nodiscard]] status fill(hpa table, unsigned level, leaf_value whole);
    [[nodiscard]] status write_leaf(slot const& s, leaf_value v);
    [[nodiscard]] bool is_table(std::uint64_t entry, unsigned level) const {
        return level > 1 && F::present(entry) && !F::is_leaf(entry, level);
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

#include "mem/second_stage_change.hpp"
#include "mem/second_stage_whole.hpp"
