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

/// What rules about bits hold: one of these, and a mask.
enum class bit_group : std::uint8_t { cr0, cr4, xcr0, tables, instructions, dr };

/// The rules in force, with an index per kind, so that a look-up does not depend on their number.
/// Of ranges, only where they crowd in one of 1,024 parts of what they span: on its logarithm
/// there.
class rule_set {
public:
    /// Take over `rules`; each was checked before. Those that wait for a marker are in force only
    /// where its bit in `reached` is set.
    /// Errors   invalid: an id twice, or an MSR or bit that an earlier rule watches with another
    ///          exception: which one counts could not be told. The 1-based number of the rule is in
    ///          `culprit`.
    [[nodiscard]] status load(span<hv_rule const> rules, std::uint32_t& culprit,
                              std::uint64_t reached = 0);
    /// Whether every rule of `other` that stays is in this set too; all: whether every one is. What
    /// the ratchet asks.
    [[nodiscard]] bool includes(rule_set const& other, bool all) const;
    [[nodiscard]] bool in_force(hv_rule const& r) const { return policy::in_force(r, reached_); }
    /// Whether a rule in force keeps the CPUs hoisted.
    [[nodiscard]] bool ratchets() const;
    /// The rule of this id; nullptr: none.
    [[nodiscard]] hv_rule const* find(std::uint32_t id) const;
    [[nodiscard]] verdict decide(event const& e) const;
    [[nodiscard]] memory_run memory_at(gpa at) const;
    /// Bits that some rule watches; of tables and instructions, 1 << enum hv_table and so on.
    [[nodiscard]] std::uint64_t bits(bit_group of) const { return bit_mask_[std::size_t(of)]; }
    [[nodiscard]] std::uint64_t cr_mask(unsigned number) const { return bit_mask_[number == 4]; }
    /// Of CR0 or CR4, those that may still change in one direction.
    [[nodiscard]] std::uint64_t moving(unsigned number) const { return moving_[number == 4]; }
    [[nodiscard]] bool watches_io() const { return ranges_[io].count != 0; }
    [[nodiscard]] bool watches_cpuid() const { return ranges_[cpuid].count != 0; }
    [[nodiscard]] bool watches_guests() const { return ranges_[guest].count != 0; }
    /// Call `visit` with each rule of kind IO, CPUID or VM, or of kind MSR that names CPUs, about
    /// something in first..last.
    template <typename Visit>
    void each_about(std::uint16_t kind, std::uint64_t first, std::uint64_t last,
                    Visit const& visit) const {
        each_at(ranges_[index_of(kind)], first, last,
                [&](std::uint16_t number) { visit(rules_[number - 1u]); });
    }
    /// Whether a rule for all CPUs does.
    [[nodiscard]] bool watches_msr(std::uint32_t slot, bool write) const {
        return msr_rule_[write][slot] != 0;
    }
    [[nodiscard]] bool watches_msrs() const { return any_msr_; }
    [[nodiscard]] std::size_t size() const { return count_; }
    [[nodiscard]] hv_rule const& operator[](std::size_t i) const { return rules_[i]; }

private:
    static constexpr std::uint16_t none = 0;
    // msr: those that name CPUs.
    static constexpr std::size_t memory = 0, io = 1, cpuid = 2, msr = 3, vm = 4, guest = 5;
    static constexpr std::size_t index_of(std::uint16_t kind) {
        if (kind == HV_RULE_MSR || kind == HV_RULE_VM) return kind == HV_RULE_VM ? vm : msr;
        return kind == HV_RULE_IO ? io : kind == HV_RULE_CPUID ? cpuid : memory;
    }
    // Rows of bit_rule_: CPUs that rules can name, then all others.
    static constexpr std::size_t rows = HV_RULE_CPUS + 1;
    static constexpr std::size_t groups = std::size_t(bit_group::dr) + 1, group_bits = 36;
    static constexpr std::size_t row_of(std::uint32_t cpu) {
        return cpu < HV_RULE_CPUS ? cpu : HV_RULE_CPUS;
    }
    /// Rules about ranges of one kind, by their first byte, port or sub-leaf.
    struct range_index {
        array<std::uint16_t, HV_MAX_RULES> rules{};    // numbers
        array<std::uint64_t, HV_MAX_RULES> reach{};    // the highest last of rules[0..i]
        std::uint32_t count{};
        // From the first byte of the first rule on, parts of equal size; part[n]: the first of
        // rules that begins in part n or behind.
        static constexpr std::uint32_t parts = 1024;
        std::uint64_t lowest{};
        unsigned shift{};
        array<std::uint16_t, parts + 1> part{};
    };
    [[nodiscard]] hv_rule const& rule(range_index const& x, std::uint32_t i) const {
        return rules_[x.rules[i] - 1u];
    }
    // False: an earlier rule has another exception.
    [[nodiscard]] bool index_rule(std::uint16_t number, hv_rule const& r);
    [[nodiscard]] bool index_msr(std::uint16_t number, hv_rule const& r);
    [[nodiscard]] bool index_bits(std::uint16_t number, hv_rule const& r, bit_group of);
    [[nodiscard]] bool take(std::uint16_t& place, std::uint16_t number);
    void index_range(std::uint16_t number, range_index& x);
    void index_parts(range_index& x);
    [[nodiscard]] verdict verdict_of(std::uint16_t number, event const& e, unsigned bit = 0) const;
    [[nodiscard]] verdict decide_bits(bit_group of, std::uint64_t touched, event const& e) const;
    /// first   a rule that is about it, too; 0: none
    [[nodiscard]] verdict decide_range(range_index const& x, event const& e, std::uint64_t last,
                                       std::uint16_t first = none) const;
    template <typename Visit>
    void each_at(range_index const& x, std::uint64_t first, std::uint64_t last,
                 Visit const& visit) const;

    array<hv_rule, HV_MAX_RULES> rules_{};
    std::uint32_t count_{};
    std::uint64_t reached_{};    // markers
    // Each index holds rule numbers + 1; 0 means that no rule watches the object.
    array<array<std::uint16_t, msr_slots>, 2> msr_rule_{};
    bool any_msr_{};
    array<array<array<std::uint16_t, group_bits>, groups>, rows> bit_rule_{};
    array<std::uint64_t, groups> bit_mask_{}, moving_{};
    array<range_index, 6> ranges_{};
};

/// Visit the rules of `x` that have something of first..last.
template <typename Visit>
void rule_set::each_at(range_index const& x, std::uint64_t first, std::uint64_t last,
                       Visit const& visit) const {
    if (last < x.lowest) return;
    auto part = (last - x.lowest) >> x.shift;
    if (part >= x.parts) part = x.parts - 1;
    // The first rule that starts beyond the range; of a part, by bisection: it may hold all 1,024.
    std::uint32_t low = x.part[part], high = x.part[part + 1];
    for (unsigned step = 0; step < 11 && low < high; ++step) {
        auto const middle = low + (high - low) / 2;
        if (rule(x, middle).first <= last)
            low = middle + 1;
        else
            high = middle;
    }
    for (auto i = low; i > 0 && x.reach[i - 1] >= first; --i)
        if (rule(x, i - 1).last >= first) visit(x.rules[i - 1]);
}

}    // namespace hv::policy
