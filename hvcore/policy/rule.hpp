// SPDX-License-Identifier: MIT
#pragma once
#include "abi/policy.h"
#include "base/address.hpp"
#include "base/result.hpp"
#include "event/event.hpp"

namespace hv::policy {

/// The ranges of MSRs that have a slot each: those of VMX's bitmaps, then the one that only SVM's
/// permission map adds. SDM 3C 25.6.9 "MSR-Bitmap Address", APM 2 15.11 "MSR Intercepts".
inline constexpr std::uint32_t msr_range_slots = 0x2000;
inline constexpr std::uint32_t msr_slots = 3 * msr_range_slots;
constexpr std::uint32_t msr_range_first(std::uint32_t range) {
    return range == 0 ? 0 : range == 1 ? 0xc0000000u : 0xc0010000u;
}
/// Which of them index lies in; 3: none.
constexpr std::uint32_t msr_range_of(std::uint64_t index) {
    for (std::uint32_t range = 0; range < 3; ++range)
        if (index - msr_range_first(range) < msr_range_slots) return range;
    return 3;
}
constexpr bool msr_has_slot(std::uint64_t index) { return msr_range_of(index) < 3; }
constexpr std::uint32_t msr_slot(std::uint32_t index) {
    auto const range = msr_range_of(index);
    return range * msr_range_slots + (index - msr_range_first(range));
}

/// The MSR that has this slot.
constexpr std::uint32_t msr_at(std::uint32_t slot) {
    return msr_range_first(slot / msr_range_slots) + slot % msr_range_slots;
}

constexpr action action_of(hv_rule const& r) { return static_cast<action>(r.action); }
constexpr bool on_cpu(hv_rule const& r, std::uint32_t cpu) {
    return r.cpus == 0 || (cpu < HV_RULE_CPUS && (r.cpus >> cpu & 1) != 0);
}
/// Whether the markers that have been reached put it in force.
constexpr bool in_force(hv_rule const& r, std::uint64_t reached) {
    return ((reached | 1) >> ((r.flags & HV_RULE_MARKER_MASK) >> HV_RULE_MARKER_SHIFT) & 1) != 0;
}
/// Whether a rule about such accesses, values or instructions is about this one.
constexpr bool about(hv_rule const& r, event const& e) {
    if ((r.access & e.access) == 0) return false;
    if (e.kind != event_kind::guest) return on_cpu(r, e.cpu);
    bool const io = static_cast<std::uint32_t>(e.old_value) != 0;
    return (r.kind == HV_RULE_IO) == io && e.cpu >= (r.mask & 0xffffffff) && e.cpu <= r.mask >> 32;
}
/// Flags about what passes, and about how long the rule is in force.
inline constexpr std::uint32_t one_way = HV_RULE_GROWS | HV_RULE_SHRINKS;
inline constexpr std::uint32_t pass_flags = HV_RULE_PASSES | HV_RULE_UNCHANGED | one_way;
inline constexpr std::uint32_t time_flags = HV_RULE_MARKER_MASK | HV_RULE_STAYS | HV_RULE_RATCHET;

constexpr bool same_pass(hv_rule const& a, hv_rule const& b) {
    return ((a.flags ^ b.flags) & pass_flags) == 0 && a.pass_first == b.pass_first &&
           a.pass_last == b.pass_last;
}
constexpr bool same(hv_rule const& a, hv_rule const& b) {
    return a.id == b.id && a.kind == b.kind && a.action == b.action && a.access == b.access &&
           a.first == b.first && a.last == b.last && a.mask == b.mask && a.cpus == b.cpus &&
           a.flags == b.flags && same_pass(a, b);
}

/// Whether the rule's exception is for this value, of other objects than MSRs for this instruction,
/// or for the way in which the value changes. bit: of a register, the one that does.
constexpr bool passes(hv_rule const& r, event const& e, unsigned bit = 0) {
    bool const msr = r.kind == HV_RULE_MSR;
    auto const what = msr ? e.value : e.rip;
    if ((r.flags & HV_RULE_PASSES) != 0 && what >= r.pass_first && what <= r.pass_last) return true;
    bool const grows = msr ? e.value >= e.old_value : (e.value >> bit & 1) != 0;
    bool const shrinks = msr ? e.value <= e.old_value : !grows;
    return ((r.flags & HV_RULE_GROWS) != 0 && grows) ||
           ((r.flags & HV_RULE_SHRINKS) != 0 && shrinks);
}

constexpr bool sound_pass(hv_rule const& r) {
    bool const passes = (r.flags & HV_RULE_PASSES) != 0;
    bool const unchanged = (r.flags & HV_RULE_UNCHANGED) != 0;
    if ((r.flags & one_way) != 0 && (r.access != HV_ACCESS_WRITE || (r.flags & one_way) == one_way))
        return false;
    if (!passes) return !unchanged && (r.pass_last == 0 || r.kind == HV_RULE_VM);
    if (r.access != HV_ACCESS_WRITE || r.pass_first > r.pass_last) return false;
    return !unchanged || (r.kind == HV_RULE_MSR && r.first == r.last);
}

/// What a kind leaves to its rules. One with a mask wants at least one bit of it.
struct kind_limits {
    std::uint32_t access, flags;
    std::uint64_t last, mask;
};
constexpr kind_limits limits_of(std::uint16_t kind, bool guest, std::uint64_t memory_limit) {
    constexpr std::uint32_t r = HV_ACCESS_READ, w = HV_ACCESS_WRITE, x = HV_ACCESS_EXECUTE;
    constexpr std::uint32_t passes = HV_RULE_PASSES, all = pass_flags;
    constexpr auto any = ~std::uint64_t{0}, bits = any >> 32;
    if (guest) return {r | w, HV_RULE_GUEST, kind == HV_RULE_IO ? 0xffff : bits, any};
    switch (kind) {
    case HV_RULE_MSR:         return {r | w, all, any, 0};
    case HV_RULE_CR:          return {w, passes | one_way, 4, bits};
    case HV_RULE_MEMORY:      return {r | w | x, passes, memory_limit - 1, 0};
    case HV_RULE_DTR:         return {w, 0, 0, (1u << HV_TABLE_COUNT) - 1};
    case HV_RULE_IO:          return {r | w, 0, 0xffff, 0};
    case HV_RULE_XCR:         return {w, one_way, 0, bits};
    case HV_RULE_CPUID:       return {r, 0, any, any};
    case HV_RULE_INSTRUCTION: return {x, 0, 0, (1u << HV_INSTRUCTION_COUNT) - 1};
    case HV_RULE_DR:          return {w, 0, 0, any >> 28};
    case HV_RULE_VM:          return {x, 0, bits, any};
    default:                  return {};
    }
}

/// Only what has a value can keep it, and only a guest can be ended.
constexpr bool sound_action(hv_rule const& r) {
    bool const guest = (r.flags & HV_RULE_GUEST) != 0;
    if (r.action == HV_ACTION_LOG || r.action == HV_ACTION_DENY) return true;
    if (r.action == HV_ACTION_PAUSE || r.action == HV_ACTION_KILL) return guest;
    if (r.action != HV_ACTION_KEEP || guest) return false;
    constexpr unsigned registers = 1u << HV_RULE_CR | 1u << HV_RULE_DTR | 1u << HV_RULE_XCR |
                                   1u << HV_RULE_DR;
    if (r.kind == HV_RULE_MSR) return r.access == HV_ACCESS_WRITE;
    return r.kind < 32 && (registers >> r.kind & 1) != 0;
}

/// Check one rule's own fields; whether its object is the root VM's to watch, the caller knows.
/// Errors   invalid: unknown kind, action or access, an empty or wrapping range, bits that do not
///          exist.
constexpr status check(hv_rule const& r, std::uint64_t memory_limit) {
    bool const guest = (r.flags & HV_RULE_GUEST) != 0;
    bool const vm = r.kind == HV_RULE_VM;    // a limit may be 0
    auto const may = limits_of(r.kind, guest, memory_limit);
    auto const more = r.kind == HV_RULE_CPUID ? r.pass_first : 0;
    bool sound = r.id != 0 && r.access != 0 && r.first <= r.last && sound_pass(r) &&
                 sound_action(r);
    sound = sound && (r.access & ~may.access) == 0 && (r.flags & ~(may.flags | time_flags)) == 0;
    sound = sound && (r.cpus == 0 || (r.kind != HV_RULE_MEMORY && !vm && !guest));
    sound = sound && r.last <= may.last && (r.mask & ~may.mask) == 0;
    sound = sound && (may.mask == 0 || vm || guest || (r.mask | more) != 0);
    if (guest)
        sound = sound && (r.kind == HV_RULE_IO || r.kind == HV_RULE_MSR) &&
                (r.mask & 0xffffffff) <= r.mask >> 32;
    else if (r.kind == HV_RULE_MSR)
        sound = sound && msr_has_slot(r.first) && msr_range_of(r.first) == msr_range_of(r.last);
    if (r.kind == HV_RULE_CR) sound = sound && r.first == r.last && r.first % 4 == 0;
    // Nothing but a page that is not there is closed to reading.
    if (r.kind == HV_RULE_MEMORY)
        sound = sound && ((r.first | (r.last + 1)) & (page_bytes - 1)) == 0 &&
                ((r.access & HV_ACCESS_READ) == 0 || r.action == HV_ACTION_LOG ||
                 r.access == may.access);
    return sound ? status{done} : status{error{errc::invalid}};
}

}    // namespace hv::policy
