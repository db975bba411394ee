// SPDX-License-Identifier: MIT
#include <cerrno>

#include <nlohmann/json.hpp>

#include "daemon/api/json_rpc.hpp"
#include "daemon/api/service.hpp"
#include "daemon/policy/rule_reader.hpp"
#include "daemon/text/number.hpp"

namespace hv {
namespace {

using nlohmann::ordered_json;

ordered_json compared(compiled_policy const& policy, compiled_hash const& hash, device& by) {
    auto const sum = by.hash(hash.ranges);
    auto const found = hex(std::span{sum});
    return {{"policy", policy.name}, {"name", hash.name}, {"object", hash.object},
            {"sha256", hash.sha256}, {"found", found},    {"agrees", found == hash.sha256}};
}

std::string mismatch_text(ordered_json const& rule) {
    return "policy " + rule["policy"].get<std::string>() + ", rule " +
           rule["name"].get<std::string>() + ": " + rule["object"].get<std::string>() +
           " has the SHA-256 " + rule["found"].get<std::string>() + ", not " +
           rule["sha256"].get<std::string>();
}

}

ordered_json service::policy_verify(value const& params, peer const& who) {
    params.only({"name"});
    auto const name = params.find("name");
    auto const wanted = name ? read_name(*name) : std::string{};
    require_hoisted(refresh());
    if (name && book_.find(wanted) == nullptr) {
        throw rpc_error{rpc_code::refused,
                        "no policy \"" + wanted +
                            "\" is in force: hvctl policy list names those that are",
                        ENOENT};
    }
    auto rules = ordered_json::array();
    std::uint64_t mismatches = 0;
    for (auto const& policy : book_.policies()) {
        if (name && policy.name != wanted) continue;
        for (auto const& hash : policy.hashes) {
            auto const& rule = rules.emplace_back(compared(policy, hash, device_));
            if (rule["agrees"].get<bool>()) continue;
            ++mismatches;
            note("hash_mismatch", mismatch_text(rule), who, {.policy = policy.name});
        }
    }
    return {{"rules", std::move(rules)}, {"mismatches", mismatches}};
}

}
