// SPDX-License-Identifier: MIT
// Any set of rules, and any event: what decides is what a model says that goes through all of them,
// two exceptions for one object are refused, the runs of memory_at() hold, and the ratchet lets no
// set go by that lacks a rule which stays.
#include "fuzz_bytes.hpp"
#include "fuzz_rule.hpp"
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

hv_rule any_rule(fuzz_bytes& in, std::uint32_t id) {
    auto const how = in.take<std::uint16_t>();
    auto const first = number(in);
    auto r = fuzz_rule(id, how, first, number(in));
    fuzz_scope(r, in.take<std::uint8_t>());
    return r;
}

constexpr std::uint16_t kind_of(event_kind k) {
    switch (k) {
    case event_kind::msr:         return HV_RULE_MSR;
    case event_kind::cr:          return HV_RULE_CR;
    case event_kind::memory:      return HV_RULE_MEMORY;
    case event_kind::dtr:         return HV_RULE_DTR;
    case event_kind::io:          return HV_RULE_IO;
    case event_kind::xcr:         return HV_RULE_XCR;
    case event_kind::cpuid:       return HV_RULE_CPUID;
    case event_kind::instruction: return HV_RULE_INSTRUCTION;
    case event_kind::dr:          return HV_RULE_DR;
    case event_kind::vm:          return HV_RULE_VM;
    case event_kind::guest:       return 0;    // of either kind
    }
    return 0;
}

bool about(hv_rule const& r, std::uint16_t kind, std::uint64_t first, std::uint64_t last) {
    return r.kind == kind && r.first <= last && first <= r.last;
}

bool applies_to_guest(hv_rule const& r, event const& e) {
    std::uint64_t const bytes = e.old_value & 0xffffffff;
    if (r.kind != (bytes != 0 ? HV_RULE_IO : HV_RULE_MSR)) return false;
    bool const user = e.cpu >= (r.mask & 0xffffffff) && e.cpu <= r.mask >> 32;
    return user && about(r, r.kind, e.address, e.address + (bytes != 0 ? bytes - 1 : 0));
}

bool applies(hv_rule const& r, event const& e) {
    auto const changed = (e.value ^ e.old_value) & r.mask;
    bool const guests = (r.flags & HV_RULE_GUEST) != 0;
    if (guests != (e.kind == event_kind::guest) || (r.access & e.access) == 0) return false;
    if (guests) return applies_to_guest(r, e);
    if (r.kind != kind_of(e.kind) || !policy::on_cpu(r, e.cpu)) return false;
    if (r.kind == HV_RULE_DTR) return (r.mask >> e.address & 1) != 0;
    if (r.kind == HV_RULE_DR && e.address == 7) return (changed & 0xffffffff) != 0;
    if (r.kind == HV_RULE_DR) return (r.mask >> (32 + e.address) & 1) != 0;
    if (r.kind == HV_RULE_CR) return r.first == e.address && changed != 0;
    if (r.kind == HV_RULE_XCR) return changed != 0;
    if (r.kind == HV_RULE_INSTRUCTION) return (r.mask >> e.address & 1) != 0;
    auto const more = r.kind == HV_RULE_IO ? e.old_value - 1 : 0;
    return about(r, r.kind, e.address, e.address + more);
}

/// Bits that an event is about.
std::uint64_t bits_of(event const& e) {
    if (e.kind == event_kind::dtr) return 1ull << e.address;
    if (e.kind == event_kind::dr && e.address != 7) return 1ull << (32 + e.address);
    return (e.value ^ e.old_value) & (e.kind == event_kind::dr ? 0xffffffff : ~0ull);
}

/// In the words of docs/policy.md. bit: of a register.
bool passes(hv_rule const& r, event const& e, unsigned bit) {
    auto const what = r.kind == HV_RULE_MSR ? e.value : e.rip;
    bool const up = r.kind == HV_RULE_MSR ? e.value >= e.old_value : (e.value >> bit & 1) != 0;
    bool const down = r.kind == HV_RULE_MSR ? e.value <= e.old_value : (e.value >> bit & 1) == 0;
    if ((r.flags & HV_RULE_PASSES) != 0 && what >= r.pass_first && what <= r.pass_last) return true;
    return ((r.flags & HV_RULE_GROWS) != 0 && up) || ((r.flags & HV_RULE_SHRINKS) != 0 && down);
}

/// What a rule that applies says: of a register the strictest of what it says of its bits.
action says(hv_rule const& r, event const& e) {
    bool const bits = e.kind == event_kind::cr || e.kind == event_kind::xcr;
    if (!bits) return passes(r, e, 0) ? action::allow : policy::action_of(r);
    for (unsigned bit = 0; bit < 32; ++bit)
        if ((bits_of(e) & r.mask) >> bit & 1 && !passes(r, e, bit)) return policy::action_of(r);
    return action::allow;
}

