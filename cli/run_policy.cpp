// SPDX-License-Identifier: MIT
#include <filesystem>

#include <nlohmann/json.hpp>

#include "cli/run.hpp"
#include "cli/table.hpp"
#include "daemon/policy/compiler.hpp"
#include "daemon/policy/summary.hpp"
#include "daemon/text/number.hpp"

namespace hv::cli {
namespace {

using nlohmann::ordered_json;

ordered_json file_params(std::string const& path) {
    std::error_code unknown;
    auto const absolute = std::filesystem::absolute(path, unknown);
    return {{"path", unknown ? path : absolute.lexically_normal().string()},
            {"text", read_policy_file(path)}};
}

void print_outcome(context& with, ordered_json const& outcome, std::string const& what) {
    if (with.json) return with.print_json(outcome);
    with.print("policy " + outcome.value("name", "") + ": " + what + ", " +
               counted(outcome.value("rules", 0u), "rule") + "\n");
    for (auto const& each : outcome.at("notes")) {
        with.print("  note: " + each.get<std::string>() + "\n");
    }
}

/// Without hvd: the file alone, and symbols only where this user may see them.
ordered_json check_here(std::string const& path) {
    kernel_symbols symbols;
    return summary_json(compile_policy(path, read_policy_file(path), symbols));
}

/// A hvd of an older version does not tell them.
void print_costs(context& with, ordered_json const& outcome) {
    table rows{{"RULE", "ACTION", "WHEN", "LIFETIME", "OBJECT", "COST"}};
    for (auto const& each : outcome.value("costs", ordered_json::array())) {
        rows.row({each.value("name", ""), each.value("action", ""), each.value("when", "now"),
                  each.value("lifetime", "revocable"), each.value("object", ""),
                  each.value("cost", "")});
    }
    if (!rows.empty()) with.print("\n" + rows.text());
}

std::unique_ptr<client> hvd_if_allowed(context const& with) {
    try {
        return with.try_hvd();
    } catch (refusal const&) {
        return nullptr;
    }
}

}

int run_policy_check(context& with, invocation const& what) {
    auto const& path = what.text("FILE");
    auto const params = file_params(path);
    auto const hvd = hvd_if_allowed(with);
    auto const outcome = hvd ? hvd->call("policy.check", params) : check_here(path);
    print_outcome(with, outcome, "sound");
    if (!with.json) print_costs(with, outcome);
    return done;
}

int run_policy_apply(context& with, invocation const& what) {
    auto const params = file_params(what.text("FILE"));
    print_outcome(with, with.hvd()->call("policy.apply", params), "in force");
    return done;
}

int run_policy_list(context& with, invocation const&) {
    auto const answer = with.hvd()->call("policy.list");
    if (with.json) {
        with.print_json(answer);
        return done;
    }
    table rows{{"POLICY", "RULES", "FILE"}};
    for (auto const& each : answer.at("policies")) {
        rows.row({each.value("name", ""), std::to_string(each.value("rules", 0)),
                  each.value("path", "")});
    }
    with.print(rows.empty() ? "no policy is in force\n" : rows.text());
    if (answer.value("sealed", false)) with.print("sealed: no rule waits for the seal\n");
    for (auto const& each : answer.value("markers", ordered_json::array())) {
        with.print("marker " + each.get<std::string>() + " reached\n");
    }
    if (answer.value("locked", false)) with.print("locked until the next boot\n");
    return done;
}

int run_policy_show(context& with, invocation const& what) {
    auto const answer = with.hvd()->call("policy.show", {{"name", what.text("NAME")}});
    if (with.json) {
        with.print_json(answer);
        return done;
    }
    with.print("policy " + answer.value("name", "") + "\n");
    if (auto const text = answer.value("description", ""); !text.empty()) {
        with.print(text + "\n");
    }
    if (auto const path = answer.value("path", ""); !path.empty())
        with.print("from " + path + "\n");
    table rows{{"RULE", "ACTION", "WHEN", "LIFETIME", "ACCESS", "OBJECT", "FIRST", "LAST", "ID"}};
    for (auto const& each : answer.at("rules")) {
        rows.row({each.value("name", ""), each.value("action", ""), each.value("when", "now"),
                  each.value("lifetime", "revocable"), each.value("access", ""),
                  each.value("object", ""), each.value("first", ""), each.value("last", ""),
                  each.contains("id") ? std::to_string(each.value("id", 0)) : "-"});
    }
    with.print("\n" + rows.text());
    return done;
}

int run_policy_remove(context& with, invocation const& what) {
    auto const answer = with.hvd()->call("policy.remove", {{"name", what.text("NAME")}});
    if (with.json) with.print_json(answer);
    if (!with.json) with.print("policy " + what.text("NAME") + ": removed\n");
    return done;
}

int run_policy_seal(context& with, invocation const&) {
    auto const answer = with.hvd()->call("policy.seal");
    if (with.json) with.print_json(answer);
    if (!with.json) with.print("sealed: the rules that waited for it are in force\n");
    return done;
}

int run_policy_mark(context& with, invocation const& what) {
    auto const answer = with.hvd()->call("policy.mark", {{"marker", what.text("NAME")}});
    if (with.json) with.print_json(answer);
    if (!with.json) {
        with.print("marker " + what.text("NAME") +
                   " reached: the rules that waited for it are in force\n");
    }
    return done;
}

int run_policy_lock(context& with, invocation const&) {
    auto const answer = with.hvd()->call("policy.lock");
    if (with.json) with.print_json(answer);
    if (!with.json)
        with.print("locked: until the next boot rules can only be added, and this "
                   "Linux stays hoisted\n");
    return done;
}

int run_policy_verify(context& with, invocation const& what) {
    auto params = ordered_json::object();
    if (what.has("NAME")) params["name"] = what.text("NAME");
    auto const answer = with.hvd()->call("policy.verify", params);
    table rows{{"POLICY", "RULE", "OBJECT", "SHA-256", "NOW"}};
    std::string changed;
    for (auto const& each : answer.at("rules")) {
        bool const agrees = each.value("agrees", false);
        rows.row({each.value("policy", ""), each.value("name", ""), each.value("object", ""),
                  each.value("sha256", ""), agrees ? "the same" : each.value("found", "")});
        if (!agrees && changed.empty()) {
            changed = "policy " + each.value("policy", "") + ", rule " + each.value("name", "") +
                      ": " + each.value("object", "") + " has changed";
        }
    }
    if (with.json) with.print_json(answer);
    if (!with.json) with.print(rows.empty() ? "no rule of kind hash is in force\n" : rows.text());
    if (changed.empty()) return done;
    throw refusal{changed + ": " + counted(answer.value("mismatches", 0u), "sum") +
                  " in all not as the policy has them"};
}

}
