// SPDX-License-Identifier: MIT
#include "daemon/policy/places.hpp"

#include <algorithm>
#include <cstring>

#include "daemon/text/number.hpp"

namespace hv {
namespace {

/// The pieces as the core likes them: few, whatever order the linear addresses had.
std::vector<hv_range> joined(std::vector<hv_range> ranges) {
    std::sort(ranges.begin(), ranges.end(),
              [](hv_range const& a, hv_range const& b) { return a.first < b.first; });
    std::vector<hv_range> out;
    for (auto const& each : ranges) {
        if (!out.empty() && each.first <= out.back().last + 1)
            out.back().last = std::max(out.back().last, each.last);
        else
            out.push_back(each);
    }
    return out;
}

bool is_module(place_request const& request) { return !request.module.empty(); }

/// hv.ko keeps the module as long as the policy is in force.
void hold_module(read_rule const& rule, std::uint64_t stamp, compiled_policy& policy) {
    auto const& name = rule.place->request.module;
    for (auto const& each : policy.modules) {
        if (each.name == name) return;
    }
    if (policy.modules.size() == HV_MAX_MODULES) {
        fail_at(rule.compiled, rule.place->path,
                "rules of one policy are about at most " + std::to_string(HV_MAX_MODULES) +
                    " modules");
    }
    hv_module_stamp held{};
    std::memcpy(held.name, name.data(), std::min(name.size(), sizeof(held.name) - 1));
    held.stamp = stamp;
    policy.modules.push_back(held);
}

std::vector<hv_range> ranges_of(read_rule const& rule, place_answer const& place) {
    if (rule.place) return place.ranges;
    return {{rule.compiled.rule.first, rule.compiled.rule.last}};
}

}

void fail_at(compiled_rule const& rule, std::string const& path, std::string const& what) {
    throw document_error{rule.place + ": " + path + ": " + what};
}

void note_unavailable(compiled_policy& policy, std::string const& what, std::string const& why) {
    if (why.empty()) return;
    policy.resolved = false;
    auto note = what + " are not resolved: " + why;
    if (std::find(policy.notes.begin(), policy.notes.end(), note) == policy.notes.end()) {
        policy.notes.push_back(std::move(note));
    }
}

found_places find_places(std::vector<read_rule> const& rules, symbol_resolver& symbols,
                         compiled_policy& policy) {
    found_places out;
    for (auto const& each : rules) {
        auto& into = out.emplace_back();
        if (!each.place) continue;
        auto found = symbols.place(each.place->request);
        if (!found.refused.empty()) fail_at(each.compiled, each.place->path, found.refused);
        note_unavailable(policy, "addresses", found.unavailable);
        into = std::move(found.answer);
    }
    return out;
}

void add_rule(read_rule const& rule, place_answer const& place, compiled_policy& policy) {
    if (!rule.place || !policy.resolved) {
        policy.rules.push_back(rule.compiled);
        return;
    }
    auto const pieces = joined(place.ranges);
    if (policy.rules.size() + pieces.size() > HV_MAX_RULES) {
        fail_at(rule.compiled, rule.place->path,
                "lies in " + counted(pieces.size(), "piece") +
                    " of physical memory, and each takes one of the core's " +
                    std::to_string(HV_MAX_RULES) + " rules: name less");
    }
    if (is_module(rule.place->request)) hold_module(rule, place.stamp, policy);
    for (auto const& each : pieces) {
        auto& added = policy.rules.emplace_back(rule.compiled);
        added.rule.first = each.first;
        added.rule.last = each.last;
    }
    if (pieces.size() > 1) {
        policy.notes.push_back("rule \"" + rule.compiled.name + "\": " + rule.compiled.object +
                               " lies in " + counted(pieces.size(), "piece") +
                               " of physical memory, a rule of the core each");
    }
}

void add_hash(read_rule const& rule, place_answer const& place, symbol_resolver& symbols,
              compiled_policy& policy) {
    auto const& compiled = rule.compiled;
    auto& hash = policy.hashes.emplace_back(
        compiled_hash{compiled.name, {}, {}, compiled.object, compiled.place});
    if (!policy.resolved) return;
    hash.ranges = ranges_of(rule, place);
    if (rule.place && is_module(rule.place->request)) hold_module(rule, place.stamp, policy);
    auto const sum = symbols.sum(hash.ranges);
    if (!sum.refused.empty()) fail_at(compiled, "its memory", sum.refused);
    note_unavailable(policy, "sums", sum.unavailable);
    if (!sum.unavailable.empty()) return;
    hash.sha256 = hex(std::span{sum.answer});
    if (rule.sum && rule.sum->sha256 != hash.sha256) {
        fail_at(compiled, rule.sum->path,
                "the file says " + rule.sum->sha256 + ", but " + compiled.object + " has " +
                    hash.sha256);
    }
}

}