/// Bits of a register that rules keep, where no rule denies the write.
std::uint64_t kept_bits(std::vector<hv_rule> const& rules, event const& e, action worst) {
    std::uint64_t kept = 0;
    if (worst != action::keep || e.kind == event_kind::msr) return 0;
    for (auto const& r : rules) {
        if (policy::action_of(r) != action::keep || !applies(r, e)) continue;
        auto const all = bits_of(e);
        for (unsigned bit = 0; bit < 64; ++bit)
            if ((all & r.mask) >> bit & 1) kept |= std::uint64_t{!passes(r, e, bit)} << bit;
    }
    return kept;
}

void decide(policy::rule_set const& set, std::vector<hv_rule> const& rules, event const& e) {
    auto worst = action::allow;
    for (auto const& r : rules)
        if (applies(r, e)) worst = std::max(worst, says(r, e));
    auto const got = set.decide(e);
    check(got.action == worst, "another decision than the strictest rule's");
    auto const named = std::any_of(rules.begin(), rules.end(), [&](hv_rule const& r) {
        return r.id == got.rule && applies(r, e) && says(r, e) == worst;
    });
    check(worst == action::allow || named, "a rule decides that does not apply");
    check(got.kept == kept_bits(rules, e, worst), "other bits are kept than rules name");
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

/// The rules of a kind about something there, each once.
void look_at_ranges(policy::rule_set const& set, std::vector<hv_rule> const& rules,
                    std::uint16_t kind, std::uint64_t first, std::uint64_t last) {
    std::vector<std::uint32_t> told, wanted;
    set.each_about(kind, first, last, [&](hv_rule const& r) { told.push_back(r.id); });
    for (auto const& r : rules)
        if (about(r, kind, first, last) && (r.flags & HV_RULE_GUEST) == 0 &&
            (kind != HV_RULE_MSR || r.cpus != 0))
            wanted.push_back(r.id);
    std::sort(told.begin(), told.end());
    check(told == wanted, "other rules than those about it");
}

/// What bitmaps are made of.
void look_at_watched(policy::rule_set const& set, std::vector<hv_rule> const& rules,
                     event const& e) {
    if (e.kind == event_kind::memory) look_at_memory(set, rules, e.address);
    if (e.kind == event_kind::io)
        look_at_ranges(set, rules, HV_RULE_IO, e.address, e.address + e.value);
    if (e.kind == event_kind::cpuid)
        look_at_ranges(set, rules, HV_RULE_CPUID, e.address, e.address + e.value);
    if (e.kind != event_kind::msr || !policy::msr_has_slot(e.address)) return;
    look_at_ranges(set, rules, HV_RULE_MSR, e.address, e.address + e.value);
    auto const slot = policy::msr_slot(static_cast<std::uint32_t>(e.address));
    auto const any = std::any_of(rules.begin(), rules.end(),
                                 [&](hv_rule const& r) { return r.cpus == 0 && applies(r, e); });
    check(set.watches_msr(slot, e.access == HV_ACCESS_WRITE) == any, "an MSR that is watched");
}

void look_at_bits(policy::rule_set const& set, std::vector<hv_rule> const& rules) {
    std::uint64_t cr[2]{}, xcr = 0, tables = 0, instructions = 0, debug = 0;
    for (auto const& r : rules) {
        if (r.kind == HV_RULE_CR) cr[r.first == 4] |= r.mask;
        if (r.kind == HV_RULE_XCR) xcr |= r.mask;
        if (r.kind == HV_RULE_INSTRUCTION) instructions |= r.mask;
        if (r.kind == HV_RULE_DTR) tables |= r.mask;
        if (r.kind == HV_RULE_DR) debug |= r.mask;
    }
    using policy::bit_group;
    check(set.cr_mask(0) == cr[0] && set.cr_mask(4) == cr[1] && set.bits(bit_group::xcr0) == xcr &&
              set.bits(bit_group::tables) == tables && set.bits(bit_group::dr) == debug &&
              set.bits(bit_group::instructions) == instructions,
          "other bits are watched than rules name");
}

event any_event(fuzz_bytes& in) {
    auto const how = in.take<std::uint8_t>();
    auto const side = how / 8 % 2u;
    auto const at = number(in), value = number(in), old = number(in), rip = number(in) % 8;
    switch (how % 8) {
    case 0:
        return {event_kind::msr, 1 + side, policy::msr_range_first(how / 16 % 3) + at,
                value % 8,       old % 8,  rip};
    case 1: return {event_kind::cr, HV_ACCESS_WRITE, side * 4, value, old, rip};
    case 2:
        if (how / 16 % 2 != 0) return {event_kind::dtr, HV_ACCESS_WRITE, at % 4, value, 0, rip};
        return {event_kind::dr, HV_ACCESS_WRITE, at % 5 == 4 ? 7 : at % 5, value, old, rip};
    case 3: return {event_kind::xcr, HV_ACCESS_WRITE, 0, value, old, rip};
    case 4:
        if (how / 16 % 2 != 0)    // of a guest: I/O of some bytes, or an MSR
            return {event_kind::guest, 1 + side, at & 0xffff, value, old % 5, rip};
        return {event_kind::io, 1 + side, at & 0xffff, value, 1u << old % 3, rip};
    case 5:
        return {event_kind::instruction, HV_ACCESS_EXECUTE, at % HV_INSTRUCTION_COUNT, 0, 0, rip};
    case 6:
        return {event_kind::cpuid, 0, (std::uint64_t{how} / 16 % 4 << 32) + at % 64,
                value % 64,        0, rip};
    default: return {event_kind::memory, 2 + 2 * side, at << 12, 0, 0, rip};
    }
}

/// Whether both watch an MSR, a bit or a table.
bool meet(hv_rule const& a, hv_rule const& b) {
    bool same = a.kind == b.kind && a.first <= b.last && b.first <= a.last;
    // Rules that name CPUs: of an MSR each counts by itself, of a bit each has its CPUs.
    bool const all = a.cpus == 0 || b.cpus == 0;
    same = same && (a.kind == HV_RULE_MSR ? (a.cpus | b.cpus) == 0 : all || (a.cpus & b.cpus) != 0);
    if (!same || a.kind == HV_RULE_MEMORY || a.kind == HV_RULE_IO || a.kind == HV_RULE_CPUID ||
        a.kind == HV_RULE_VM || ((a.flags | b.flags) & HV_RULE_GUEST) != 0)
        return false;
    return a.mask == 0 ? (a.access & b.access) != 0 : (a.mask & b.mask) != 0;
}

/// No rule that has another exception than one before it on the same object.
bool fits(std::vector<hv_rule> const& rules, hv_rule const& r) {
    return std::none_of(rules.begin(), rules.end(), [&](hv_rule const& before) {
        return meet(before, r) && !policy::same_pass(before, r);
    });
}

/// One that does not fit is refused, and the set says which.
void refuse(policy::rule_set& set, std::vector<hv_rule> rules, hv_rule const& r,
            std::uint64_t reached) {
    rules.push_back(r);
    std::uint32_t culprit = 0;
    check(!set.load({rules.data(), rules.size()}, culprit, reached) && culprit == rules.size(),
          "two exceptions for one object");
}

/// Bit n of `reached`: marker n.
bool waits(hv_rule const& r, std::uint64_t reached) {
    auto const marker = r.flags / 256 % 64;
    return marker != 0 && (reached >> marker & 1) == 0;
}

bool lasts(hv_rule const& r, std::uint64_t reached) {
    return (r.flags & (HV_RULE_STAYS | HV_RULE_RATCHET)) != 0 && !waits(r, reached);
}

/// A set that lacks one rule, or none.
void look_at_ratchet(fuzz_bytes& in, policy::rule_set const& set, std::vector<hv_rule> rules,
                     std::uint64_t reached) {
    static auto const less = std::make_unique<policy::rule_set>();
    if (rules.empty()) return;
    auto const missing = rules.begin() + in.take<std::uint8_t>() % rules.size();
    bool const lasting = lasts(*missing, reached);
    rules.erase(missing);
    std::uint32_t culprit = 0;
    check(bool{less->load({rules.data(), rules.size()}, culprit, reached)}, "fewer are refused");
    check(set.includes(*less, true) && !less->includes(set, true), "the lock lets a rule go");
    check(less->includes(set, false) != lasting, "a rule that stays goes, or another stays");
}

}    // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    static auto const set = std::make_unique<policy::rule_set>();
    fuzz_bytes in{data, size};
    std::uint64_t const reached = in.take<std::uint8_t>();
    std::vector<hv_rule> all, rules;    // and those in force
    for (auto left = in.take<std::uint8_t>() % 24u; left > 0; --left) {
        auto const r = any_rule(in, static_cast<std::uint32_t>(all.size() + 1));
        if (!policy::check(r, 1ull << 40)) continue;
        bool const waiting = waits(r, reached);
        if (!waiting && !fits(rules, r)) {
            refuse(*set, all, r, reached);
            continue;
        }
        all.push_back(r);
        if (!waiting) rules.push_back(r);
    }
    std::uint32_t culprit = 0;
    check(bool{set->load({all.data(), all.size()}, culprit, reached)}, "sound rules are refused");
    look_at_bits(*set, rules);
    for (unsigned i = 0; i < 32 && !in.empty(); ++i) {
        auto e = any_event(in);
        e.cpu = in.take<std::uint8_t>() % 4 * 32;    // none of them, CPU 64, is in any rule
        if (e.cpu < 64) e.cpu /= 32;
        decide(*set, rules, e);
        look_at_watched(*set, rules, e);
    }
    look_at_ratchet(in, *set, all, reached);
    return 0;
}
