// SPDX-License-Identifier: MIT
#pragma once
#include "abi/policy.h"
#include "base/address.hpp"
#include "base/result.hpp"
#include "event/event.hpp"

namespace hv::policy {

/// Whether index lies in one of the two ranges that an MSR bitmap covers. SDM 3C 25.6.9 "MSR-Bitmap
/// Address".
constexpr bool msr_in_bitmap(std::uint64_t index) {
    return index <= 0x1fff || (index >= 0xc0000000 && index <= 0xc0001fff);
}
/// 0..16383: the position of an index of the two ranges.
constexpr std::uint32_t msr_slot(std::uint32_t index) {
    return index <= 0x1fff ? index : 0x2000 + (index - 0xc0000000);
}
inline constexpr std::uint32_t msr_slots = 0x4000;

constexpr action action_of(hv_rule const& r) {
    return r.action == HV_ACTION_DENY ? action::deny : action::log;
}

constexpr bool same(hv_rule const& a, hv_rule const& b) {
    return a.id == b.id && a.kind == b.kind && a.action == b.action && a.access == b.access &&
           a.first == b.first && a.last == b.last && a.mask == b.mask;
}

/// Check one rule's own fields; whether its object is the root VM's to watch, the caller knows.
/// Errors   invalid: unknown kind, action or access, an empty or wrapping range, bits that do not
///          exist.
constexpr status check(hv_rule const& r, std::uint64_t memory_limit) {
    if (r.id == 0 || r.reserved != 0) return error{errc::invalid};
    if (r.action != HV_ACTION_LOG && r.action != HV_ACTION_DENY) return error{errc::invalid};
    if (r.access == 0 || r.first > r.last) return error{errc::invalid};
    switch (r.kind) {
    case HV_RULE_MSR:
        if (r.mask != 0 || (r.access & ~std::uint32_t{HV_ACCESS_READ | HV_ACCESS_WRITE}) != 0)
            break;
        if (!msr_in_bitmap(r.first) || !msr_in_bitmap(r.last)) break;
        if ((r.first <= 0x1fff) != (r.last <= 0x1fff)) break;
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
    default: break;
    }
    return error{errc::invalid};
}

}    // namespace hv::policy
