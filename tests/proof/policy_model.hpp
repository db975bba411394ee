// SPDX-License-Identifier: MIT
#pragma once
// Any number of rules: what one is, and where the index has it, is a function that nothing is known
// of but what its readers may rely on. A harness picks one place, any, and follows it.
#include "policy/rule_set.hpp"
#include "prove.hpp"

using namespace hv;
using number = std::uint16_t;    // of a rule, from 1
extern "C" {
std::uint64_t __CPROVER_uninterpreted_first(number n);
std::uint64_t __CPROVER_uninterpreted_last(number n);
std::uint32_t __CPROVER_uninterpreted_access(number n);
std::uint64_t __CPROVER_uninterpreted_cpus(number n);
std::uint8_t __CPROVER_uninterpreted_action(number n);
std::uint8_t __CPROVER_uninterpreted_pass(number n);           // its exception, and the flags of it
std::uint8_t __CPROVER_uninterpreted_way(number n);            // in which its bits may change
number __CPROVER_uninterpreted_sorted(std::uint32_t place);    // rules about ranges
std::uint64_t __CPROVER_uninterpreted_reach(std::uint32_t place);
}

/// What a request is about, and the place that is followed.
struct ghost {
    std::uint32_t count, memory;    // rules, and those of memory, or of ports
    std::uint32_t place;            // followed
    std::uint32_t bound;            // rules before it, and no others, begin at or below `last`
    bool searching;                 // for that
    std::uint64_t last;
    std::uint64_t part_before, part_behind;    // that the rules before and behind `bound` begin in
    std::uint64_t address, what;               // what may be a rule's exception
    std::uint32_t access, cpu;
    bool bits;           // the rules are about bits
    bool none;           // no rule watches this access of the address
    number mine, old;    // the new rule, and whose the place was
    hv_rule rule;
    std::uint32_t write, slot, row;    // row: of CPUs
    std::uint32_t missing;
    bool stays;              // the missing rule
    std::uint32_t marker;    // that it waits for
    std::uint64_t value;     // of a register
    bool counts;             // whether it must not be missing
};
struct cell_values {
    number a, b, other;
};
inline constinit ghost g{};
inline constinit cell_values cells{};
// Of any content, where it is not answered below.
extern policy::rule_set any_rules, any_in_force;

inline std::uint64_t first_of(number n) { return __CPROVER_uninterpreted_first(n); }
inline std::uint64_t last_of(number n) { return __CPROVER_uninterpreted_last(n); }
inline std::uint32_t access_of(number n) { return __CPROVER_uninterpreted_access(n); }
/// 1: it logs, 2: it keeps, 3: it denies.
inline unsigned says(number n) {
    auto const which = __CPROVER_uninterpreted_action(n) & 3u;
    return which == 0 ? 1 : which;
}
/// Exceptions are 15 values, small or large, or none.
inline std::uint8_t pass_of(number n) { return __CPROVER_uninterpreted_pass(n); }
inline bool passes(number n) { return (pass_of(n) & 1) != 0 && (g.what >> 1) == (pass_of(n) >> 1); }
/// What it says of this one, or nothing.
inline unsigned strength(number n) { return passes(n) ? 0 : says(n); }
/// 0: in neither direction; of rules about bits.
inline std::uint32_t way_of(number n) {
    auto const way = __CPROVER_uninterpreted_way(n) & 3u;
    return way == 1 ? HV_RULE_GROWS : way == 2 ? HV_RULE_SHRINKS : 0;
}
/// The bit that is followed, in g.value.
inline bool goes_its_way(number n) {
    bool const set = (g.value >> g.slot & 1) != 0;
    return way_of(n) == (set ? HV_RULE_GROWS : HV_RULE_SHRINKS);
}
inline unsigned strength_at_bit(number n) { return goes_its_way(n) ? 0 : strength(n); }
inline bool same_exception(number a, number b) {
    return pass_of(a) == pass_of(b) && (!g.bits || way_of(a) == way_of(b));
}
inline number old_at(std::uint32_t place) { return __CPROVER_uninterpreted_sorted(place); }
inline number at_place() { return old_at(g.place); }
inline bool sound_number(number n) {
    return n >= 1 && n <= g.count && first_of(n) <= last_of(n) && last_of(n) < 1ull << 52;
}
inline bool covers(number n, std::uint64_t a) { return first_of(n) <= a && a <= last_of(n); }
inline bool applies(number n) { return covers(n, g.address) && (access_of(n) & g.access) != 0; }
inline std::uint64_t cpus_of(number n) { return __CPROVER_uninterpreted_cpus(n); }
inline bool is_here(number n) {
    return cpus_of(n) == 0 || (g.cpu < HV_RULE_CPUS && (cpus_of(n) >> g.cpu & 1) != 0);
}
/// All of an access counts.
inline bool concerns(number n) {
    return first_of(n) <= g.last && g.address <= last_of(n) && (access_of(n) & g.access) != 0 &&
           is_here(n);
}
inline bool applies_to(std::uint32_t write) {
    return (g.rule.access & (write != 0 ? HV_ACCESS_WRITE : HV_ACCESS_READ)) != 0;
}
/// Deny wins, then keep, then the first.
inline number stricter_of(number a, number b) {
    if (a == 0 || b == 0) return a == 0 ? b : a;
    return says(b) > says(a) ? b : a;
}

