// SPDX-License-Identifier: MIT
#include "service_fixture.hpp"

namespace hv {
namespace {

class policies_test : public service_fixture {
protected:
    void SetUp() override {
        service_fixture::SetUp();
        call("start");
    }
};

TEST_F(policies_test, apply_list_show_remove) {
    EXPECT_EQ(apply(lstar_policy)["rules"], 1);
    apply(smep_policy);
    auto const list = call("policy.list");
    EXPECT_EQ(list["policies"][0]["name"], "entry");
    EXPECT_EQ(list["policies"][1]["name"], "smep");
    EXPECT_EQ(list["locked"], false);
    auto const shown = call("policy.show", {{"name", "smep"}});
    EXPECT_EQ(shown["rules"][0]["object"], "cr4 smep");
    EXPECT_EQ(shown["rules"][0]["mask"], "0x100000");
    EXPECT_EQ(shown["rules"][0]["id"], 2);
    call("policy.remove", {{"name", "entry"}});
    ASSERT_EQ(device_.enforced.policies.size(), 1u);
    EXPECT_EQ(device_.enforced.policies[0].name, "smep");
}

TEST_F(policies_test, apply_again_takes_the_old_ones_place) {
    apply(lstar_policy);
    auto const id = device_.enforced.policies[0].rules[0].id;
    apply(lstar_policy);
    ASSERT_EQ(device_.enforced.policies.size(), 1u);
    EXPECT_EQ(device_.enforced.policies[0].rules[0].id, id);
}

TEST_F(policies_test, a_bad_file_is_refused_with_its_place_and_changes_nothing) {
    auto const sets = device_.calls("policy_set");
    EXPECT_EQ(refused("policy.apply", {{"path", "/a/b.json"}, {"text", "{\"version\":1,\n}"}})
                  .second.substr(0, 32),
              "/a/b.json:2:1: version: not JSON");
    EXPECT_EQ(refused("policy.apply", {{"path", "b.json"}, {"text", "{}"}}),
              std::pair(3, std::string{"b.json:1:1: key \"version\" is missing"}));
    EXPECT_EQ(device_.calls("policy_set"), sets);
}

TEST_F(policies_test, a_policy_against_another_in_force_is_refused) {
    apply(lstar_policy);
    std::string other = lstar_policy;
    other.replace(other.find("entry"), 5, "other");
    other.replace(other.find("deny"), 4, "log");
    auto const params = nlohmann::ordered_json{{"path", "/o.json"}, {"text", other}};
    auto const [code, text] = refused("policy.apply", params);
    EXPECT_EQ(code, 3);
    EXPECT_NE(text.find("/o.json:2:3: rule \"lstar\" (log) contradicts rule \"lstar\" (deny) at "
                        "/p.json:2:3"),
              std::string::npos);
    EXPECT_EQ(refused("policy.check", params).second, text);
}

TEST_F(policies_test, symbols_that_cannot_be_resolved_are_fine_to_check_but_not_to_apply) {
    nlohmann::ordered_json const params{{"path", "/t.json"},
                                        {"text", R"({"version":1,"name":"t","rules":[{"name":"t",
        "kind":"memory","symbols":{"first":"_stext","end":"_etext"},"access":["write"],
        "action":"log"}]})"}};
    EXPECT_EQ(call("policy.check", params)["resolved"], false);
    EXPECT_NE(refused("policy.apply", params).second.find("symbols are not resolved"),
              std::string::npos);
}

TEST_F(policies_test, the_lock_is_hv_kos_and_its_refusals_come_through) {
    apply(lstar_policy);
    EXPECT_EQ(call("policy.lock")["locked"], true);
    EXPECT_EQ(call("policy.list")["locked"], true);
    device_.refuse("policy_set", EPERM, "the policy is locked, a rule in force is missing");
    EXPECT_NE(refused("policy.remove", {{"name", "entry"}}).second.find("locked"),
              std::string::npos);
    EXPECT_EQ(call("policy.list")["policies"].size(), 1u);
    EXPECT_EQ(refused("stop"), std::pair(1, std::string{"a policy is locked"}));
}

