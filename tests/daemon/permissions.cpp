// SPDX-License-Identifier: MIT
#include <set>

#include "service_fixture.hpp"

namespace hv {
namespace {

using permissions_test = service_fixture;

nlohmann::ordered_json sound_params(std::string_view method) {
    if (method == "policy.check" || method == "policy.apply") {
        return {{"path", "/p.json"}, {"text", lstar_policy}};
    }
    if (method == "policy.show" || method == "policy.remove") return {{"name", "entry"}};
    return nlohmann::ordered_json::object();
}

TEST_F(permissions_test, the_group_may_read_and_root_may_do_all) {
    std::set<std::string_view> const reading{
        "status",      "stats",   "logs.read", "logs.follow", "policy.check", "policy.list",
        "policy.show", "version", "vm.list",   "vm.show",     "vm.stats"};
    device_.set_hoisted(true);
    apply(lstar_policy);
    auto const forbidden = static_cast<int>(rpc_code::not_permitted);
    for (auto const& each : methods()) {
        auto const params = sound_params(each.name);
        std::string const name{each.name};
        who_ = {.pid = 1, .uid = 1000, .may_read = false, .may_change = false};
        EXPECT_EQ(refused(name, params).first, forbidden) << name;
        who_.may_read = true;
        EXPECT_EQ(refused(name, params).first == forbidden, !reading.contains(each.name)) << name;
    }
    who_ = {.pid = 1, .uid = 0, .may_read = true, .may_change = true};
    for (auto const& each : methods()) {
        device_.set_hoisted(each.name != "start");
        if (each.name == "policy.show" || each.name == "policy.remove") apply(lstar_policy);
        EXPECT_NE(refused(std::string{each.name}, sound_params(each.name)).first, forbidden);
    }
}

TEST_F(permissions_test, the_audit_is_not_let_in_through_status) {
    call("start");
    who_ = {.pid = 1, .uid = 1000, .may_read = true, .may_change = false};
    EXPECT_EQ(refused("status", {{"audit", true}}).first, 2);
    EXPECT_EQ(refused("status", {{"audit", false}}).first, 0);
}

TEST_F(permissions_test, every_method_refuses_keys_it_does_not_know) {
    for (auto const& each : methods()) {
        EXPECT_EQ(refused(std::string{each.name}, {{"surprise", 1}}).first, -32602) << each.name;
    }
}

TEST_F(permissions_test, parameters_of_a_wrong_kind_are_refused) {
    EXPECT_EQ(refused("status", {{"audit", 1}}).second,
              "params.audit: expected true or false, found 1");
    EXPECT_EQ(refused("dump", {{"cpu", -1}}).first, -32602);
    EXPECT_EQ(refused("logs.read", {{"limit", 0}}).first, -32602);
    EXPECT_EQ(refused("logs.read", {{"limit", 1001}}).first, -32602);
    EXPECT_EQ(refused("logs.read", {{"cursor", "x"}}).first, -32602);
    EXPECT_EQ(refused("logs.read", {{"cursor", "1:1"}, {"last", 3}}).first, -32602);
    EXPECT_EQ(refused("policy.show").second, "params: key \"name\" is missing");
    EXPECT_EQ(refused("policy.apply", {{"path", 1}, {"text", ""}}).first, -32602);
    EXPECT_EQ(refused("policy.apply", {{"path", "x"}}).first, -32602);
    EXPECT_EQ(refused("polcy.list").second, "no method \"polcy.list\" (nearest: policy.list)");
}

}
}