/// The group of bits that the new rule is about, and those of them.
constexpr std::uint32_t tables_group = 3, debug_group = 5;
inline std::uint32_t group_of_rule() {
    if (g.rule.kind == HV_RULE_DR) return debug_group;
    return g.rule.kind == HV_RULE_DTR ? tables_group : g.rule.first == 4 ? 1 : 0;
}
inline std::uint64_t bits_of_rule() { return g.rule.mask; }

// In the place of array::operator[].
namespace model {
inline constinit hv_rule rule{}, mine{}, theirs{};
inline constinit std::uint64_t reach{};
inline constinit number part{};
// bit_rule_: the group that is followed, then all others; bit_mask_.
// The same of its rows, one by CPU.
inline constinit array<array<number, 36>, 6> row[2]{};
inline constinit array<number, 36> side[2]{};
inline constinit std::uint64_t mask[6]{}, moving{};
}    // namespace model
extern "C" {
hv_rule* a_rule(void* /*self*/, std::size_t i) {
    prove_check(i < g.count || i + 1 == g.mine, "a rule that is not there");
    auto const n = static_cast<number>(i + 1);
    // Two rules at a time, where one is the new one.
    auto& rule = n == g.mine ? model::mine : model::rule;
    rule.id = n;
    rule.kind = HV_RULE_MEMORY;
    rule.action = static_cast<std::uint16_t>(says(n));
    rule.access = access_of(n);
    rule.flags = (pass_of(n) & 1) | (g.bits ? way_of(n) : 0);
    rule.first = first_of(n);
    rule.last = last_of(n);
    rule.cpus = cpus_of(n);
    rule.pass_first = pass_of(n) & ~1u;
    rule.pass_last = rule.pass_first + 1;
    return &rule;
}
number* a_place(void* /*self*/, std::size_t i) {
    prove_check(i < g.memory, "a place that is not filled");
    auto const at = static_cast<std::uint32_t>(i);
    auto const n = old_at(at);
    prove_assume(sound_number(n));
    prove_assume(g.place >= g.memory || at > g.place || first_of(n) <= first_of(at_place()));
    prove_assume(g.place >= g.memory || at < g.place || first_of(n) >= first_of(at_place()));
    if (g.none) prove_assume(!applies(n));
    if (g.searching) prove_assume((first_of(n) <= g.last) == (at < g.bound));
    cells.a = n;
    return &cells.a;
}
/// No rule at or before the place ends later.
std::uint64_t* a_reach(void* /*self*/, std::size_t i) {
    prove_check(i < g.memory, "a place that is not filled");
    auto const at = static_cast<std::uint32_t>(i);
    model::reach = __CPROVER_uninterpreted_reach(at);
    prove_assume(at < g.place || g.place >= g.memory || last_of(at_place()) <= model::reach);
    return &model::reach;
}
/// The first rule that does not begin in an earlier part.
number* a_part(void* /*self*/, std::size_t part) {
    prove_check(part <= 1024, "a part that is none");
    model::part = prove_any_u16();
    auto const k = model::part;
    prove_assume(k <= g.memory && (part < 1024 || k == g.memory));
    prove_assume(g.bound == 0 || (g.bound - 1 < k) == (g.part_before < part));
    prove_assume(g.bound == g.memory || (g.bound < k) == (g.part_behind < part));
    return &model::part;
}
/// Memory rules while they change, at the place that is followed and the next; all others are as
/// before.
number* a_cell(void* /*self*/, std::size_t i) {
    prove_check(i <= g.memory, "a place beyond the new rule's");
    if (i == g.place) return &cells.a;
    if (i == g.place + 1) return &cells.b;
    cells.other = old_at(static_cast<std::uint32_t>(i));
    prove_assume(i >= g.memory || sound_number(cells.other));
    return &cells.other;
}
/// msr_rule_[…] at the MSR that is followed; others have any rule.
number* a_slot(void* self, std::size_t slot) {
    prove_check(slot < policy::msr_slots, "an MSR that has no slot");
    if (self == &any_rules.msr_rule_.items[g.write] && slot == g.slot) return &cells.a;
    cells.other = prove_any_u16();
    prove_assume(cells.other < g.mine);
    return &cells.other;
}
/// bit_rule_[…] at the CPU, the group and the bit that are followed; others have any rule.
void* a_row(void* /*self*/, std::size_t i) {
    prove_check(i < 65, "a CPU that has no rules");
    return i == g.row ? &model::row[0] : &model::row[1];
}
void* a_side(void* self, std::size_t i) {
    prove_check(i < 6, "a group that has no rules");
    return self == &model::row[0] && i == g.write ? &model::side[0] : &model::side[1];
}
number* a_bit(void* self, std::size_t i) {
    prove_check(i < 36, "a bit that has no rules");
    if (self == &model::side[0] && i == g.slot) return &cells.a;
    cells.other = prove_any_u16();
    prove_assume(cells.other <= g.count && (g.mine == 0 || cells.other < g.mine));
    return &cells.other;
}
/// bit_mask_, or moving_.
std::uint64_t* a_mask(void* self, std::size_t i) {
    prove_check(i < 6, "a group that has no rules");
    return self == &any_rules.bit_mask_ ? &model::mask[i] : &model::moving;
}
/// What is no rule about a range goes to no index of such.
void no_range(void* /*self*/, number /*mine*/, void* /*index*/) {
    prove_check(false, "a rule about bits or MSRs in an index of ranges");
}
/// Rules of two sets, that say which they are.
hv_rule* a_rule_of_two(void* self, std::size_t i) {
    auto& rule = self == &any_in_force.rules_ ? model::theirs : model::rule;
    prove_check(i < (self == &any_in_force.rules_ ? any_in_force.count_ : any_rules.count_),
                "a rule that is not there");
    rule.id = static_cast<std::uint32_t>(i);
    rule.flags = prove_any_u32();
    if (i != g.missing || &rule != &model::theirs) return &rule;
    rule.flags = g.marker << HV_RULE_MARKER_SHIFT;
    if (g.stays) rule.flags |= prove_any_bool() ? HV_RULE_STAYS : HV_RULE_RATCHET;
    return &rule;
}
/// A rule of that id, or none.
hv_rule* found_or_not(void* /*self*/, std::uint32_t /*id*/) {
    return prove_any_bool() ? &model::rule : nullptr;
}
/// One rule in force is none of the new ones.
bool same_or_not(hv_rule const* theirs, hv_rule const* /*mine*/) {
    return theirs->id == g.missing ? false : prove_any_bool();
}
}
