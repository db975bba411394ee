// SPDX-License-Identifier: MIT
#include "daemon/policy/summary.hpp"

#include <nlohmann/json.hpp>

namespace hv {

nlohmann::ordered_json summary_json(compiled_policy const& policy) {
    auto costs = nlohmann::ordered_json::array();
    for (auto const& each : policy.rules) {
        if (!costs.empty() && costs.back()["name"] == each.name) continue;    // one more piece
        costs.push_back({{"name", each.name},
                         {"action", action_text(each)},
                         {"object", each.object},
                         {"when", when_text(each)},
                         {"lifetime", lifetime_text(each.rule)},
                         {"cost", cost_text(each.rule)}});
    }
    for (auto const& each : policy.hashes) {
        costs.push_back({{"name", each.name},
                         {"action", "log"},
                         {"object", "sum of " + each.object},
                         {"cost", "nothing until hvctl policy verify"}});
    }
    return {{"name", policy.name},
            {"rules", rule_count(policy)},
            {"resolved", policy.resolved},
            {"notes", policy.notes},
            {"costs", std::move(costs)}};
}

}
