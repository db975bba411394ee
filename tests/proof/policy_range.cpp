// SPDX-License-Identifier: MIT
// Rules about ranges, of memory or of ports, however many there are: which decides, what is watched
// at an address, and the order of their index.
#include "policy_model.hpp"

// The visitor of each_at() writes to what its caller has.
// inline each_at
// instead _ZNK2hv5arrayI7hv_ruleLm1024EEixEm in memory_decided ports_decided memory_run_at: a_rule
// instead _ZNK2hv5arrayI7hv_ruleLm1024EEixEm in memory_indexed: a_rule
// instead _ZN2hv5arrayI7hv_ruleLm1024EEixEm in memory_indexed: a_rule
// instead _ZNK2hv5arrayItLm1024EEixEm in memory_decided ports_decided memory_run_at: a_place
// instead _ZNK2hv5arrayImLm1024EEixEm in memory_decided ports_decided: a_reach
// instead _ZNK2hv5arrayItLm1025EEixEm in memory_decided ports_decided: a_part
// instead _ZNK2hv5arrayItLm1024EEixEm in memory_indexed: a_cell
// instead _ZN2hv5arrayItLm1024EEixEm in memory_indexed: a_cell
// loop decide_range 1: searched(step, low, high)
// loop decide_range 2: scanned(i, retval.sroa.0)
// loop memory_at: looked_at(i, retval.sroa.0, retval.sroa.4)
// loop index_range: moved(i)

extern "C" {
/// A step halves what is left.
bool searched(std::uint32_t step, std::uint32_t low, std::uint32_t high) {
    return step <= 11 && low <= g.bound && g.bound <= high && high <= g.memory &&
           high - low < 2048u >> step;
}
/// worst   a verdict: its action is the lowest byte, its rule from bit 32 on
bool scanned(std::uint32_t i, std::uint64_t worst) {
    auto const action = static_cast<unsigned>(worst & 0xff);
    auto const rule = static_cast<std::uint32_t>(worst >> 32);
    if (i > g.bound || rule > g.count) return false;
    auto const n = static_cast<number>(rule);
    if (rule != 0 ? !concerns(n) || action != strength(n) : action != 0) return false;
    if (g.place >= g.bound || g.place < i || !concerns(at_place())) return true;
    return rule != 0 && action >= strength(at_place());
}
bool looked_at(std::uint32_t i, std::uint32_t watched, std::uint64_t bytes) {
    if (i > g.memory || (g.none && (watched & g.access) != 0)) return false;
    if (g.place >= i) return true;
    auto const n = at_place();
    if (first_of(n) > g.address) return bytes <= first_of(n) - g.address;
    if (last_of(n) < g.address) return true;
    return (access_of(n) & ~watched) == 0 && bytes <= last_of(n) + 1 - g.address;
}
bool moved(std::uint32_t i) {
    if (i > g.memory || (i < g.memory && first_of(old_at(i)) <= g.rule.first)) return false;
    auto const a = g.place, b = a + 1;
    return cells.a == (a > i && a <= g.memory ? old_at(a - 1) : old_at(a)) &&
           cells.b == (b > i && b <= g.memory ? old_at(b - 1) : old_at(b));
}
}

namespace {

/// Rules about ranges of one kind: any number, sorted by where they begin.
policy::rule_set::range_index& any_ranges(std::size_t kind) {
    g.count = prove_any_u32();
    g.memory = prove_any_u32();
    g.place = prove_any_u32();
    prove_assume(g.count <= HV_MAX_RULES && g.memory <= g.count);
    any_rules.count_ = g.count;
    auto& x = any_rules.ranges_.items[kind];
    x.count = g.memory;
    prove_assume(g.place < g.memory ? sound_number(at_place()) : g.place <= HV_MAX_RULES);
    return x;
}

/// No rule begins before the first part, or behind the last.
std::uint64_t part_of(policy::rule_set::range_index const& x, std::uint32_t place) {
    if (place >= g.memory) return 0;
    auto const first = first_of(old_at(place));
    prove_assume(first >= x.lowest && (first - x.lowest) >> x.shift < 1024);
    return (first - x.lowest) >> x.shift;
}

/// Deny wins, and no rule decides that does not apply.
void decided(std::size_t kind, event e, std::uint64_t last) {
    auto& x = any_ranges(kind);
    e.cpu = g.cpu = static_cast<std::uint32_t>(HV_INPUT("cpu"));
    g.address = e.address;
    g.last = last;
    g.access = e.access;
    g.what = e.rip;
    g.searching = true;
    g.bound = prove_any_u32();
    prove_assume(g.bound <= g.memory && x.shift <= 54);
    g.part_before = part_of(x, g.bound - 1);
    g.part_behind = part_of(x, g.bound);
    for (auto const at : {g.place, g.bound - 1, g.bound})
        prove_assume(at >= g.memory || (first_of(old_at(at)) <= g.last) == (at < g.bound));
    auto const v = any_rules.decide(e);
    auto const by = static_cast<number>(v.rule);
    if (g.place < g.memory && concerns(at_place())) {
        prove_reach("a rule that applies");
        prove_check(by != 0, "a rule that applies and does not decide");
        prove_check(static_cast<unsigned>(v.action) >= strength(at_place()),
                    "a denial that did not win");
    }
    if (by == 0) return prove_check(v.action == action::allow, "nobody says so");
    prove_check(by <= g.count && concerns(by), "a rule decides that does not apply");
    prove_check(strength(by) == static_cast<unsigned>(v.action),
                "a rule says what it does not say");
}

}    // namespace

