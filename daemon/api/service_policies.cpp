// SPDX-License-Identifier: MIT
#include <cerrno>

#include <nlohmann/json.hpp>

#include "daemon/api/json_rpc.hpp"
#include "daemon/api/policy_folder.hpp"
#include "daemon/api/service.hpp"
#include "daemon/api/state_file.hpp"
#include "daemon/device/device_error.hpp"
#include "daemon/policy/compiler.hpp"
#include "daemon/policy/rule_reader.hpp"
#include "daemon/policy/summary.hpp"
#include "daemon/text/number.hpp"

namespace hv {
namespace {

using nlohmann::ordered_json;

ordered_json rule_json(compiled_rule const& rule) {
    ordered_json out{{"id", rule.rule.id},
                     {"name", rule.name},
                     {"kind", kind_text(rule.rule.kind)},
                     {"object", rule.object},
                     {"access", access_text(rule.rule.access)},
                     {"action", action_text(rule)},
                     {"first", hex(rule.rule.first)},
                     {"last", hex(rule.rule.last)}};
    if (rule.rule.mask != 0) out["mask"] = hex(rule.rule.mask);
    out["when"] = when_text(rule.rule);
    out["lifetime"] = lifetime_text(rule.rule);
    if (rule.rule.cpus != 0) out["cpus"] = hex(rule.rule.cpus);
    if (rule.rule.kind == HV_RULE_CPUID) out["mask_ecx_edx"] = hex(rule.rule.pass_first);
    if ((rule.rule.flags & HV_RULE_UNCHANGED) != 0)
        out["passes"] = "unchanged";
    else if ((rule.rule.flags & HV_RULE_PASSES) != 0)
        out["passes"] = hex(rule.rule.pass_first) + ".." + hex(rule.rule.pass_last);
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

rule_book service::book_of_files(rule_book book) {
    for (auto const& path : policy_files(config_.policies)) {
        book = with_policy_file(book, path, symbols_);
    }
    return book;
}

/// The names are saved first: killed in between, hvd still knows the rules of either set.
void service::enforce(rule_book next) {
    next.require_lasting(book_, sealed_);
    next.require_cpus(cpus_);
    save(next);
    try {
        device_.policy_set(next.rules());
    } catch (...) {
        save(book_);
        throw;
    }
    book_ = std::move(next);
}

void service::save(rule_book const& book) const { write_state_file(config_.state, book.to_json()); }

compiled_policy service::compile(value const& params) {
    params.only({"path", "text"});
    return compile_policy(params.at("path").text(), params.at("text").text(), symbols_);
}

ordered_json service::policy_check(value const& params, peer const&) {
    auto const policy = compile(params);
    try {
        if (refresh().hoisted && policy.resolved) (void)book_.with(policy);
    } catch (device_error const&) {
        // A file can be checked on a machine without hv.ko, too.
    }
    return summary_json(policy);
}

ordered_json service::policy_apply(value const& params, peer const& who) {
    auto policy = compile(params);
    require_resolved(policy);
    auto const answer = summary_json(policy);
    require_hoisted(refresh());
    enforce(book_.with(std::move(policy)));
    auto const name = answer["name"].get<std::string>();
    note("policy_applied", "policy " + name + " applied", who, {.policy = name});
    return answer;
}

ordered_json service::policy_list(value const& params, peer const&) {
    params.only({});
    refresh();
    auto policies = ordered_json::array();
    for (auto const& each : book_.policies()) {
        policies.push_back({{"name", each.name},
                            {"rules", rule_count(each)},
                            {"description", each.description},
                            {"path", each.path}});
    }
    return {{"policies", std::move(policies)}, {"locked", locked_}, {"sealed", sealed_}};
}

ordered_json service::policy_show(value const& params, peer const&) {
    params.only({"name"});
    auto const name = read_name(params.at("name"));
    refresh();
    auto const* const policy = book_.find(name);
    if (policy == nullptr) {
        throw rpc_error{rpc_code::refused,
                        "no policy \"" + name +
                            "\" is in force: hvctl policy "
                            "list names those that are",
                        ENOENT};
    }
    auto rules = ordered_json::array();
    for (auto const& each : policy->rules) {
        rules.push_back(rule_json(each));
    }
    for (auto const& each : policy->hashes) {
        rules.push_back(hash_json(each));
    }
    return {{"name", policy->name},
            {"description", policy->description},
            {"path", policy->path},
            {"rules", std::move(rules)}};
}

ordered_json service::policy_remove(value const& params, peer const& who) {
    params.only({"name"});
    auto const name = read_name(params.at("name"));
    require_hoisted(refresh());
    if (book_.find(name) == nullptr) {
        throw rpc_error{rpc_code::refused,
                        "no policy \"" + name +
                            "\" is in force: hvctl policy "
                            "list names those that are",
                        ENOENT};
    }
    enforce(book_.without(name));
    note("policy_removed", "policy " + name + " removed", who, {.policy = name});
    return {{"name", name}};
}

/// hv.ko and the core need no names for it: what waits is with them.
ordered_json service::policy_seal(value const& params, peer const& who) {
    params.only({});
    require_hoisted(refresh());
    device_.policy_seal();
    refresh();
    note("policy_seal", "policy sealed: the rules that waited are in force", who);
    return {{"sealed", sealed_}};
}

ordered_json service::policy_lock(value const& params, peer const& who) {
    params.only({});
    require_hoisted(refresh());
    device_.policy_lock();
    refresh();
    note("policy_lock", "policy locked until the next boot", who);
    return {{"locked", locked_}};
}

}
