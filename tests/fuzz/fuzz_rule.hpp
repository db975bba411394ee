// SPDX-License-Identifier: MIT
#pragma once
// A rule of any kind, with what its kind has, so that loading gets beyond the checks.
#include "policy/rule.hpp"

/// `more` bits from bit `first` of `may` on; one of them at least.
constexpr std::uint64_t fuzz_mask(std::uint64_t first, std::uint64_t more, std::uint64_t may) {
    auto const mask = (2 * more + 1) << first % 64 & may;
    return mask != 0 ? mask : may & -may;
}

/// Values or instructions that it lets pass: few, that begin with small ones.
constexpr void fuzz_exception(hv_rule& r, unsigned how, std::uint32_t flags) {
    if (how % 4 != 0 || (flags & HV_RULE_PASSES) == 0) return;
    bool const one = r.kind == HV_RULE_MSR && r.first == r.last;
    r.access = HV_ACCESS_WRITE;
    r.flags = HV_RULE_PASSES | (one && how / 4 % 2 != 0 ? HV_RULE_UNCHANGED : 0);
    r.pass_first = how / 8 % 4;
    r.pass_last = r.pass_first + how / 32 % 4;
}

/// Where and how long: few CPUs, that events come from, and any time.
constexpr void fuzz_scope(hv_rule& r, std::uint8_t how) {
    std::uint32_t const n = how;
    auto const flags = n / 64 * HV_RULE_STAYS | n / 16 % 4 << HV_RULE_MARKER_SHIFT;
    bool const guests = r.kind == HV_RULE_VM || (r.flags & HV_RULE_GUEST) != 0;
    if (r.kind != HV_RULE_MEMORY && !guests) r.cpus = how % 4;
    r.flags |= flags & hv::policy::time_flags;
    auto kept = r;
    kept.action = HV_ACTION_KEEP;
    if (guests && r.kind != HV_RULE_VM && how % 4 > 1)
        r.action = how % 2 != 0 ? HV_ACTION_KILL : HV_ACTION_PAUSE;
    if (how / 4 % 2 != 0 && hv::policy::sound_action(kept)) r = kept;
}

/// Of guests' users that are as small as the numbers.
constexpr void fuzz_guests(hv_rule& r, std::uint16_t how, std::uint64_t first) {
    r.flags = HV_RULE_GUEST;
    r.mask = (first + how) % 4 | (3 + first % 4) << 32;
}

/// how           kind, action, access, exception
/// first, more   of what the kind counts: MSRs, pages, ports, sub-leaves, bits
constexpr hv_rule fuzz_rule(std::uint32_t id, std::uint16_t how, std::uint64_t first,
                            std::uint64_t more) {
    hv_rule r{};
    r.id = id;
    r.kind = static_cast<std::uint16_t>(1 + how % 8);
    if (how % 8 == 7) r.kind = static_cast<std::uint16_t>(HV_RULE_INSTRUCTION + how / 4096 % 3);
    r.action = how / 8 % 2 != 0 ? HV_ACTION_DENY : HV_ACTION_LOG;
    bool const guest = how / 8192 % 2 != 0 && (r.kind == HV_RULE_IO || r.kind == HV_RULE_MSR);
    auto const may = hv::policy::limits_of(r.kind, guest, std::uint64_t{1} << 52);
    r.access = (how / 16 & may.access) != 0 ? how / 16 & may.access : may.access;
    if (may.mask != 0) r.mask = fuzz_mask(first, more, may.mask);
    std::uint64_t base = 0, unit = 1;
    if (r.kind == HV_RULE_MSR) {
        base = hv::policy::msr_range_first(how / 128 % 3);
        first %= hv::policy::msr_range_slots, more %= hv::policy::msr_range_slots - first;
    }
    if (r.kind == HV_RULE_MEMORY) unit = hv::page_bytes;
    if (r.kind == HV_RULE_CR) first = first % 2 * 4, more = 0;
    if (r.kind == HV_RULE_DTR || r.kind == HV_RULE_XCR || r.kind == HV_RULE_INSTRUCTION ||
        r.kind == HV_RULE_DR)
        first = more = 0;
    if (guest) fuzz_guests(r, how, first);
    if (r.kind == HV_RULE_CPUID) {
        base = std::uint64_t{how} / 128 % 4 << 32;
        r.pass_first = how / 512 % 2;
    }
    r.first = base + first * unit;
    r.last = r.first + more * unit + (unit - 1);
    fuzz_exception(r, how / 256, may.flags);
    return r;
}
