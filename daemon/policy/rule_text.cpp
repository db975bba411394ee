// SPDX-License-Identifier: MIT
// Rules in the words of policy files.
#include <array>

#include "daemon/policy/compiled.hpp"
#include "daemon/policy/names.hpp"
#include "daemon/text/number.hpp"

namespace hv {
namespace {

std::string cpuid_object(hv_rule const& rule) {
    auto const leaf = hex(rule.first >> 32);
    if (rule.first == rule.last) {
        return "cpuid " + leaf + " sub-leaf " + hex(rule.first & 0xffffffff);
    }
    if (rule.first >> 32 == rule.last >> 32) return "cpuid " + leaf;
    return "cpuid " + leaf + ".." + hex(rule.last >> 32);
}

/// Of what guests do, whose: "" where it is about Linux.
std::string guests_text(hv_rule const& rule) {
    if (!is_about_guests(rule)) return {};
    auto const users = users_text(users_of(rule));
    return users.empty() ? " of all guests" : " of guests of " + users;
}

std::string vm_object(hv_rule const& rule) {
    auto const users = users_text(users_of(rule));
    return (users.empty() ? "all VMs" : "VMs of " + users) + ": " + limits_text(rule);
}

}

std::string action_text(compiled_rule const& rule) {
    if (rule.terms.report_only) return "report-only";
    switch (rule.rule.action) {
    case HV_ACTION_DENY:  return "deny";
    case HV_ACTION_KEEP:  return "keep";
    case HV_ACTION_PAUSE: return "pause";
    case HV_ACTION_KILL:  return "kill";
    default:              return "log";
    }
}

std::string cpus_text(hv_rule const& rule) {
    std::string list;
    for (unsigned cpu = 0; cpu < HV_RULE_CPUS; ++cpu) {
        if ((rule.cpus >> cpu & 1) != 0) list += (list.empty() ? "" : ", ") + std::to_string(cpu);
    }
    if (list.empty()) return {};
    return (list.find(',') == std::string::npos ? " on CPU " : " on CPUs ") + list;
}

std::string when_text(compiled_rule const& rule) {
    if (!rule.marker.empty()) return "marker " + rule.marker;
    auto const marker = marker_of(rule.rule);
    if (marker == 0) return "now";
    return marker == HV_MARKER_SEAL ? "seal" : "marker " + std::to_string(marker);
}

std::string lifetime_text(hv_rule const& rule) {
    if ((rule.flags & HV_RULE_RATCHET) != 0) return "ratchet";
    return (rule.flags & HV_RULE_STAYS) != 0 ? "hoisted" : "revocable";
}

std::string access_text(unsigned access) {
    std::string out;
    auto const add = [&](unsigned bit, char const* name) {
        if ((access & bit) != 0) out += (out.empty() ? "" : ",") + std::string{name};
    };
    add(HV_ACCESS_READ, "read");
    add(HV_ACCESS_WRITE, "write");
    add(HV_ACCESS_EXECUTE, "execute");
    return out;
}

std::string kind_text(unsigned kind) {
    constexpr std::array names{"msr", "cr",    "memory",      "dtr", "io",
                               "xcr", "cpuid", "instruction", "dr",  "vm"};
    return kind != 0 && kind <= names.size() ? names.at(kind - 1) : "kind " + std::to_string(kind);
}

std::string object_text(hv_rule const& rule) {
    bool const one = rule.first == rule.last;
    auto const range = one ? hex(rule.first) : hex(rule.first) + ".." + hex(rule.last);
    auto const whose = guests_text(rule);
    switch (rule.kind) {
    case HV_RULE_CR:
        return "cr" + std::to_string(rule.first) + " " + cr_bits_text(rule.first, rule.mask);
    case HV_RULE_MSR:         return (one ? msr_text(rule.first) : "msr " + range) + whose;
    case HV_RULE_DTR:         return bits_text(table_bits(), rule.mask);
    case HV_RULE_DR:          return debug_text(rule.mask);
    case HV_RULE_IO:          return (one ? "port " : "ports ") + range + whose;
    case HV_RULE_XCR:         return "xcr0 " + bits_text(xcr0_bits(), rule.mask);
    case HV_RULE_INSTRUCTION: return bits_text(instruction_bits(), rule.mask);
    case HV_RULE_CPUID:       return cpuid_object(rule);
    case HV_RULE_VM:          return vm_object(rule);
    default:                  return kind_text(rule.kind) + " " + range;
    }
}

user_range users_of(hv_rule const& rule) {
    if (rule.kind != HV_RULE_VM) {
        return {static_cast<std::uint32_t>(rule.mask), static_cast<std::uint32_t>(rule.mask >> 32)};
    }
    return {static_cast<std::uint32_t>(rule.first), static_cast<std::uint32_t>(rule.last)};
}

void set_users(hv_rule& rule, user_range users) {
    if (rule.kind != HV_RULE_VM) {
        rule.mask = users.first | std::uint64_t{users.last} << 32;
        return;
    }
    rule.first = users.first;
    rule.last = users.last;
}

std::string users_text(user_range users) {
    if (users.first == 0 && users.last == last_user) return {};
    if (users.first == users.last) return "user " + std::to_string(users.first);
    return "users " + std::to_string(users.first) + ".." + std::to_string(users.last);
}

std::string limits_text(hv_rule const& rule) {
    std::string out;
    auto const add = [&](std::uint64_t limit, std::string const& text) {
        if (limit != ~0ull) out += (out.empty() ? "at most " : ", ") + text;
    };
    add(rule.mask, counted(rule.mask, "VM"));
    add(rule.pass_last, counted(rule.pass_last, "vcpu"));
    add(rule.pass_first, human_bytes(rule.pass_first * HV_PAGE_BYTES));
    return out;
}

std::vector<std::string> marker_texts(std::uint64_t markers,
                                      std::map<std::uint32_t, std::string> const& names) {
    std::vector<std::string> out;
    for (std::uint32_t i = HV_MARKER_SEAL + 1; i < HV_MARKERS; ++i) {
        if ((markers >> i & 1) == 0) continue;
        auto const at = names.find(i);
        out.push_back(at == names.end() ? "marker " + std::to_string(i) : at->second);
    }
    return out;
}

}
