// SPDX-License-Identifier: MIT
#include "cli_fixture.hpp"
#include "fake_launcher.hpp"

namespace hv {
namespace {

/// hvctl, hvd, and VMs that are none.
class hvctl_vm : public cli_fixture {
protected:
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "hvd serves root";
        cli_fixture::SetUp();
        std::filesystem::create_directories(folder_.path("vms.d"));
        vms_ = std::make_unique<vm_keeper>(
            vm_options{.folder = folder_.path("vms.d"), .run = folder_.path("vms")}, launcher_);
        service_->serve_vms(*vms_);
        start_hvd();
    }
    int run(std::string const& name) { return hvctl({"vm", "run", "--kernel", "/k", name}); }

    fake_launcher launcher_;
    std::unique_ptr<vm_keeper> vms_;
};

TEST_F(hvctl_vm, run_sends_what_the_options_say) {
    EXPECT_EQ(
        hvctl({"vm", "run", "--kernel", "/k", "--initrd", "/i", "--command-line", "a b", "--cpus",
               "2", "--memory", "64M", "--memory-limit", "128M", "--cpu-limit", "50", "web"}),
        0)
        << err_;
    EXPECT_EQ(out_, "VM web: running\n");
    ASSERT_EQ(launcher_.requests_.size(), 1u);
    auto const& vm = launcher_.requests_[0].vm;
    EXPECT_EQ(vm.kernel + vm.initrd + vm.command_line, "/k/ia b");
    EXPECT_EQ(vm.cpus, 2u);
    EXPECT_EQ(vm.memory_bytes, 64u << 20);
    EXPECT_EQ(vm.memory_limit, 128u << 20);
    EXPECT_EQ(vm.cpu_limit, 50u);
}

TEST_F(hvctl_vm, run_takes_a_file_and_another_name) {
    auto const path = folder_.write("vm.json", R"({"version":1,"name":"a","kernel":"/k"})");
    EXPECT_EQ(hvctl({"vm", "run", "--file", path}), 0) << err_;
    EXPECT_EQ(hvctl({"vm", "run", "--file", path, "b"}), 0) << err_;
    EXPECT_EQ(hvctl({"vm", "run", "--file", path, "--cpus", "2", "c"}), 2);
    folder_.write("vm.json", R"({"version":1,"name":"a","kernl":"/k"})");
    EXPECT_EQ(hvctl({"vm", "run", "--file", path, "c"}), 1);
    EXPECT_EQ(err_.find("hvctl: " + path + ":1:"), 0u) << err_;
}

TEST_F(hvctl_vm, what_is_refused_is_one_line_and_status_1) {
    run("web");
    EXPECT_EQ(run("web"), 1);
    EXPECT_EQ(err_, "hvctl: the name web is taken by a running VM: choose another, or hvctl vm rm "
                    "web\n");
    EXPECT_EQ(hvctl({"vm", "run", "--kernel", "/k", "--memory", "1", "x"}), 1);
    EXPECT_EQ(err_, "hvctl: memory: expected whole MiB, 16M to 1024G, such as \"256M\"\n");
    EXPECT_EQ(hvctl({"vm", "show", "none"}), 1);
    EXPECT_EQ(err_, "hvctl: no VM \"none\": hvctl vm list names those that are there\n");
    launcher_.refusal_ = "no kernel at /k: No such file or directory: name another";
    EXPECT_EQ(run("x"), 1);
    EXPECT_EQ(err_, "hvctl: " + launcher_.refusal_ + "\n");
}

TEST_F(hvctl_vm, wrong_usage_is_status_2) {
    EXPECT_EQ(hvctl({"vm", "run", "web"}), 2);
    EXPECT_EQ(err_, "hvctl: --kernel FILE or --file FILE is missing\n");
    EXPECT_EQ(hvctl({"vm", "run", "--kernel", "/k"}), 2);
    EXPECT_EQ(hvctl({"vm", "run", "--kernel", "/k", "--cpus", "two", "web"}), 2);
    EXPECT_EQ(hvctl({"vm", "stop", "--timeout", "long", "web"}), 2);
}

TEST_F(hvctl_vm, list_show_and_stats_have_tables_and_json) {
    EXPECT_EQ(hvctl({"vm", "list"}), 0);
    EXPECT_EQ(out_, "no VM is there: hvctl vm run makes one\n");
    run("web");
    EXPECT_EQ(hvctl_json({"vm", "list"}).at("vms").at(0).at("name"), "web");
    EXPECT_EQ(hvctl_json({"vm", "show", "web"}).at("definition").at("kernel"), "/k");
    fake_control const control{folder_.path("vms/web"), "ok uptime_ms=1500 busy_us=200000"};
    EXPECT_EQ(hvctl_json({"vm", "stats"}).at("vms").at(0).at("uptime_ms"), 1500);
    EXPECT_EQ(hvctl_json({"vm", "stats", "web"}).at("busy_us"), 200000);
    hvctl({"vm", "stats"});
    EXPECT_NE(out_.find("web  running  1.5 s  0.2 s"), std::string::npos) << out_;
    hvctl({"vm", "list"});
    EXPECT_NE(out_.find("web  running     1  256 MiB"), std::string::npos) << out_;
    hvctl({"vm", "show", "web"});
    EXPECT_NE(out_.find("kernel        /k\n"), std::string::npos) << out_;
}

TEST_F(hvctl_vm, a_file_is_made_started_and_removed) {
    EXPECT_EQ(hvctl({"vm", "create", "--kernel", "/k", "db"}), 0) << err_;
    EXPECT_EQ(out_, "VM db: created: " + folder_.path("vms.d/db.json") + "\n");
    EXPECT_EQ(hvctl({"vm", "start", "db"}), 0) << err_;
    EXPECT_EQ(hvctl({"vm", "rm", "db"}), 1);
    EXPECT_EQ(hvctl({"vm", "kill", "db"}), 0) << err_;
    EXPECT_EQ(out_, "VM db: stopped: killed\n");
    EXPECT_EQ(hvctl({"vm", "rm", "db"}), 0) << err_;
    EXPECT_EQ(hvctl({"vm", "start", "db"}), 1);
}

TEST_F(hvctl_vm, a_policy_that_names_a_vm_keeps_its_user) {
    auto const first = vm_options{}.first_uid;
    auto const file = folder_.write("p.json", R"({"version":1,"name":"p","rules":[
        {"name":"a","kind":"io","ports":112,"access":["write"],"guests":{"vm":"web"},
         "action":"pause"},
        {"name":"b","kind":"vm","vm":"web","vcpus":2,"action":"deny"}]})");
    EXPECT_EQ(hvctl({"start"}), 0) << err_;
    EXPECT_EQ(hvctl({"policy", "check", file}), 0) << err_;
    run("early");
    EXPECT_EQ(launcher_.requests_.back().uid, first) << "checked is not in force";
    EXPECT_EQ(hvctl({"policy", "apply", file}), 0) << err_;
    EXPECT_EQ(device_.enforced.policies.at(0).rules.at(0).mask, (first + 1ull) << 32 | (first + 1));
    run("db");
    EXPECT_EQ(launcher_.requests_.back().uid, first + 2);
    // As a later hvd.
    EXPECT_EQ(hvctl_json({"policy", "show", "p"})["rules"][1]["vm"], "web");
    vms_->keep_users({});
    service_->serve_vms(*vms_);
    run("web");
    EXPECT_EQ(launcher_.requests_.back().uid, first + 1);
    EXPECT_EQ(hvctl({"policy", "apply", file}), 0) << err_;
    EXPECT_EQ(device_.enforced.policies.at(0).rules.at(0).id, 1u) << "nothing has changed";
}

