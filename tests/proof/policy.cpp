// SPDX-License-Identifier: MIT
// The tables of rules but those about ranges (policy_range.cpp): what decides is the strictest rule
// that applies, however many there are.
#include "policy_model.hpp"

// instead _ZNK2hv5arrayI7hv_ruleLm1024EEixEm in cr_decided rule_found: a_rule
// instead _ZN2hv5arrayI7hv_ruleLm1024EEixEm in cr_indexed msr_indexed: a_rule
// instead _ZN2hv5arrayI7hv_ruleLm1024EEixEm in table_indexed: a_rule
// instead _ZN2hv5arrayItLm24576EEixEm in msr_indexed: a_slot
// instead _ZN2hv5arrayINS0_INS0_ItLm36EEELm6EEELm65EEixEm in cr_indexed table_indexed: a_row
// instead _ZNK2hv5arrayINS0_INS0_ItLm36EEELm6EEELm65EEixEm in cr_decided: a_row
// instead _ZN2hv5arrayINS0_ItLm36EEELm6EEixEm in cr_indexed table_indexed: a_side
// instead _ZNK2hv5arrayINS0_ItLm36EEELm6EEixEm in cr_decided: a_side
// instead _ZN2hv5arrayItLm36EEixEm in cr_indexed table_indexed: a_bit
// instead _ZNK2hv5arrayItLm36EEixEm in cr_decided: a_bit
// instead _ZN2hv5arrayImLm6EEixEm in cr_indexed table_indexed: a_mask
// instead _ZNK2hv5arrayImLm6EEixEm in cr_decided: a_mask
// instead index_range in cr_indexed msr_indexed table_indexed: no_range
// loop decide_bits: judged(i, retval.sroa.0, retval.sroa.522, retval.sroa.6, kept)
// loop index_bits 1: bits_done(i, fits)
// loop index_bits 2: rows_done(i, row, fits)
// loop index_msr 2: slots_done(write, slot, fits)
// loop includes: i <= missing_rule()
// turns 9 in same_rule
// loop find: not_yet(i, id)
// instead find in ratchet: found_or_not
// instead _ZNK2hv5arrayI7hv_ruleLm1024EEixEm in ratchet: a_rule_of_two
// instead same in ratchet: same_or_not

constexpr unsigned keep = 2;    // of strength()
constexpr unsigned group_bits = 36;
constexpr std::uint64_t all_bits = (1ull << group_bits) - 1;

extern "C" {
/// g.address: the bits that change and are watched; none: what the verdict so far keeps.
bool judged(std::uint32_t i, unsigned char action, std::uint32_t worst, std::uint64_t none,
            std::uint64_t kept) {
    if (none != 0 || i > group_bits || worst > g.count || cells.a != g.old) return false;
    if ((g.address & all_bits) == 0 && worst != 0) return false;
    if (action != 0 && (worst == 0 || action != says(static_cast<number>(worst)))) return false;
    bool const mine = g.slot < i && (g.address >> g.slot & 1) != 0 && g.old != 0;
    bool const keeps = mine && strength_at_bit(g.old) == keep;
    if ((kept & ~g.address) != 0 || (kept >> g.slot & 1) != std::uint64_t{keeps}) return false;
    return !mine || (worst != 0 && action >= strength_at_bit(g.old));
}
/// Whether the bit that is followed is one of the new rule's.
bool watched() {
    return g.write == group_of_rule() && (bits_of_rule() >> g.slot & 1) != 0 &&
           policy::on_cpu(g.rule, g.row);
}
/// What the index has where a rule was added, and that it was told of another exception there.
bool taken(bool done, bool fits) {
    return cells.a == (done ? stricter_of(g.old, g.mine) : g.old) &&
           (!done || !fits || g.old == 0 || same_exception(g.old, g.mine));
}
bool bits_done(std::uint32_t i, bool fits) {
    return i <= group_bits && taken(watched() && g.slot < i, fits);
}
bool rows_done(std::uint32_t i, std::uint32_t row, bool fits) {
    bool const here = g.slot == i && g.row < row;
    return i < group_bits && row <= 65 && taken(watched() && (g.slot < i || here), fits);
}
bool not_yet(std::uint32_t i, std::uint32_t id) {
    return i <= g.count && (i <= g.place || id != g.place + 1);
}
bool slots_done(std::uint32_t write, std::uint32_t slot, bool fits) {
    auto const first = hv::policy::msr_slot(static_cast<std::uint32_t>(g.rule.first));
    auto const last = hv::policy::msr_slot(static_cast<std::uint32_t>(g.rule.last));
    bool const side = write > g.write ? applies_to(g.write) : write == g.write;
    auto const done = write > g.write ? last + 1 : slot;
    bool const changed = side && g.slot >= first && g.slot < done;
    return slot >= first && slot <= last + 1 && taken(changed, fits);
}
/// As far as the rules are looked at, where one that may not go is missing; else all of them.
std::uint32_t missing_rule() { return g.counts ? g.missing : any_in_force.count_; }
}

