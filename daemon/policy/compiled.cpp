// SPDX-License-Identifier: MIT
#include "daemon/policy/compiled.hpp"

#include <algorithm>
#include <fstream>

#include <sys/stat.h>

#include "daemon/policy/compiler.hpp"
#include "daemon/text/number.hpp"

namespace hv {
namespace {

bool share_users(hv_rule const& a, hv_rule const& b) {
    auto const of_a = users_of(a);
    auto const of_b = users_of(b);
    return of_a.first <= of_b.last && of_b.first <= of_a.last;
}

bool overlap(hv_rule const& a, hv_rule const& b) {
    if (a.kind != b.kind || (a.access & b.access) == 0) return false;
    if (a.kind == HV_RULE_VM) return false;    // of several limits each holds
    if (is_about_guests(a) != is_about_guests(b)) return false;
    if (a.cpus != 0 && b.cpus != 0 && (a.cpus & b.cpus) == 0) return false;
    bool const together = a.first <= b.last && b.first <= a.last;
    if (is_about_guests(a)) return together && share_users(a, b);
    // Of CPUID's answers each rule takes its bits.
    if (a.kind == HV_RULE_CPUID)
        return together && ((a.mask & b.mask) | (a.pass_first & b.pass_first)) != 0;
    return together && (a.mask == 0 || (a.mask & b.mask) != 0);
}

/// Of two rules on one MSR or bit the core keeps one, which must stand for both.
bool same_exception(hv_rule const& a, hv_rule const& b) {
    if (a.kind == HV_RULE_MEMORY || a.kind == HV_RULE_CPUID) return true;
    constexpr std::uint32_t pass = HV_RULE_PASSES | HV_RULE_UNCHANGED | HV_RULE_GROWS |
                                   HV_RULE_SHRINKS;
    return ((a.flags ^ b.flags) & pass) == 0 && a.pass_first == b.pass_first &&
           a.pass_last == b.pass_last;
}

std::string overlap_text(hv_rule const& a, hv_rule const& b) {
    auto both = a;
    both.access &= b.access;
    both.first = std::max(a.first, b.first);
    both.last = std::min(a.last, b.last);
    both.mask &= b.mask;
    if (is_about_guests(a)) {
        auto const of_a = users_of(a);
        auto const of_b = users_of(b);
        set_users(both, {std::max(of_a.first, of_b.first), std::min(of_a.last, of_b.last)});
    }
    both.cpus = a.cpus != 0 && b.cpus != 0 ? a.cpus & b.cpus : a.cpus | b.cpus;
    auto const cpus = cpus_text(both);
    if (a.kind == HV_RULE_MSR) {
        both.last = both.first;
        return access_text(both.access) + " of " + object_text(both) + cpus;
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

std::size_t rule_count(compiled_policy const& policy) {
    std::size_t count = policy.hashes.size();
    for (auto const& each : policy.rules) {
        if (&each == policy.rules.data() || (&each)[-1].name != each.name) ++count;
    }
    return count;
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
