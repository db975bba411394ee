// SPDX-License-Identifier: MIT
#include "daemon/api/service.hpp"

#include "service_fixture.hpp"

namespace hv {
namespace {

using service_test = service_fixture;

TEST_F(service_test, status_has_the_promised_shape) {
    call("start");
    apply(lstar_policy);
    auto const status = call("status");
    EXPECT_EQ(status["hoisted"], true);
    EXPECT_EQ(status["backend"], "vmx");
    EXPECT_EQ(status["version"], "9.9.9");
    EXPECT_EQ(status["core_sha256"].get<std::string>().size(), 64u);
    EXPECT_EQ(status["memory"]["reserved_bytes"], 2u << 20);
    EXPECT_EQ(status["cpus"][1]["id"], 1);
    EXPECT_EQ(status["cpus"][1]["hoisted"], true);
    EXPECT_EQ(status["cpus"][1]["exits"], 101);
    EXPECT_EQ(status["vms"], 0);
    EXPECT_EQ(status["policies"], nlohmann::ordered_json::array({"entry"}));
    EXPECT_EQ(status["locked"], false);
    EXPECT_EQ(status["dma"], "not protected");
    EXPECT_FALSE(status.contains("audit"));
    EXPECT_TRUE(call("status", {{"audit", true}})["audit"]["clean"]);
}

TEST_F(service_test, status_of_a_linux_that_is_not_hoisted_names_no_backend) {
    auto const status = call("status");
    EXPECT_EQ(status["hoisted"], false);
    EXPECT_TRUE(status["backend"].is_null());
    EXPECT_TRUE(status["session"].is_null());
}

TEST_F(service_test, a_finding_of_the_audit_is_told) {
    call("start");
    device_.audit_answer.findings = 2;
    device_.audit_answer.finding_kind = HV_FINDING_CORE_FRAME;
    device_.audit_answer.first_finding = 0x5000;
    auto const audit = call("audit");
    EXPECT_EQ(audit["clean"], false);
    EXPECT_EQ(audit["first_finding"]["kind"], "core_frame");
    EXPECT_EQ(audit["first_finding"]["address"], "0x5000");
    EXPECT_EQ(refused("dump", {{"cpu", 7}}).second, "CPU 7 is not hoisted");
    EXPECT_EQ(call("dump", {{"cpu", 1}})["cpus"].size(), 1u);
    EXPECT_EQ(call("dump")["cpus"][0]["exit_reason"], "cpuid");
}

TEST_F(service_test, stats_count_by_reason_and_cpu) {
    call("start");
    device_.state.cpus[0].written = 5;
    device_.state.cpus[1].dropped = 3;
    auto const stats = call("stats");
    EXPECT_EQ(stats["exits"], 201);
    EXPECT_EQ(stats["reasons"]["cpuid"], 201);
    EXPECT_EQ(stats["cpus"][0]["reasons"]["cpuid"], 100);
    EXPECT_EQ(stats["records"]["written"], 5);
    EXPECT_EQ(stats["records"]["dropped"], 3);
}

TEST_F(service_test, start_applies_the_folder_of_policies) {
    folder_.write("policies.d/a.json", lstar_policy);
    folder_.write("policies.d/b.json", smep_policy);
    folder_.write("policies.d/not-a-policy.txt", "nonsense");
    EXPECT_EQ(call("start")["policies"].size(), 2u);
    EXPECT_EQ(device_.enforced.policies.size(), 2u);
}

TEST_F(service_test, a_broken_policy_in_the_folder_leaves_linux_as_it_was) {
    folder_.write("policies.d/a.json", lstar_policy);
    auto const bad = folder_.write("policies.d/b.json", "{\n}");
    EXPECT_EQ(refused("start"), std::pair(3, bad + ":1:1: key \"version\" is missing"));
    EXPECT_EQ(device_.calls("start"), 0u);
    folder_.write("policies.d/b.json", lstar_policy);
    EXPECT_NE(refused("start").second.find("is also in"), std::string::npos);
    EXPECT_EQ(device_.calls("start"), 0u);
}

TEST_F(service_test, a_hoist_whose_policies_are_refused_is_undone) {
    folder_.write("policies.d/a.json", lstar_policy);
    device_.refuse("policy_set", ENOMEM, "pool empty");
    EXPECT_EQ(refused("start"), std::pair(1, std::string{"pool empty"}));
    EXPECT_FALSE(device_.state.hoisted);
}

TEST_F(service_test, a_refused_start_changes_nothing) {
    device_.refuse("start", EBUSY, "kvm_intel is loaded: rmmod kvm_intel");
    EXPECT_EQ(refused("start"), std::pair(1, std::string{"kvm_intel is loaded: rmmod kvm_intel"}));
    EXPECT_EQ(call("status")["hoisted"], false);
}

TEST_F(service_test, hoists_by_itself_where_the_configuration_says_so) {
    folder_.write("policies.d/a.json", lstar_policy);
    config_.hoist_at_start = true;
    restart();
    EXPECT_TRUE(device_.state.hoisted);
    EXPECT_EQ(device_.enforced.policies.size(), 1u);
    EXPECT_EQ(service_->summary(), "hoisted, 1 policy");
    restart();
    EXPECT_EQ(device_.calls("start"), 1u);
}

TEST_F(service_test, can_leave_the_folder_alone) {
    folder_.write("policies.d/a.json", lstar_policy);
    config_.apply_at_start = false;
    restart();
    EXPECT_TRUE(call("start")["policies"].empty());
}

TEST_F(service_test, a_new_hvd_keeps_what_is_enforced_and_knows_its_names) {
    call("start");
    apply(lstar_policy, "/etc/mine.json");
    auto const before = call("policy.show", {{"name", "entry"}});
    auto const sets = device_.calls("policy_set");
    restart();
    EXPECT_EQ(device_.calls("policy_set"), sets);
    EXPECT_EQ(call("policy.show", {{"name", "entry"}}), before);
    EXPECT_EQ(before["path"], "/etc/mine.json");
    EXPECT_EQ(before["rules"][0]["name"], "lstar");
}

TEST_F(service_test, killed_between_saving_and_enforcing_it_still_tells_the_truth) {
    call("start");
    apply(lstar_policy);
    device_.refuse("policy_set", EINTR, "killed here");
    auto const saved = folder_.read("policies.json");
    EXPECT_EQ(refused("policy.apply", {{"path", "/s.json"}, {"text", smep_policy}}).first, 1);
    EXPECT_EQ(folder_.read("policies.json"), saved);
    restart();
    EXPECT_EQ(call("policy.list")["policies"].size(), 1u);
}

TEST_F(service_test, finds_an_unhoisted_linux_without_policies) {
    call("start");
    apply(lstar_policy);
    device_.set_hoisted(false);
    events_.put(state_change{false, 0x1234});
    service_->on_events();
    EXPECT_TRUE(call("policy.list")["policies"].empty());
    EXPECT_EQ(service_->summary(), "not hoisted");
}

TEST_F(service_test, attaches_again_when_hv_ko_was_loaded_anew_or_lost_messages) {
    auto const attached = device_.calls("records_attach");
    events_.put(module_change{true});
    service_->on_events();
    EXPECT_EQ(device_.calls("records_attach"), attached + 1);
    events_.put(events_overrun{});
    service_->on_events();
    service_->on_tick();
    EXPECT_EQ(device_.calls("records_attach"), attached + 2);
    service_->on_tick();
    EXPECT_EQ(device_.calls("records_attach"), attached + 2);
}

TEST_F(service_test, works_without_hv_ko_and_says_what_to_do) {
    device_.refuse("status", ENODEV, "hv.ko is not loaded: modprobe hv");
    restart();
    EXPECT_EQ(refused("status"), std::pair(1, std::string{"hv.ko is not loaded: modprobe hv"}));
    EXPECT_EQ(call("version")["hvd"], HV_VERSION);
    EXPECT_TRUE(call("version")["hv_ko"].is_null());
    EXPECT_EQ(call("policy.check", {{"path", "/p.json"}, {"text", lstar_policy}})["name"], "entry");
    EXPECT_TRUE(call("logs.read")["records"].empty());
}

TEST_F(service_test, logs_hold_what_was_done_and_by_whom) {
    call("start");
    apply(lstar_policy);
    call("policy.remove", {{"name", "entry"}});
    std::vector<std::string> kinds;
    auto const records = call("logs.read")["records"];
    for (auto const& each : records) {
        kinds.push_back(each["kind"]);
    }
    EXPECT_EQ(kinds, (std::vector<std::string>{"start", "policy_applied", "policy_removed"}));
    EXPECT_EQ(records[1]["message"], "policy entry applied by uid 0, pid 42");
}

TEST_F(service_test, logs_wait_for_records_that_are_on_their_way) {
    call("start");
    device_.state.cpus[0].written = 2;
    events_.put(make_batch(0, 2));
    EXPECT_EQ(call("logs.read")["records"].size(), 3u);
}

TEST_F(service_test, records_that_went_to_an_earlier_reader_are_asked_for_again) {
    call("start");
    auto const attached = device_.calls("records_attach");
    events_.put(make_batch(5, 3));
    service_->on_events();
    EXPECT_EQ(device_.calls("records_attach"), attached + 1);
    events_.put(make_batch(0, 8));
    service_->on_events();
    EXPECT_EQ(device_.calls("records_attach"), attached + 1);
    EXPECT_EQ(call("logs.read")["records"].size(), 9u);
}

TEST_F(service_test, logs_come_in_pages) {
    call("start");
    events_.put(make_batch(0, 5));
    service_->on_events();
    auto const page = call("logs.read", {{"limit", 4}});
    EXPECT_EQ(page["records"].size(), 4u);
    EXPECT_EQ(page["more"], true);
    auto const rest = call("logs.follow", {{"cursor", page["cursor"]}});
    EXPECT_EQ(rest["records"].size(), 2u);
    EXPECT_EQ(rest["following"], true);
    EXPECT_EQ(call("logs.read", {{"last", 1}})["records"][0]["sequence"], 4);
}

}
}
