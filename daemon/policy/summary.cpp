// SPDX-License-Identifier: MIT
#include "daemon/policy/summary.hpp"

#include <nlohmann/json.hpp>

namespace hv {

nlohmann::ordered_json summary_json(compiled_policy const& policy) {
    auto costs = nlohmann::ordered_json::array();
    for (auto const& each : policy.rules) {
        costs.push_back({{"name", each.name},
                         {"action", action_text(each.rule.action)},
                         {"object", each.object},
                         {"cost", cost_text(each.rule)}});
    }
    return {{"name", policy.name},
            {"rules", policy.rules.size()},
            {"resolved", policy.resolved},
            {"notes", policy.notes},
            {"costs", std::move(costs)}};
}

}
