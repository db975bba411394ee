// SPDX-License-Identifier: MIT
#include "daemon/policy/compiled.hpp"

#include <algorithm>
#include <array>
#include <fstream>

#include <sys/stat.h>

#include "daemon/policy/compiler.hpp"
#include "daemon/policy/names.hpp"
#include "daemon/text/number.hpp"

namespace hv {
namespace {

bool overlap(hv_rule const& a, hv_rule const& b) {
    if (a.kind != b.kind || (a.access & b.access) == 0) return false;
    if (a.cpus != 0 && b.cpus != 0 && (a.cpus & b.cpus) == 0) return false;
    bool const together = a.first <= b.last && b.first <= a.last;
    // Of CPUID's answers each rule takes its bits.
    if (a.kind == HV_RULE_CPUID)
        return together && ((a.mask & b.mask) | (a.pass_first & b.pass_first)) != 0;
    return together && (a.mask == 0 || (a.mask & b.mask) != 0);
}

/// Of two rules on one MSR or bit the core keeps one, which must stand for both.
bool same_exception(hv_rule const& a, hv_rule const& b) {
    if (a.kind == HV_RULE_MEMORY || a.kind == HV_RULE_CPUID) return true;
    constexpr std::uint32_t pass = HV_RULE_PASSES | HV_RULE_UNCHANGED;
    return ((a.flags ^ b.flags) & pass) == 0 && a.pass_first == b.pass_first &&
           a.pass_last == b.pass_last;
}

std::string overlap_text(hv_rule const& a, hv_rule const& b) {
    auto both = a;
    both.access &= b.access;
    both.first = std::max(a.first, b.first);
    both.last = std::min(a.last, b.last);
    both.mask &= b.mask;
    both.cpus = a.cpus != 0 && b.cpus != 0 ? a.cpus & b.cpus : a.cpus | b.cpus;
    auto const cpus = cpus_text(both);
    if (a.kind == HV_RULE_MSR) {
        return access_text(both.access) + " of " + msr_text(both.first) + cpus;
    }
    if (a.kind == HV_RULE_MEMORY) return access_text(both.access) + " at " + hex(both.first);
    return object_text(both) + cpus;
}

[[noreturn]] void contradiction(compiled_rule const& a, compiled_rule const& b) {
    auto const rule = [](compiled_rule const& r) {
        return "rule \"" + r.name + "\" (" + action_text(r) + ")";
    };
    bool const actions = action_text(a) != action_text(b);
    throw policy_error{a.place + ": " + rule(a) + " contradicts " + rule(b) + " at " + b.place +
                       ": both are about " + overlap_text(a.rule, b.rule) +
                       (actions ? ": change one of them"
                                : ", with other exceptions: give both the "
                                  "same \"value\" or \"except\"")};
}

}

std::string action_text(compiled_rule const& rule) {
    if (rule.terms.report_only) return "report-only";
    if (rule.rule.action == HV_ACTION_KEEP) return "keep";
    return rule.rule.action == HV_ACTION_DENY ? "deny" : "log";
}

std::string cpus_text(hv_rule const& rule) {
    std::string list;
    for (unsigned cpu = 0; cpu < HV_RULE_CPUS; ++cpu) {
        if ((rule.cpus >> cpu & 1) != 0) list += (list.empty() ? "" : ", ") + std::to_string(cpu);
    }
    if (list.empty()) return {};
    return (list.find(',') == std::string::npos ? " on CPU " : " on CPUs ") + list;
}

std::string when_text(hv_rule const& rule) {
    return (rule.flags & HV_RULE_WAITS) != 0 ? "seal" : "now";
}

std::string lifetime_text(hv_rule const& rule) {
    if ((rule.flags & HV_RULE_RATCHET) != 0) return "ratchet";
    return (rule.flags & HV_RULE_STAYS) != 0 ? "hoisted" : "revocable";
}

std::size_t rule_count(compiled_policy const& policy) {
    std::size_t count = policy.hashes.size();
    for (auto const& each : policy.rules) {
        if (&each == policy.rules.data() || (&each)[-1].name != each.name) ++count;
    }
    return count;
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
    constexpr std::array names{"msr", "cr", "memory", "dtr", "io", "xcr", "cpuid", "instruction"};
    return kind != 0 && kind <= names.size() ? names.at(kind - 1) : "kind " + std::to_string(kind);
}

std::string object_text(hv_rule const& rule) {
    bool const one = rule.first == rule.last;
    auto const range = one ? hex(rule.first) : hex(rule.first) + ".." + hex(rule.last);
    auto const leaf = hex(rule.first >> 32);
    auto const subleaf = hex(rule.first & 0xffffffff);
    switch (rule.kind) {
    case HV_RULE_CR:
        return "cr" + std::to_string(rule.first) + " " + cr_bits_text(rule.first, rule.mask);
    case HV_RULE_MSR:         return one ? msr_text(rule.first) : "msr " + range;
    case HV_RULE_DTR:         return tables_text(rule.first, rule.last);
    case HV_RULE_IO:          return (one ? "port " : "ports ") + range;
    case HV_RULE_XCR:         return "xcr0 " + bits_text(xcr0_bits(), rule.mask);
    case HV_RULE_INSTRUCTION: return bits_text(instruction_bits(), rule.mask);
    case HV_RULE_CPUID:
        if (one) return "cpuid " + leaf + " sub-leaf " + subleaf;
        if (rule.first >> 32 == rule.last >> 32) return "cpuid " + leaf;
        return "cpuid " + leaf + ".." + hex(rule.last >> 32);
    default: return kind_text(rule.kind) + " " + range;
    }
}

/// Kinds whose cost does not depend on the access; null: the others.
char const* plain_cost(unsigned kind) {
    switch (kind) {
    case HV_RULE_CR: return "an exit per write that changes such a bit (SVM: per write)";
    case HV_RULE_DTR:
        return "two exits per LGDT or LIDT (VMX: per SGDT, SIDT, LLDT, LTR, SLDT, STR too)";
    case HV_RULE_XCR:   return "an exit per XSETBV (VMX: as without it)";
    case HV_RULE_CPUID: return "an exit per CPUID of any leaf (VMX: as without it, but slower)";
    case HV_RULE_INSTRUCTION:
        return "an exit per execution, two where it is only logged (VMX: RDTSC and RDTSCP exit "
               "together)";
    default: return nullptr;
    }
}

std::string cost_text(hv_rule const& rule) {
    if (auto const* const cost = plain_cost(rule.kind)) return cost;
    std::string how;
    auto const add = [&](unsigned bit, std::string const& what) {
        if ((rule.access & bit) != 0) how += (how.empty() ? "an exit per " : ", per ") + what;
    };
    add(HV_ACCESS_READ, "read");
    add(HV_ACCESS_WRITE, "write");
    add(HV_ACCESS_EXECUTE, "execution");
    if (rule.kind == HV_RULE_IO) return "an exit per access, two where it happens";
    bool const opens = rule.kind == HV_RULE_MEMORY && (rule.flags & HV_RULE_PASSES) != 0;
    return how + (opens ? ", two per write that passes" : "");
}

void refuse_contradictions(std::vector<compiled_rule const*> const& rules) {
    for (auto const* const later : rules) {
        for (auto const* const earlier : rules) {
            if (earlier == later) break;
            bool const agree = earlier->rule.action == later->rule.action &&
                               earlier->terms.report_only == later->terms.report_only &&
                               same_exception(earlier->rule, later->rule);
            if (!agree && overlap(later->rule, earlier->rule)) contradiction(*later, *earlier);
        }
    }
}

std::string read_policy_file(std::string const& path) {
    struct stat about{};
    if (stat(path.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) {
        throw policy_error{path + ": no such file: give the path of a file"};
    }
    std::ifstream file{path, std::ios::binary};
    if (!file) throw policy_error{path + ": cannot be read: check its permissions"};
    // One byte more than there was tells a file that grew, or is too long.
    auto const size = std::min<std::size_t>(static_cast<std::size_t>(about.st_size),
                                            policy_file_bytes);
    std::string text(size + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > policy_file_bytes) {
        throw policy_error{path + ": longer than 1 MiB, which no file of hvd's may be"};
    }
    if (text.size() > size) throw policy_error{path + ": grew while it was read: try again"};
    return text;
}

}
