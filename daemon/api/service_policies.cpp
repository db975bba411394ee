// SPDX-License-Identifier: MIT
#include <cerrno>

#include <nlohmann/json.hpp>

#include "daemon/api/json_rpc.hpp"
#include "daemon/api/policy_folder.hpp"
#include "daemon/api/service.hpp"
#include "daemon/api/state_file.hpp"
#include "daemon/device/device_error.hpp"
#include "daemon/policy/compiler.hpp"
#include "daemon/policy/policy_json.hpp"
#include "daemon/policy/rule_reader.hpp"
#include "daemon/policy/summary.hpp"
#include "daemon/text/number.hpp"

namespace hv {
namespace {

using nlohmann::ordered_json;

rpc_error nothing_waits_for(std::string const& marker, std::vector<std::string> const& others) {
    auto text = "nothing waits for the marker \"" + marker + "\"";
    if (marker == "seal") {
        return rpc_error{rpc_code::refused, text + ": the seal is hvctl policy seal", ENOENT};
    }
    std::string list;
    for (auto const& each : others) {
        list += (list.empty() ? "" : ", ") + each;
    }
    text += list.empty() ? ": no rule in force waits for any" : ": waited for are " + list;
    return rpc_error{rpc_code::refused, text, ENOENT};
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
    next.require_lasting(book_);
    next.require_cpus(cpus_);
    save(next);
    try {
        device_.policy_set(next.rules());
    } catch (...) {
        save(book_);
        throw;
    }
    book_ = std::move(next);
    keep_vm_users();
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
    return {{"policies", std::move(policies)},
            {"locked", locked_},
            {"sealed", book_.sealed()},
            {"markers", book_.reached()},
            {"waited_for", book_.waited_for()}};
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
    return policy_json(*policy);
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
    device_.policy_mark(HV_MARKER_SEAL);
    refresh();
    note("policy_seal", "policy sealed: the rules that waited are in force", who);
    return {{"sealed", book_.sealed()}};
}

ordered_json service::policy_mark(value const& params, peer const& who) {
    params.only({"marker"});
    auto const name = read_name(params.at("marker"));
    require_hoisted(refresh());
    auto const number = book_.marker_called(name);
    if (!number) throw nothing_waits_for(name, book_.waited_for());
    device_.policy_mark(*number);
    refresh();
    note("policy_mark", "marker " + name + " reached: the rules that waited for it are in force",
         who);
    return {{"marker", name}, {"markers", book_.reached()}};
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