extern "C" void memory_decided() {
    auto const at = HV_INPUT("address");
    prove_assume(at < 1ull << 52);
    auto const access = static_cast<std::uint32_t>(HV_INPUT("access"));
    decided(0, {event_kind::memory, access, at, 0, 0, HV_INPUT("rip")}, at);
}
/// Of all the ports of an access.
extern "C" void ports_decided() {
    auto const at = HV_INPUT("port") & 0xffff;
    auto const bytes = 1ull << (HV_INPUT("size") & 3);
    auto const access = static_cast<std::uint32_t>(HV_INPUT("access"));
    decided(1, {event_kind::io, access, at, 0, bytes, HV_INPUT("rip")}, at + bytes - 1);
}

/// What is watched at an address, and that it is the same in the run that the answer names.
extern "C" void memory_run_at() {
    any_ranges(0);
    g.address = HV_INPUT("address");
    g.access = 1u << (HV_INPUT("access") & 7);
    g.none = prove_any_bool();
    prove_assume(g.address < 1ull << 52);
    auto const run = any_rules.memory_at(gpa{g.address});
    auto const other = g.address + HV_INPUT("offset");
    if (g.none) prove_check((run.watched & g.access) == 0, "watched, and by no rule");
    if (g.place >= g.memory) return;
    auto const n = at_place();
    bool const here = covers(n, g.address);
    if (here) prove_check((access_of(n) & ~run.watched) == 0, "a rule that watches nothing");
    if (other < g.address || other - g.address >= run.bytes) return;
    prove_check(covers(n, other) == here, "a run in which the answer changes");
    here ? prove_reach("watched") : prove_reach("not watched");
}

/// The order by first bytes is kept, no rule is lost, and the new one is there.
extern "C" void memory_indexed() {
    any_ranges(0);
    prove_assume(g.count < HV_MAX_RULES);
    g.mine = static_cast<number>(g.count + 1);
    g.rule.kind = HV_RULE_MEMORY;
    g.rule.first = HV_INPUT("first");
    prove_assume(first_of(g.mine) == g.rule.first);
    auto const a = g.place, b = a + 1;
    for (auto const at : {a - 1, a, b}) prove_assume(at >= g.memory || sound_number(old_at(at)));
    prove_assume(b >= g.memory || first_of(old_at(a)) <= first_of(old_at(b)));
    prove_assume(a == 0 || a >= g.memory || first_of(old_at(a - 1)) <= first_of(old_at(a)));
    cells = {old_at(a), old_at(b), 0};
    any_rules.count_ = g.count + 1;
    prove_check(any_rules.index_rule(g.mine, g.rule), "a memory rule that is refused");
    prove_check(any_rules.ranges_.items[0].count == g.memory + 1, "as many rules as before");
    prove_check(cells.a == g.mine || cells.b == g.mine || cells.other == g.mine,
                "a rule that is lost");
    if (b <= g.memory) {
        prove_reach("two rules side by side");
        prove_check(first_of(cells.a) <= first_of(cells.b), "rules that are not in order");
    }
    if (a < g.memory)
        prove_check(cells.a == old_at(a) || cells.b == old_at(a), "an old rule that is lost");
}

#include "policy/rule_set.cpp"
