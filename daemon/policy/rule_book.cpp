// SPDX-License-Identifier: MIT
#include "daemon/policy/rule_book.hpp"

#include <algorithm>
#include <cstring>

#include "daemon/policy/compiler.hpp"

namespace hv {
namespace {

// Ids of rules that are gone still name the records that are not yet read.
constexpr std::size_t names_kept = 8192;

bool same_but_id(hv_rule a, hv_rule const& b) {
    a.id = b.id;
    return std::memcmp(&a, &b, sizeof(a)) == 0;
}

/// Whether it may neither go nor change: it is in force, and not revocable.
bool is_lasting(hv_rule const& rule, std::uint64_t reached) {
    auto const marker = marker_of(rule);
    bool const in_force = marker == 0 || (reached >> marker & 1) != 0;
    return in_force && (rule.flags & (HV_RULE_STAYS | HV_RULE_RATCHET)) != 0;
}

/// Memory in several pieces has a rule for each, all of one name.
compiled_rule const* find_same(compiled_policy const* policy, compiled_rule const& rule) {
    if (policy == nullptr) return nullptr;
    auto const at = std::find_if(policy->rules.begin(), policy->rules.end(), [&](auto const& each) {
        return each.name == rule.name && each.terms == rule.terms &&
               same_but_id(each.rule, rule.rule);
    });
    return at == policy->rules.end() ? nullptr : &*at;
}

/// A rule in force that no file of ours explains.
compiled_rule stranger(hv_rule const& rule, rule_name const* known, std::string marker) {
    compiled_rule out;
    out.name = known != nullptr ? known->rule : "rule-" + std::to_string(rule.id);
    out.rule = rule;
    if (known != nullptr) out.terms = known->terms;
    if (known != nullptr) out.vm = known->vm;
    out.marker = std::move(marker);
    out.object = object_text(rule) + cpus_text(rule);
    out.place = "(in force before hvd started)";
    return out;
}

}

compiled_policy const* rule_book::find(std::string const& name) const {
    auto const at = std::find_if(policies_.begin(), policies_.end(),
                                 [&](auto const& each) { return each.name == name; });
    return at == policies_.end() ? nullptr : &*at;
}

void rule_book::take_in(compiled_policy& policy, compiled_policy const* before) {
    number_markers(policy);
    for (auto& each : policy.rules) {
        auto const* const same = find_same(before, each);
        if (same != nullptr) {
            each.rule.id = same->rule.id;
            continue;
        }
        each.rule.id = next_id_++;
        names_[each.rule.id] = {policy.name, each.name, each.terms, each.vm};
        if (names_.size() > names_kept) names_.erase(names_.begin());
    }
}

void rule_book::check() const {
    std::vector<compiled_rule const*> all;
    for (auto const& policy : policies_) {
        for (auto const& rule : policy.rules) {
            all.push_back(&rule);
        }
    }
    if (all.size() > HV_MAX_RULES) {
        throw policy_error{std::to_string(all.size()) +
                           " rules in all policies together, but the "
                           "core holds " +
                           std::to_string(HV_MAX_RULES) + ": remove a policy first"};
    }
    refuse_contradictions(all);
}

rule_book rule_book::with(compiled_policy policy) const {
    rule_book next = *this;
    auto const at = std::find_if(next.policies_.begin(), next.policies_.end(),
                                 [&](auto const& each) { return each.name == policy.name; });
    next.take_in(policy, at == next.policies_.end() ? nullptr : &*at);
    if (at == next.policies_.end()) {
        next.policies_.push_back(std::move(policy));
    } else {
        *at = std::move(policy);
    }
    next.check();
    return next;
}

rule_book rule_book::without(std::string const& name) const {
    rule_book next = *this;
    std::erase_if(next.policies_, [&](auto const& each) { return each.name == name; });
    return next;
}

void rule_book::require_lasting(rule_book const& now) const {
    std::map<std::uint32_t, hv_rule> mine;
    for (auto const& policy : policies_) {
        for (auto const& each : policy.rules) mine[each.rule.id] = each.rule;
    }
    for (auto const& policy : now.policies_) {
        for (auto const& each : policy.rules) {
            if (!is_lasting(each.rule, now.reached_)) continue;
            auto const at = mine.find(each.rule.id);
            if (at != mine.end() && std::memcmp(&at->second, &each.rule, sizeof(hv_rule)) == 0) {
                continue;
            }
            bool const ratchet = (each.rule.flags & HV_RULE_RATCHET) != 0;
            throw policy_error{"rule \"" + each.name + "\" of policy \"" + policy.name +
                               "\" can be neither removed nor changed before " +
                               (ratchet ? "the next boot" : "this Linux is unhoisted")};
        }
    }
}

void rule_book::require_cpus(std::uint64_t present) const {
    for (auto const& policy : policies_) {
        for (auto const& each : policy.rules) {
            auto absent = each.rule;
            absent.cpus &= ~present;
            if (absent.cpus == 0) continue;
            throw policy_error{each.place + ": rule \"" + each.name + "\" is" + cpus_text(absent) +
                               ", which this Linux does not have"};
        }
    }
}

rule_book rule_book::emptied() const {
    rule_book next = *this;
    next.policies_.clear();
    return next;
}

std::vector<named_rules> rule_book::rules() const {
    std::vector<named_rules> out;
    for (auto const& policy : policies_) {
        auto& into = out.emplace_back();
        into.name = policy.name;
        into.modules = policy.modules;
        for (auto const& each : policy.rules) {
            into.rules.push_back(each.rule);
        }
    }
    return out;
}

rule_name const* rule_book::name_of(std::uint32_t id) const {
    auto const at = names_.find(id);
    return at == names_.end() ? nullptr : &at->second;
}

rule_book rule_book::adjusted_to(enforced_policies const& enforced) const {
    rule_book next = emptied();
    next.reached_ = enforced.markers;
    for (auto const& each : enforced.policies) {
        compiled_policy policy;
        if (auto const* const known = find(each.name)) policy = *known;
        auto const known_rules = std::exchange(policy.rules, {});
        policy.name = each.name;
        policy.modules = each.modules;
        for (auto const& rule : each.rules) {
            auto const at = std::find_if(
                known_rules.begin(), known_rules.end(), [&](auto const& candidate) {
                    return std::memcmp(&candidate.rule, &rule, sizeof(rule)) == 0;
                });
            policy.rules.push_back(at == known_rules.end() ? stranger(rule, name_of(rule.id),
                                                                      marker_name(marker_of(rule)))
                                                           : *at);
            auto const& added = policy.rules.back();
            next.names_.try_emplace(rule.id,
                                    rule_name{each.name, added.name, added.terms, added.vm});
            next.next_id_ = std::max(next.next_id_, rule.id + 1);
        }
        next.policies_.push_back(std::move(policy));
    }
    return next;
}

}
