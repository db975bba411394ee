// SPDX-License-Identifier: MIT
#include "daemon/policy/policy_json.hpp"

#include <nlohmann/json.hpp>

#include "daemon/text/number.hpp"

namespace hv {
namespace {

using nlohmann::ordered_json;

ordered_json limit_json(std::uint64_t limit, std::uint64_t unit = 1) {
    return limit == ~0ull ? ordered_json(nullptr) : ordered_json(limit * unit);
}

/// Of rules about guest VMs: whose, and what these may have.
void add_guests(ordered_json& out, compiled_rule const& rule) {
    auto const& raw = rule.rule;
    bool const limits = raw.kind == HV_RULE_VM;
    if (!limits && !is_about_guests(raw)) return;
    auto const users = users_of(raw);
    out["users"] = {{"first", users.first}, {"last", users.last}};
    out["vm"] = rule.vm.empty() ? ordered_json(nullptr) : ordered_json(rule.vm);
    if (!limits) return;
    out["limits"] = {{"vms", limit_json(raw.mask)},
                     {"vcpus", limit_json(raw.pass_last)},
                     {"memory_bytes", limit_json(raw.pass_first, HV_PAGE_BYTES)}};
}

void add_exception(ordered_json& out, hv_rule const& rule) {
    if ((rule.flags & HV_RULE_UNCHANGED) != 0)
        out["passes"] = "unchanged";
    else if ((rule.flags & HV_RULE_GROWS) != 0)
        out["passes"] = "growing";
    else if ((rule.flags & HV_RULE_SHRINKS) != 0)
        out["passes"] = "shrinking";
    else if ((rule.flags & HV_RULE_PASSES) != 0)
        out["passes"] = hex(rule.pass_first) + ".." + hex(rule.pass_last);
}

ordered_json rule_json(compiled_rule const& rule) {
    auto const& raw = rule.rule;
    ordered_json out{{"id", raw.id},
                     {"name", rule.name},
                     {"kind", kind_text(raw.kind)},
                     {"object", rule.object},
                     {"access", access_text(raw.access)},
                     {"action", action_text(rule)},
                     {"first", hex(raw.first)},
                     {"last", hex(raw.last)}};
    bool const bits = raw.kind != HV_RULE_VM && !is_about_guests(raw);
    if (bits && raw.mask != 0) out["mask"] = hex(raw.mask);
    out["when"] = when_text(rule);
    out["lifetime"] = lifetime_text(raw);
    if (raw.cpus != 0) out["cpus"] = hex(raw.cpus);
    if (raw.kind == HV_RULE_CPUID) out["mask_ecx_edx"] = hex(raw.pass_first);
    add_guests(out, rule);
    add_exception(out, raw);
    if (auto const& rate = rule.terms.rate; rate.records != 0)
        out["rate"] = {{"records", rate.records}, {"seconds", rate.seconds}};
    return out;
}

ordered_json hash_json(compiled_hash const& hash) {
    return {{"name", hash.name},
            {"kind", "hash"},
            {"object", hash.object},
            {"action", "log"},
            {"sha256", hash.sha256},
            {"first", hex(hash.ranges.front().first)},
            {"last", hex(hash.ranges.back().last)}};
}

}

ordered_json policy_json(compiled_policy const& policy) {
    auto rules = ordered_json::array();
    for (auto const& each : policy.rules) {
        rules.push_back(rule_json(each));
    }
    for (auto const& each : policy.hashes) {
        rules.push_back(hash_json(each));
    }
    return {{"name", policy.name},
            {"description", policy.description},
            {"path", policy.path},
            {"rules", std::move(rules)}};
}

}
