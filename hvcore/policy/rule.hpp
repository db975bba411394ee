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
static_assert(msr_slot(0xc0000080) == 0x2080 && msr_slot(0xc0011fff) == msr_slots - 1);

constexpr action action_of(hv_rule const& r) {
    return r.action == HV_ACTION_DENY ? action::deny : action::log;
}

constexpr bool same_pass(hv_rule const& a, hv_rule const& b) {
    return a.flags == b.flags && a.pass_first == b.pass_first && a.pass_last == b.pass_last;
}
constexpr bool same(hv_rule const& a, hv_rule const& b) {
    return a.id == b.id && a.kind == b.kind && a.action == b.action && a.access == b.access &&
           a.first == b.first && a.last == b.last && a.mask == b.mask && same_pass(a, b);
}

/// Whether the rule's exception is for this value or, of other objects than MSRs, instruction.
constexpr bool passes(hv_rule const& r, std::uint64_t what) {
    return (r.flags & HV_RULE_PASSES) != 0 && what >= r.pass_first && what <= r.pass_last;
}

constexpr bool sound_pass(hv_rule const& r) {
    bool const passes = (r.flags & HV_RULE_PASSES) != 0;
    bool const unchanged = (r.flags & HV_RULE_UNCHANGED) != 0;
    if (r.flags > (HV_RULE_PASSES | HV_RULE_UNCHANGED) || r.pass_first > r.pass_last) return false;
    if (!passes) return !unchanged && r.pass_last == 0;
    if (r.access != HV_ACCESS_WRITE) return false;
    return !unchanged || (r.kind == HV_RULE_MSR && r.first == r.last);
}

/// Check one rule's own fields; whether its object is the root VM's to watch, the caller knows.
/// Errors   invalid: unknown kind, action or access, an empty or wrapping range, bits that do not
///          exist.
constexpr status check(hv_rule const& r, std::uint64_t memory_limit) {
    if (r.id == 0 || !sound_pass(r)) return error{errc::invalid};
    if (r.action != HV_ACTION_LOG && r.action != HV_ACTION_DENY) return error{errc::invalid};
    if (r.access == 0 || r.first > r.last) return error{errc::invalid};
    switch (r.kind) {
    case HV_RULE_MSR:
        if (r.mask != 0 || (r.access & ~std::uint32_t{HV_ACCESS_READ | HV_ACCESS_WRITE}) != 0)
            break;
        if (!msr_has_slot(r.first) || msr_range_of(r.first) != msr_range_of(r.last)) break;
        return done;
    case HV_RULE_CR:
        if (r.access != HV_ACCESS_WRITE || r.mask == 0 || r.mask >> 32 != 0) break;
        if ((r.first != 0 && r.first != 4) || r.last != r.first) break;
        return done;
    case HV_RULE_MEMORY:
        if (r.mask != 0 || (r.access & ~std::uint32_t{HV_ACCESS_WRITE | HV_ACCESS_EXECUTE}) != 0)
            break;
        if (r.last >= memory_limit || (r.first & (page_bytes - 1)) != 0) break;
        if (((r.last + 1) & (page_bytes - 1)) != 0) break;
        return done;
    case HV_RULE_DTR:
        if (r.mask != 0 || r.flags != 0 || r.access != HV_ACCESS_WRITE) break;
        if (r.last > HV_TABLE_IDT) break;
        return done;
    default: break;
    }
    return error{errc::invalid};
}

}    // namespace hv::policy
