// SPDX-License-Identifier: MIT
#pragma once
#include "base/array.hpp"
#include "policy/rule.hpp"
#include <utility>

namespace hv::policy {

/// Accesses of a page that no rule takes away, and how far the same answer holds.
struct memory_run {
    std::uint32_t watched{};    // bits of enum hv_access that cause an exit
    std::uint64_t bytes{};      // from the address asked for to where the answer may change
};

/// The rules in force, with an index per kind, so that a look-up does not depend on their number.
/// Where rules of memory crowd in one of 1,024 parts of what they span, on its logarithm.
class rule_set {
public:
    /// Take over `rules`; each was checked before.
    /// Errors   invalid: an id twice, or an MSR or bit that an earlier rule watches with another
    ///          exception: which one counts could not be told. The 1-based number of the rule is in
    ///          `culprit`.
    [[nodiscard]] status load(span<hv_rule const> rules, std::uint32_t& culprit);
    /// Whether every rule of `other` is in this set too: what the ratchet asks.
    [[nodiscard]] bool includes(rule_set const& other) const;
    /// The rule of this id; nullptr: none.
    [[nodiscard]] hv_rule const* find(std::uint32_t id) const;
    [[nodiscard]] verdict decide(event const& e) const;
    [[nodiscard]] memory_run memory_at(gpa at) const;
    /// Bits of CR0 (number 0) or CR4 (number 4) that some rule watches.
    [[nodiscard]] std::uint64_t cr_mask(unsigned number) const { return cr_mask_[number == 4]; }
    [[nodiscard]] bool watches_msr(std::uint32_t slot, bool write) const {
        return msr_rule_[write][slot] != 0;
    }
    [[nodiscard]] bool watches_msrs() const { return any_msr_; }
    /// A bit for each of enum hv_table that some rule watches.
    [[nodiscard]] std::uint32_t tables() const { return tables_; }
    [[nodiscard]] std::size_t size() const { return count_; }
    [[nodiscard]] hv_rule const& operator[](std::size_t i) const { return rules_[i]; }

private:
    static constexpr std::uint16_t none = 0;
    // False: an earlier rule has another exception.
    [[nodiscard]] bool index_rule(std::uint16_t number, hv_rule const& r);
    [[nodiscard]] bool index_msr(std::uint16_t number, hv_rule const& r);
    [[nodiscard]] bool take(std::uint16_t& place, std::uint16_t number);
    void index_memory(std::uint16_t number, hv_rule const& r);
    void index_parts();
    [[nodiscard]] hv_rule const& memory_rule(std::uint32_t i) const {
        return rules_[memory_[i] - 1u];
    }
    /// The stricter of two rules on one object: deny wins, then log, then the first. 0 is no rule.
    [[nodiscard]] std::uint16_t stricter(std::uint16_t a, std::uint16_t b,
                                         std::uint64_t what) const;
    /// what   the value of an MSR, or the instruction: it may be the rule's exception
    [[nodiscard]] verdict verdict_of(std::uint16_t number, std::uint64_t what) const;
    [[nodiscard]] verdict decide_cr(event const& e) const;
    [[nodiscard]] verdict decide_memory(event const& e) const;

    array<hv_rule, HV_MAX_RULES> rules_{};
    std::uint32_t count_{};
    // Each index holds rule numbers + 1; 0 means that no rule watches the object.
    array<array<std::uint16_t, msr_slots>, 2> msr_rule_{};
    bool any_msr_{};
    array<array<std::uint16_t, 32>, 2> cr_rule_{};
    array<std::uint64_t, 2> cr_mask_{};
    array<std::uint16_t, 2> table_rule_{};
    std::uint32_t tables_{};
    array<std::uint16_t, HV_MAX_RULES> memory_{};    // rule numbers of kind memory, by first byte
    array<std::uint64_t, HV_MAX_RULES> reach_{};     // highest last byte of memory_[0..i]
    std::uint32_t memory_count_{};
    // From the first byte of the first rule on, parts of equal size; part_[n]: the first of memory_
    // that begins in part n or behind.
    static constexpr std::uint32_t memory_parts = 1024;
    std::uint64_t lowest_{};
    unsigned part_shift_{};
    array<std::uint16_t, memory_parts + 1> part_{};
};

}    // namespace hv::policy