namespace {

/// A register, one of its bits, and whose rule that has.
void any_bit() {
    g.count = prove_any_u32();
    prove_assume(g.count <= HV_MAX_RULES);
    g.write = prove_any_u32();
    g.slot = static_cast<std::uint32_t>(HV_INPUT("bit") % group_bits);
    g.row = prove_any_u32();
    prove_assume(g.row <= HV_RULE_CPUS);
    g.old = prove_any_u16();
    prove_assume(g.write <= 1 && g.old <= g.count);
    cells.a = g.old;
    model::mask[0] = HV_INPUT("watched_of_cr0");
    model::mask[1] = HV_INPUT("watched_of_cr4");
}

/// All rules on one object have the same exception, or the set is refused.
void goes_to_the_strictest(bool watched, bool fits) {
    prove_check(cells.a == (watched ? stricter_of(g.old, g.mine) : g.old),
                "an object that goes to the wrong rule");
    if (!watched || g.old == 0) return;
    prove_check(!fits || same_exception(g.old, g.mine), "two exceptions for one object");
    fits ? prove_reach("a second rule") : prove_reach("a second rule that is refused");
}

}    // namespace

/// A bit of a control register goes to the strictest of its rules.
extern "C" void cr_indexed() {
    any_bit();
    g.bits = true;
    g.mine = static_cast<number>(g.count);
    prove_assume(g.old < g.mine);
    g.rule.kind = HV_RULE_CR;
    g.rule.first = HV_INPUT("register") & 4;
    g.rule.mask = HV_INPUT("mask");
    g.rule.cpus = HV_INPUT("cpus");
    bool const other = (g.write != 0) != (g.rule.first == 4);
    auto const mask = model::mask[g.write];
    bool const fits = any_rules.index_rule(g.mine, g.rule);
    bool const mine = !other && (g.rule.mask >> g.slot & 1) != 0 && policy::on_cpu(g.rule, g.row);
    goes_to_the_strictest(mine, fits);
    prove_check(model::mask[g.write] == (other ? mask : mask | g.rule.mask),
                "bits that are watched and need not, or must and are not");
    mine ? prove_reach("a bit of this rule") : prove_reach("a bit of others");
}

extern "C" void cr_decided() {
    any_bit();
    g.bits = true;
    g.what = HV_INPUT("rip");
    event const e{event_kind::cr,  HV_ACCESS_WRITE, g.write * 4,    HV_INPUT("value"),
                  HV_INPUT("old"), g.what,          prove_any_u32()};
    g.row = e.cpu < HV_RULE_CPUS ? e.cpu : HV_RULE_CPUS;
    auto const watched = (e.value ^ e.old_value) & model::mask[g.write];
    g.address = watched;
    g.value = e.value;
    auto const v = any_rules.decide(e);
    if ((watched >> g.slot & 1) != 0 && g.old != 0) {
        prove_reach("a bit that a rule watches");
        prove_check(v.rule != 0, "a rule that applies and does not decide");
        prove_check(static_cast<unsigned>(v.action) >= strength_at_bit(g.old),
                    "a denial that did not win");
        if (goes_its_way(g.old)) prove_reach("a bit that goes its way");
        if (passes(g.old) && v.action == action::allow) prove_reach("an exception");
        if (v.action == action::keep) {
            prove_reach("a write of which bits are kept");
            prove_check((v.kept >> g.slot & 1) == std::uint64_t{strength_at_bit(g.old) == keep},
                        "a bit that is kept against the rules, or not kept");
        }
    }
    prove_check((v.kept & ~watched) == 0, "bits are kept that nobody watches");
    prove_check(v.action == action::keep || v.kept == 0, "bits are kept, and nobody says so");
    if ((watched & all_bits) == 0)
        prove_check(v.action == action::allow && v.rule == 0,
                    "a write that changes nothing is not taken");
    if (v.action != action::allow)
        prove_check(v.rule != 0 &&
                        says(static_cast<number>(v.rule)) == static_cast<unsigned>(v.action),
                    "a rule says what it does not say");
}

