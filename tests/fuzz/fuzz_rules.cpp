// SPDX-License-Identifier: MIT
// Any set of rules, and any event: what decides is what a model says that goes through all of them,
// two exceptions for one object are refused, the runs of memory_at() hold, and the ratchet lets no
// set go by that lacks a rule.
#include "fuzz_bytes.hpp"
#include "policy/rule_set.hpp"
#include <algorithm>
#include <memory>

namespace {

using namespace hv;

void check(bool held, char const* what) {
    if (!held) broken(what, __LINE__);
}

/// Small numbers, so that rules meet each other and the events.
std::uint64_t number(fuzz_bytes& in) {
    auto const how = in.take<std::uint8_t>();
    return how < 240 ? how % 32u : in.take<std::uint64_t>();
}

/// Values or instructions that it lets pass.
void except(fuzz_bytes& in, hv_rule& r) {
    if (in.take<std::uint8_t>() % 4 != 0) return;
    r.access = HV_ACCESS_WRITE;
    r.flags = HV_RULE_PASSES;
    r.pass_first = number(in) % 4;
    r.pass_last = r.pass_first + in.take<std::uint8_t>() % 4;
}

hv_rule any_rule(fuzz_bytes& in, std::uint32_t id) {
    auto const kind = in.take<std::uint8_t>();
    auto const action = static_cast<std::uint16_t>(1 + kind / 4 % 2);
    auto const access = 1u + kind / 8 % 7u;
    auto const first = number(in), more = number(in);
    auto const base = kind >> 7 != 0 ? 0xc0000000 : 0;
    hv_rule r{};
    r.id = id;
    r.kind = HV_RULE_MEMORY;
    r.action = action;
    r.access = access & 6;
    r.first = first << 12;
    r.last = ((first + more) << 12) + 0xfff;
    if (kind % 4 == 0) {
        r.kind = HV_RULE_MSR;
        r.access = access & 3;
        r.first = base + first;
        r.last = base + first + more;
    } else if (kind % 8 == 1) {
        r.kind = HV_RULE_DTR;
        r.access = HV_ACCESS_WRITE;
        r.first = first % 2;
        r.last = r.first + more % 2;
        return r;
    } else if (kind % 8 == 5) {
        r.kind = HV_RULE_CR;
        r.access = HV_ACCESS_WRITE;
        r.first = r.last = first % 2 * 4;
        r.mask = 1ull << more % 32;
    }
    except(in, r);
    return r;
}

bool applies(hv_rule const& r, event const& e) {
    if (e.kind == event_kind::cr)
        return r.kind == HV_RULE_CR && r.first == e.address &&
               ((e.value ^ e.old_value) & r.mask) != 0;
    auto const kind = e.kind == event_kind::msr   ? HV_RULE_MSR
                      : e.kind == event_kind::dtr ? HV_RULE_DTR
                                                  : HV_RULE_MEMORY;
    bool const here = e.address >= r.first && e.address <= r.last;
    return r.kind == kind && here && (r.access & e.access) != 0;
}

void decide(policy::rule_set const& set, std::vector<hv_rule> const& rules, event const& e) {
    auto const says = [&](hv_rule const& r) {
        auto const what = e.kind == event_kind::msr ? e.value : e.rip;
        return policy::passes(r, what) ? action::allow : policy::action_of(r);
    };
    auto worst = action::allow;
    for (auto const& r : rules)
        if (applies(r, e)) worst = std::max(worst, says(r));
    auto const got = set.decide(e);
    check(got.action == worst, "another decision than the strictest rule's");
    auto const named = std::any_of(rules.begin(), rules.end(), [&](hv_rule const& r) {
        return r.id == got.rule && applies(r, e) && says(r) == worst;
    });
    check(worst == action::allow || named, "a rule decides that does not apply");
}

std::uint32_t watched(std::vector<hv_rule> const& rules, std::uint64_t at) {
    std::uint32_t bits = 0;
    for (auto const& r : rules)
        if (r.kind == HV_RULE_MEMORY && at >= r.first && at <= r.last) bits |= r.access;
    return bits;
}

void look_at_memory(policy::rule_set const& set, std::vector<hv_rule> const& rules,
                    std::uint64_t at) {
    auto const run = set.memory_at(gpa{at});
    check(run.watched == watched(rules, at), "watched, or not, and no rule says so");
    for (auto const offset : {std::uint64_t{0}, run.bytes / 2, run.bytes - 1})
        if (run.bytes != 0)
            check(watched(rules, at + offset) == run.watched, "a run in which the answer changes");
}

event any_event(fuzz_bytes& in) {
    auto const how = in.take<std::uint8_t>();
    auto const base = how >> 7 != 0 ? 0xc0000000 : 0;
    auto const rip = number(in) % 8;
    switch (how % 4) {
    case 0: return {event_kind::msr, 1u + how / 4 % 2u, base + number(in), rip, 0, number(in)};
    case 1:
        return {event_kind::cr, HV_ACCESS_WRITE, how / 4 % 2u * 4u, number(in), number(in), rip};
    case 2:  return {event_kind::dtr, HV_ACCESS_WRITE, how / 4 % 2u, number(in), 0, rip};
    default: return {event_kind::memory, how / 4 % 2u != 0 ? 2u : 4u, number(in) << 12, 0, 0, rip};
    }
}

/// Whether both watch an MSR, a bit or a table.
bool meet(hv_rule const& a, hv_rule const& b) {
    if (a.kind != b.kind || a.kind == HV_RULE_MEMORY) return false;
    if (a.kind == HV_RULE_CR) return a.first == b.first && (a.mask & b.mask) != 0;
    return a.first <= b.last && b.first <= a.last && (a.access & b.access) != 0;
}

/// No rule that has another exception than one before it on the same object.
bool fits(std::vector<hv_rule> const& rules, hv_rule const& r) {
    return std::none_of(rules.begin(), rules.end(), [&](hv_rule const& before) {
        return meet(before, r) && !policy::same_pass(before, r);
    });
}

/// One that does not fit is refused, and the set says which.
void refuse(policy::rule_set& set, std::vector<hv_rule> rules, hv_rule const& r) {
    rules.push_back(r);
    std::uint32_t culprit = 0;
    check(!set.load({rules.data(), rules.size()}, culprit) && culprit == rules.size(),
          "two exceptions for one object");
}

}    // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    static auto const set = std::make_unique<policy::rule_set>(),
                      less = std::make_unique<policy::rule_set>();
    fuzz_bytes in{data, size};
    std::vector<hv_rule> rules;
    for (auto left = in.take<std::uint8_t>() % 24u; left > 0; --left) {
        auto const r = any_rule(in, static_cast<std::uint32_t>(rules.size() + 1));
        if (!policy::check(r, 1ull << 40)) continue;
        fits(rules, r) ? rules.push_back(r) : refuse(*set, rules, r);
    }
    std::uint32_t culprit = 0;
    check(bool{set->load({rules.data(), rules.size()}, culprit)}, "sound rules are refused");
    for (unsigned i = 0; i < 32 && !in.empty(); ++i) {
        auto const e = any_event(in);
        decide(*set, rules, e);
        if (e.kind == event_kind::memory) look_at_memory(*set, rules, e.address);
    }
    if (rules.empty()) return 0;
    rules.erase(rules.begin() + in.take<std::uint8_t>() % rules.size());
    check(bool{less->load({rules.data(), rules.size()}, culprit)}, "fewer rules are refused");
    check(set->includes(*less) && !less->includes(*set), "the ratchet lets a rule go");
    return 0;
}