TEST_F(policies_test, the_seal_is_hv_kos) {
    EXPECT_EQ(call("policy.list")["sealed"], false);
    EXPECT_EQ(call("policy.seal")["sealed"], true);
    EXPECT_EQ(call("policy.list")["sealed"], true);
    EXPECT_EQ(call("status")["sealed"], true);
}

TEST_F(policies_test, markers_have_names_here_and_numbers_there) {
    EXPECT_EQ(refused("policy.mark", {{"marker", "up"}}),
              std::pair(1, std::string{"nothing waits for the marker \"up\": no rule in force "
                                       "waits for any"}));
    apply(R"({"version":1,"name":"p","rules":[{"name":"a","kind":"msr","msr":1,
        "access":["write"],"action":"deny","when":{"marker":"up"}},{"name":"b","kind":"msr",
        "msr":2,"access":["write"],"action":"deny","when":{"marker":"net"}}]})");
    EXPECT_EQ(call("policy.show", {{"name", "p"}})["rules"][0]["when"], "marker up");
    EXPECT_EQ(refused("policy.mark", {{"marker", "upp"}}).second,
              "nothing waits for the marker \"upp\": waited for are up, net");
    EXPECT_EQ(refused("policy.mark", {{"marker", "seal"}}).second,
              "nothing waits for the marker \"seal\": the seal is hvctl policy seal");
    EXPECT_EQ(refused("policy.mark", {{"marker", "A"}}).first, -32602);
    EXPECT_EQ(refused("policy.mark").first, -32602);
    EXPECT_EQ(device_.calls("policy_mark"), 0u);
    EXPECT_EQ(call("policy.list")["waited_for"], nlohmann::ordered_json::array({"up", "net"}));
    auto const reached = nlohmann::ordered_json::array({"net"});
    EXPECT_EQ(call("policy.mark", {{"marker", "net"}})["markers"], reached);
    EXPECT_EQ(device_.state.markers, 1u << 3);
    EXPECT_EQ(call("policy.list")["markers"], reached);
    EXPECT_EQ(call("policy.list")["waited_for"], nlohmann::ordered_json::array({"up"}));
    EXPECT_EQ(call("status")["markers"], reached);
    EXPECT_EQ(call("status")["sealed"], false);
    call("policy.mark", {{"marker", "net"}});    // again: nothing more to do
    restart();
    EXPECT_EQ(call("policy.list")["markers"], reached) << "the names outlive hvd";
    EXPECT_EQ(call("logs.read", {{"last", 1}})["records"][0]["kind"], "policy_mark");
}

TEST_F(policies_test, a_record_of_a_marker_has_its_name) {
    apply(R"({"version":1,"name":"p","rules":[{"name":"a","kind":"msr","msr":1,
        "access":["write"],"action":"deny","when":{"marker":"up"}}]})");
    auto batch = make_batch(0, 1);
    batch.records[0].kind = HV_RECORD_POLICY_MARKED;
    batch.records[0].address = 2;
    batch.records[0].value = 1;
    events_.put(batch);
    service_->on_events();
    EXPECT_EQ(call("logs.read", {{"last", 1}})["records"][0]["message"],
              "marker up reached: 1 rule in the set");
}

TEST_F(policies_test, what_is_about_guests_is_shown_so) {
    apply(R"({"version":1,"name":"p","rules":[
        {"name":"a","kind":"vm","users":7,"vms":2,"memory":8192,"action":"deny"},
        {"name":"b","kind":"io","ports":1,"access":["read"],"guests":"all","action":"kill"},
        {"name":"c","kind":"cr","register":"cr4","bits":["smep"],"value":"growing",
         "action":"keep"}]})");
    auto const rules = call("policy.show", {{"name", "p"}})["rules"];
    EXPECT_EQ(rules[0]["users"].dump(), R"({"first":7,"last":7})");
    EXPECT_EQ(rules[0]["limits"].dump(), R"({"vms":2,"vcpus":null,"memory_bytes":8192})");
    EXPECT_FALSE(rules[0].contains("mask"));
    EXPECT_EQ(rules[1]["users"]["last"], 0xffffffff);
    EXPECT_EQ(rules[1]["action"], "kill");
    EXPECT_TRUE(rules[1]["vm"].is_null());
    EXPECT_EQ(rules[2]["passes"], "growing");
}