/// An MSR goes to the strictest of its rules.
extern "C" void msr_indexed() {
    g.count = prove_any_u32();
    g.mine = static_cast<number>(g.count);
    prove_assume(g.count >= 1 && g.count <= HV_MAX_RULES);
    g.rule.kind = HV_RULE_MSR;
    g.rule.cpus = 0;    // others are in an index of ranges
    g.rule.access = static_cast<std::uint32_t>(HV_INPUT("access"));
    g.rule.first = HV_INPUT("first");
    g.rule.last = HV_INPUT("last");
    prove_assume(policy::msr_has_slot(g.rule.first) && g.rule.first <= g.rule.last &&
                 policy::msr_range_of(g.rule.first) == policy::msr_range_of(g.rule.last));
    auto const index = HV_INPUT("index");
    prove_assume(policy::msr_has_slot(index));
    g.slot = policy::msr_slot(static_cast<std::uint32_t>(index));
    g.write = prove_any_u32();
    g.old = prove_any_u16();
    prove_assume(g.write <= 1 && g.old < g.mine);
    cells.a = g.old;
    bool const fits = any_rules.index_rule(g.mine, g.rule);
    bool const mine = index >= g.rule.first && index <= g.rule.last && applies_to(g.write);
    goes_to_the_strictest(mine, fits);
    prove_check(any_rules.watches_msrs(), "a rule that no bitmap will ask for");
    mine ? prove_reach("an MSR of this rule") : prove_reach("an MSR of others");
}

/// So do a descriptor table and a debug register.
extern "C" void table_indexed() {
    g.count = prove_any_u32();
    g.mine = static_cast<number>(g.count);
    prove_assume(g.count >= 1 && g.count <= HV_MAX_RULES);
    bool const debug = prove_any_bool();
    g.rule.kind = debug ? HV_RULE_DR : HV_RULE_DTR;
    g.rule.cpus = HV_INPUT("cpus");
    g.row = prove_any_u32();
    prove_assume(g.row <= HV_RULE_CPUS);
    g.rule.mask = HV_INPUT("mask");
    auto const table = HV_INPUT("table") % group_bits;
    g.write = debug ? debug_group : tables_group;
    g.slot = static_cast<std::uint32_t>(table);
    model::mask[g.write] = HV_INPUT("watched_tables");
    g.old = prove_any_u16();
    prove_assume(g.old < g.mine);
    cells.a = g.old;
    bool const fits = any_rules.index_rule(g.mine, g.rule);
    bool const about = (g.rule.mask >> table & 1) != 0;
    bool const mine = about && policy::on_cpu(g.rule, g.row);
    goes_to_the_strictest(mine, fits);
    prove_check(!about || (model::mask[g.write] >> table & 1) != 0, "a table that nobody watches");
    mine ? prove_reach("a table of this rule") : prove_reach("a table of others");
}

/// The rule of an id, if there is one.
extern "C" void rule_found() {
    g.count = prove_any_u32();
    prove_assume(g.count <= HV_MAX_RULES);
    any_rules.count_ = g.count;
    g.place = prove_any_u32();
    auto const id = static_cast<std::uint32_t>(HV_INPUT("id"));
    auto const* const found = any_rules.find(id);
    if (found == nullptr) {
        prove_reach("no such rule");
        prove_check(g.place >= g.count || id != g.place + 1, "a rule that is not found");
        return;
    }
    prove_reach("a rule");
    prove_check(found->id == id && id != 0 && id <= g.count, "another rule");
}

/// What the ratchet asks: a set that lacks a rule of the one in force does not include it.
extern "C" void ratchet() {
    any_rules.count_ = prove_any_u32();
    any_in_force.count_ = prove_any_u32();
    prove_assume(any_rules.count_ <= HV_MAX_RULES && any_in_force.count_ <= HV_MAX_RULES);
    g.missing = prove_any_u32();
    prove_assume(g.missing < any_in_force.count_);
    bool const all = prove_any_bool();
    g.stays = prove_any_bool();
    any_in_force.reached_ = HV_INPUT("reached");
    g.marker = prove_any_u32() % HV_MARKERS;
    bool const waits = g.marker != 0 && (any_in_force.reached_ >> g.marker & 1) == 0;
    bool const counts = all || (g.stays && !waits);
    g.counts = counts;
    bool const included = any_rules.includes(any_in_force, all);
    prove_check(!counts || !included, "a rule in force is missing, and nobody sees it");
    counts ? prove_reach("a rule that may not go") : prove_reach("one that may");
    if (included) prove_reach("a set that lacks a rule that may go");
}

/// And rules that are the same are so in every field.
extern "C" void same_rule() {
    hv_rule a, b;
    prove_any_object(&a);
    prove_any_object(&b);
    bool const told = policy::same(a, b);
    bool equal = true;
    for (unsigned i = 0; i < sizeof(hv_rule) / 8; ++i)
        equal = equal && reinterpret_cast<std::uint64_t const*>(&a)[i] ==
                             reinterpret_cast<std::uint64_t const*>(&b)[i];
    prove_check(told == equal, "rules that differ are taken for the same");
    told ? prove_reach("the same rule") : prove_reach("another rule");
}

#include "policy/rule_set.cpp"
