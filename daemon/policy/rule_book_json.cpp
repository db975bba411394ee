// SPDX-License-Identifier: MIT
#include <array>

#include <nlohmann/json.hpp>

#include "daemon/policy/rule_book.hpp"
#include "daemon/text/document.hpp"

namespace hv {
namespace {

using nlohmann::ordered_json;

constexpr std::uint64_t most_flags = HV_RULE_MARKER_MASK | 0xff;
constexpr document_limits saved_limits{.bytes = 16u << 20, .depth = 8, .values = 200'000};

ordered_json terms_to_json(rule_terms const& terms) {
    return {{"report_only", terms.report_only},
            {"records", terms.rate.records},
            {"seconds", terms.rate.seconds}};
}

/// None in what an earlier hvd has saved.
rule_terms terms_from_json(value const& from) {
    auto const terms = from.find("terms");
    if (!terms) return {};
    return {.report_only = terms->at("report_only").boolean(),
            .rate = {.records = terms->at("records").number(),
                     .seconds = terms->at("seconds").number_between(0, 3600)}};
}

ordered_json rule_to_json(compiled_rule const& rule) {
    auto const& raw = rule.rule;
    return {{"name", rule.name},
            {"object", rule.object},
            {"place", rule.place},
            {"id", raw.id},
            {"kind", raw.kind},
            {"action", raw.action},
            {"access", raw.access},
            {"first", raw.first},
            {"last", raw.last},
            {"mask", raw.mask},
            {"flags", raw.flags},
            {"pass_first", raw.pass_first},
            {"pass_last", raw.pass_last},
            {"cpus", raw.cpus},
            {"terms", terms_to_json(rule.terms)},
            {"marker", rule.marker},
            {"vm", rule.vm}};
}

compiled_rule rule_from_json(value const& from) {
    compiled_rule out;
    out.name = from.at("name").text();
    out.object = from.at("object").text();
    out.place = from.at("place").text();
    out.rule.id = static_cast<std::uint32_t>(from.at("id").number_between(1, 0xffffffff));
    out.rule.kind = static_cast<std::uint16_t>(from.at("kind").number_between(1, HV_RULE_VM));
    out.rule.action = static_cast<std::uint16_t>(
        from.at("action").number_between(1, HV_ACTION_KILL));
    out.rule.access = static_cast<std::uint32_t>(from.at("access").number_between(1, 7));
    out.rule.first = from.at("first").number();
    out.rule.last = from.at("last").number();
    out.rule.mask = from.at("mask").number();
    out.rule.flags = static_cast<std::uint32_t>(from.at("flags").number_between(0, most_flags));
    out.rule.pass_first = from.at("pass_first").number();
    out.rule.pass_last = from.at("pass_last").number();
    out.terms = terms_from_json(from);
    out.rule.cpus = from.at("cpus").number();
    out.marker = from.at("marker").text();
    out.vm = from.at("vm").text();
    return out;
}

ordered_json hash_to_json(compiled_hash const& hash) {
    auto ranges = ordered_json::array();
    for (auto const& each : hash.ranges) {
        ranges.push_back({{"first", each.first}, {"last", each.last}});
    }
    return {{"name", hash.name},
            {"object", hash.object},
            {"place", hash.place},
            {"sha256", hash.sha256},
            {"ranges", std::move(ranges)}};
}

compiled_hash hash_from_json(value const& from) {
    compiled_hash out;
    out.name = from.at("name").text();
    out.object = from.at("object").text();
    out.place = from.at("place").text();
    out.sha256 = from.at("sha256").text();
    for (auto const& each : from.at("ranges").items()) {
        out.ranges.push_back({each.at("first").number(), each.at("last").number()});
    }
    return out;
}

compiled_policy policy_from_json(value const& from) {
    compiled_policy out;
    out.name = from.at("name").text();
    out.description = from.at("description").text();
    out.path = from.at("path").text();
    for (auto const& each : from.at("rules").items()) {
        out.rules.push_back(rule_from_json(each));
    }
    auto const hashes = from.find("hashes");    // an older hvd saved none
    if (!hashes) return out;
    for (auto const& each : hashes->items()) {
        out.hashes.push_back(hash_from_json(each));
    }
    return out;
}

}

std::string rule_book::to_json() const {
    ordered_json out{{"next_id", next_id_}};
    out["policies"] = ordered_json::array();
    out["names"] = ordered_json::array();
    for (auto const& policy : policies_) {
        auto rules = ordered_json::array();
        for (auto const& each : policy.rules) {
            rules.push_back(rule_to_json(each));
        }
        auto hashes = ordered_json::array();
        for (auto const& each : policy.hashes) {
            hashes.push_back(hash_to_json(each));
        }
        out["policies"].push_back({{"name", policy.name},
                                   {"description", policy.description},
                                   {"path", policy.path},
                                   {"rules", std::move(rules)},
                                   {"hashes", std::move(hashes)}});
    }
    for (auto const& [id, name] : names_) {
        out["names"].push_back({{"id", id},
                                {"policy", name.policy},
                                {"rule", name.rule},
                                {"terms", terms_to_json(name.terms)},
                                {"vm", name.vm}});
    }
    out["markers"] = ordered_json::array();
    for (auto const& [number, name] : markers_) {
        out["markers"].push_back({{"number", number}, {"name", name}});
    }
    return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

rule_book rule_book::from_json(std::string const& text) {
    rule_book book;
    try {
        document const file{{}, text, saved_limits};
        value const root{file};
        book.next_id_ = static_cast<std::uint32_t>(
            root.at("next_id").number_between(1, 0xffffffff));
        for (auto const& each : root.at("policies").items()) {
            book.policies_.push_back(policy_from_json(each));
        }
        for (auto const& each : root.at("names").items()) {
            auto const id = each.at("id").number_between(1, 0xffffffff);
            book.names_[static_cast<std::uint32_t>(id)] = {
                each.at("policy").text(), each.at("rule").text(), terms_from_json(each),
                each.at("vm").text()};
        }
        for (auto const& each : root.at("markers").items()) {
            auto const number = each.at("number").number_between(HV_MARKER_SEAL + 1,
                                                                 HV_MARKERS - 1);
            book.markers_[static_cast<std::uint32_t>(number)] = each.at("name").text();
        }
    } catch (document_error const&) {
        return {};
    }
    return book;
}

}