TEST_F(policies_test, a_rule_that_is_not_revocable_stays_as_it_is) {
    auto const text = [](std::string const& rest) {
        return R"({"version":1,"name":"entry","rules":[{"name":"lstar","kind":"msr",
            "msr":"ia32_lstar","access":["write"])" +
               rest + "}]}";
    };
    auto const stays = text(R"(,"action":"deny","when":"seal","lifetime":"hoisted")");
    apply(stays);
    auto const shown = call("policy.show", {{"name", "entry"}})["rules"][0];
    EXPECT_EQ(shown["when"], "seal");
    EXPECT_EQ(shown["lifetime"], "hoisted");
    call("policy.remove", {{"name", "entry"}});    // not in force yet
    apply(stays);
    call("policy.seal");
    auto const why = std::string{"rule \"lstar\" of policy \"entry\" can be neither removed nor "
                                 "changed before this Linux is unhoisted"};
    EXPECT_EQ(refused("policy.remove", {{"name", "entry"}}).second, why);
    EXPECT_EQ(
        refused("policy.apply", {{"path", "/p.json"}, {"text", text(R"(,"action":"log")")}}).second,
        why);
    EXPECT_EQ(device_.enforced.policies.at(0).rules.at(0).action, HV_ACTION_DENY);
    apply(stays);    // the same again is no change
    EXPECT_EQ(call("policy.list")["policies"].size(), 1u);
}

TEST_F(policies_test, a_ratchet_says_until_when) {
    apply(R"({"version":1,"name":"p","rules":[{"name":"a","kind":"msr","msr":1,
        "access":["write"],"action":"keep","lifetime":"ratchet"}]})");
    EXPECT_EQ(refused("policy.remove", {{"name", "p"}}).second,
              "rule \"a\" of policy \"p\" can be neither removed nor changed before the next boot");
}

TEST_F(policies_test, a_rule_for_a_cpu_that_is_not_there_protects_nothing) {
    auto const text = std::string{R"({"version":1,"name":"p","rules":[{"name":"a","kind":"msr",
        "msr":1,"access":["write"],"action":"deny","cpus":[1, 5]}]})"};
    EXPECT_EQ(refused("policy.apply", {{"path", "/p.json"}, {"text", text}}).second,
              "/p.json:1:34: rule \"a\" is on CPU 5, which this Linux does not have");
    EXPECT_TRUE(device_.enforced.policies.empty());
}

TEST_F(policies_test, names_that_are_not_there_or_no_names_are_refused) {
    EXPECT_NE(refused("policy.show", {{"name", "nope"}}).second.find("no policy \"nope\""),
              std::string::npos);
    EXPECT_NE(refused("policy.remove", {{"name", "nope"}}).second.find("no policy \"nope\""),
              std::string::npos);
    EXPECT_EQ(refused("policy.show", {{"name", "../etc"}}),
              std::pair(-32602, std::string{"params.name: expected a name of 1 to 63 of a-z, 0-9 "
                                            "and \"-\", found \"../etc\""}));
}

TEST_F(policies_test, nothing_can_be_enforced_on_a_linux_that_is_not_hoisted) {
    call("stop");
    auto const text = std::string{"this Linux is not hoisted: run hvctl start"};
    EXPECT_EQ(refused("policy.apply", {{"path", "/p.json"}, {"text", lstar_policy}}).second, text);
    EXPECT_EQ(refused("policy.lock").second, text);
    EXPECT_EQ(refused("audit").second, text);
    EXPECT_EQ(refused("dump").second, text);
}

TEST_F(policies_test, records_are_worded_with_the_names_of_their_rules) {
    apply(lstar_policy);
    auto batch = make_batch(0, 1);
    batch.records[0].rule = device_.enforced.policies[0].rules[0].id;
    events_.put(batch);
    service_->on_events();
    auto const record = call("logs.read", {{"last", 1}})["records"][0];
    EXPECT_EQ(record["policy"], "entry");
    EXPECT_EQ(record["rule"], "lstar");
}

}
}
