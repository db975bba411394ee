// SPDX-License-Identifier: MIT
// The tables of rules but those about ranges (policy_range.cpp): what decides is the strictest rule
// that applies, however many there are.
#include "policy_model.hpp"

// instead _ZNK2hv5arrayI7hv_ruleLm1024EEixEm in cr_decided rule_found: a_rule
// instead _ZN2hv5arrayI7hv_ruleLm1024EEixEm in cr_indexed msr_indexed: a_rule
// instead _ZN2hv5arrayI7hv_ruleLm1024EEixEm in table_indexed: a_rule
// instead _ZN2hv5arrayItLm24576EEixEm in msr_indexed: a_slot
// instead _ZN2hv5arrayINS0_ItLm32EEELm5EEixEm in cr_indexed table_indexed: a_side
// instead _ZNK2hv5arrayINS0_ItLm32EEELm5EEixEm in cr_decided: a_side
// instead _ZN2hv5arrayItLm32EEixEm in cr_indexed table_indexed: a_bit
// instead _ZNK2hv5arrayItLm32EEixEm in cr_decided: a_bit
// instead _ZN2hv5arrayImLm5EEixEm in cr_indexed table_indexed: a_mask
// instead _ZNK2hv5arrayImLm5EEixEm in cr_decided: a_mask
// instead index_range in cr_indexed msr_indexed table_indexed: no_range
// loop decide_bits: judged(i, worst)
// loop index_bits: bits_done(i, fits)
// loop index_msr 2: slots_done(write, slot, fits)
// loop includes: i <= missing_rule()
// loop find: not_yet(i, id)
// instead find in ratchet: found_or_not
// instead _ZNK2hv5arrayI7hv_ruleLm1024EEixEm in ratchet: a_rule_of_two
// instead same in ratchet: same_or_not

extern "C" {
/// g.address: the bits that change and are watched.
bool judged(std::uint32_t i, number worst) {
    if (i > 32 || worst > g.count || cells.a != g.old) return false;
    if ((g.address & 0xffffffff) == 0 && worst != 0) return false;
    bool const mine = g.slot < i && (g.address >> g.slot & 1) != 0 && g.old != 0;
    return !mine || (worst != 0 && strength(worst) >= strength(g.old));
}
/// What the index has where a rule was added, and that it was told of another exception there.
bool taken(bool done, bool fits) {
    return cells.a == (done ? stricter_of(g.old, g.mine) : g.old) &&
           (!done || !fits || g.old == 0 || same_exception(g.old, g.mine));
}
bool bits_done(std::uint32_t i, bool fits) {
    bool const watched = g.write == group_of_rule() && (bits_of_rule() >> g.slot & 1) != 0;
    return i <= 32 && taken(watched && g.slot < i, fits);
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
std::uint32_t missing_rule() { return g.missing; }
}

namespace {

/// A register, one of its bits, and whose rule that has.
void any_bit() {
    g.count = prove_any_u32();
    prove_assume(g.count <= HV_MAX_RULES);
    g.write = prove_any_u32();
    g.slot = HV_INPUT("bit") & 31;
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
    g.mine = static_cast<number>(g.count);
    prove_assume(g.old < g.mine);
    g.rule.kind = HV_RULE_CR;
    g.rule.first = HV_INPUT("register") & 4;
    g.rule.mask = HV_INPUT("mask");
    bool const other = (g.write != 0) != (g.rule.first == 4);
    auto const mask = model::mask[g.write];
    bool const fits = any_rules.index_rule(g.mine, g.rule);
    bool const watched = !other && (g.rule.mask >> g.slot & 1) != 0;
    goes_to_the_strictest(watched, fits);
    prove_check(model::mask[g.write] == (other ? mask : mask | g.rule.mask),
                "bits that are watched and need not, or must and are not");
    watched ? prove_reach("a bit of this rule") : prove_reach("a bit of others");
}

extern "C" void cr_decided() {
    any_bit();
    g.what = HV_INPUT("rip");
    event const e{event_kind::cr,    HV_ACCESS_WRITE, g.write * 4,
                  HV_INPUT("value"), HV_INPUT("old"), g.what};
    auto const watched = (e.value ^ e.old_value) & model::mask[g.write];
    g.address = watched;
    auto const v = any_rules.decide(e);
    if ((watched >> g.slot & 1) != 0 && g.old != 0) {
        prove_reach("a bit that a rule watches");
        prove_check(v.rule != 0, "a rule that applies and does not decide");
        prove_check(static_cast<unsigned>(v.action) >= strength(g.old),
                    "a denial that did not win");
        if (passes(g.old) && v.action == action::allow) prove_reach("an exception");
    }
    if ((watched & 0xffffffff) == 0)
        prove_check(v.action == action::allow && v.rule == 0,
                    "a write that changes nothing is not taken");
    if (v.rule != 0)
        prove_check(strength(static_cast<number>(v.rule)) == static_cast<unsigned>(v.action),
                    "a rule says what it does not say");
}

/// An MSR goes to the strictest of its rules.
extern "C" void msr_indexed() {
    g.count = prove_any_u32();
    g.mine = static_cast<number>(g.count);
    prove_assume(g.count >= 1 && g.count <= HV_MAX_RULES);
    g.rule.kind = HV_RULE_MSR;
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

/// So does a descriptor table.
extern "C" void table_indexed() {
    g.count = prove_any_u32();
    g.mine = static_cast<number>(g.count);
    prove_assume(g.count >= 1 && g.count <= HV_MAX_RULES);
    g.rule.kind = HV_RULE_DTR;
    g.rule.first = HV_INPUT("first");
    g.rule.last = HV_INPUT("last");
    prove_assume(g.rule.first <= g.rule.last && g.rule.last <= HV_TABLE_IDT);
    auto const table = HV_INPUT("table") & 1;
    g.write = tables_group;
    g.slot = static_cast<std::uint32_t>(table);
    model::mask[tables_group] = HV_INPUT("watched_tables");
    g.old = prove_any_u16();
    prove_assume(g.old < g.mine);
    cells.a = g.old;
    bool const fits = any_rules.index_rule(g.mine, g.rule);
    bool const mine = table >= g.rule.first && table <= g.rule.last;
    goes_to_the_strictest(mine, fits);
    prove_check(!mine || (model::mask[tables_group] >> table & 1) != 0,
                "a table that nobody watches");
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
    prove_check(!any_rules.includes(any_in_force),
                "a rule in force is missing, and nobody sees it");
    prove_reach("a set that is asked");
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