TEST_F(hvctl_vm, what_a_guest_did_is_found_by_its_vm) {
    EXPECT_EQ(hvctl({"start"}), 0) << err_;
    run("web");
    auto batch = make_batch(0, 1);
    batch.records[0].kind = HV_RECORD_GUEST_PAUSED;
    batch.records[0].old_value = std::uint64_t{vm_options{}.first_uid} << 32 | 1;
    device_.state.cpus[0].written = 1;
    events_.put(batch);
    EXPECT_EQ(hvctl({"logs", "--vm", "web"}), 0) << err_;
    EXPECT_NE(
        out_.find("guest of user 1879048192 (web): OUT of 0x0 to port 0xc0000082 (1 byte), VM "
                  "paused by the core itself"),
        std::string::npos)
        << out_;
}

TEST_F(hvctl_vm, stop_kills_what_does_not_listen) {
    run("web");
    fake_control control{folder_.path("vms/web")};
    EXPECT_EQ(hvctl({"vm", "stop", "--timeout", "0", "web"}), 0) << err_;
    EXPECT_EQ(out_, "VM web: stopped: killed\n");
    EXPECT_EQ(control.asked(), "") << "no time to listen";
    run("web");
    fake_control again{folder_.path("vms/web")};
    EXPECT_EQ(hvctl({"vm", "stop", "--timeout", "1", "web"}), 0) << err_;
    EXPECT_EQ(again.asked(), "stop\n");
}

TEST_F(hvctl_vm, one_that_never_ran_is_refused_and_forgotten) {
    launcher_.report_ = "failed /k is no Linux kernel\n";
    launcher_.ends_at_once_ = true;
    EXPECT_EQ(run("web"), 1);
    EXPECT_EQ(err_, "hvctl: /k is no Linux kernel\n");
    EXPECT_TRUE(hvctl_json({"vm", "list"}).at("vms").empty());
}

}
}
