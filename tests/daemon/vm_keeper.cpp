// SPDX-License-Identifier: MIT
#include "daemon/vm/vm_keeper.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fake_launcher.hpp"
#include "temporary_folder.hpp"

namespace hv {
namespace {

class keeper : public testing::Test {
protected:
    void SetUp() override {
        std::filesystem::create_directories(options_.folder);
        restart();
    }
    /// As a new hvd would begin, while what runs goes on.
    void restart() {
        vms_ = std::make_unique<vm_keeper>(options_, launcher_);
        vms_->listen([this](std::string const& name, std::string const& ending) {
            told_ += name + ": " + ending + "\n";
        });
    }
    static vm_definition vm(std::string const& name) {
        return read_vm("", R"({"version":1,"kernel":"/k"})", name);
    }
    std::string run_folder(std::string const& name) { return options_.run + "/" + name; }
    std::string state(std::string const& name) {
        return vms_->show(name).at("state").get<std::string>();
    }
    template <typename Call> std::string refused(Call call) { return refusal_of<vm_error>(call); }

    temporary_folder folder_;
    vm_options options_{.folder = folder_.path("vms.d"), .run = folder_.path("run")};
    fake_launcher launcher_;
    std::unique_ptr<vm_keeper> vms_;
    std::string told_;
};

TEST_F(keeper, a_vm_runs_until_its_process_ends) {
    auto const started = vms_->run(vm("web"));
    EXPECT_EQ(started.at("state"), "running");
    EXPECT_EQ(started.at("pid"), launcher_.children_[0]);
    launcher_.report(run_folder("web"), "ended powered off\n");
    EXPECT_EQ(state("web"), "running") << "it reports a moment before it ends";
    launcher_.end(launcher_.children_[0]);
    vms_->refresh();
    EXPECT_EQ(told_, "web: powered off\n");
    auto const now = vms_->show("web");
    EXPECT_EQ(now.at("state"), "stopped");
    EXPECT_EQ(now.at("ending"), "powered off");
    EXPECT_TRUE(now.at("pid").is_null());
    EXPECT_EQ(launcher_.released_.size(), 1u);
}

TEST_F(keeper, one_that_never_ran_says_why) {
    launcher_.report_ = "failed /k is no Linux kernel\n";
    EXPECT_EQ(vms_->run(vm("web")).at("state"), "starting");
    launcher_.end(launcher_.children_[0]);
    EXPECT_EQ(state("web"), "failed");
    EXPECT_EQ(vms_->show("web").at("ending"), "/k is no Linux kernel");
    launcher_.report_.clear();
    vms_->run(vm("web"));
    launcher_.end(launcher_.children_[1]);
    EXPECT_EQ(vms_->show("web").at("ending"), "hv-vmm ended before it could say why");
}

TEST_F(keeper, a_vm_killed_is_told_from_one_out_of_memory) {
    vms_->run(vm("web"));
    EXPECT_EQ(vms_->kill("web").at("ending"), "killed");
    launcher_.out_of_memory_ = true;
    vms_->run(vm("web"));
    EXPECT_EQ(vms_->kill("web").at("ending"), "killed: out of the memory that its limit leaves it");
}

TEST_F(keeper, a_name_is_taken_once) {
    vms_->run(vm("web"));
    EXPECT_EQ(refused([&] { vms_->run(vm("web")); }),
              "the name web is taken by a running VM: choose another, or hvctl vm rm web");
    EXPECT_EQ(refused([&] { vms_->create(vm("web")); }),
              "the name web is taken by a running VM: choose another, or hvctl vm rm web");
    vms_->create(vm("db"));
    EXPECT_EQ(refused([&] { vms_->run(vm("db")); }),
              "the name db is taken: choose another, or hvctl vm rm db");
    vms_->kill("web");
    EXPECT_EQ(refused([&] { vms_->run(vm("web")); }), "") << "what ended and has no file is free";
}

TEST_F(keeper, a_described_vm_can_be_started_and_removed) {
    EXPECT_EQ(vms_->create(vm("db")).at("file"), folder_.path("vms.d/db.json"));
    EXPECT_EQ(vms_->start("db").at("state"), "running");
    EXPECT_EQ(refused([&] { vms_->start("db"); }), "VM db runs already");
    EXPECT_EQ(refused([&] { vms_->remove("db"); }), "VM db runs: hvctl vm stop db first");
    vms_->kill("db");
    EXPECT_EQ(vms_->show("db").at("ending"), "killed");
    vms_->remove("db");
    EXPECT_EQ(refused([&] { vms_->show("db"); }),
              "no VM \"db\": hvctl vm list names those that are there");
    EXPECT_FALSE(std::filesystem::exists(run_folder("db")));
}

TEST_F(keeper, each_runs_as_a_user_of_its_own) {
    vms_->run(vm("a"));
    vms_->run(vm("b"));
    vms_->kill("a");
    vms_->run(vm("c"));
    EXPECT_EQ(launcher_.requests_[0].uid, options_.first_uid);
    EXPECT_EQ(launcher_.requests_[1].uid, options_.first_uid + 1);
    EXPECT_EQ(launcher_.requests_[2].uid, options_.first_uid) << "free again";
}

TEST_F(keeper, a_name_keeps_the_user_that_rules_name) {
    vms_->run(vm("a"));
    EXPECT_EQ(vms_->user_of("a"), options_.first_uid) << "as it runs";
    EXPECT_EQ(vms_->user_of("web"), options_.first_uid + 1) << "the lowest that is free";
    EXPECT_EQ(vms_->user_of("web"), options_.first_uid + 1);
    EXPECT_EQ(vms_->user_of("db"), options_.first_uid + 2);
    vms_->run(vm("other"));
    EXPECT_EQ(launcher_.requests_.back().uid, options_.first_uid + 3);
    vms_->run(vm("web"));
    EXPECT_EQ(launcher_.requests_.back().uid, options_.first_uid + 1);
    vms_->kill("a");
    vms_->run(vm("b"));
    EXPECT_EQ(launcher_.requests_.back().uid, options_.first_uid + 4) << "a's is still its own";
    vms_->keep_users({{"db", options_.first_uid + 2}});
    vms_->run(vm("c"));
    EXPECT_EQ(launcher_.requests_.back().uid, options_.first_uid) << "a's is nobody's any more";
}

TEST_F(keeper, a_user_is_a_vm) {
    auto const first = options_.first_uid;
    EXPECT_EQ(vms_->name_of_user(first), "");
    vms_->run(vm("a"));
    EXPECT_EQ(vms_->name_of_user(first), "a");
    vms_->kill("a");
    EXPECT_EQ(vms_->name_of_user(first), "a") << "whose records may come late";
    vms_->run(vm("b"));
    EXPECT_EQ(vms_->name_of_user(first), "b") << "who runs goes first";
    vms_->keep_users({{"web", first + 5}});
    EXPECT_EQ(vms_->name_of_user(first + 5), "web");
}

TEST_F(keeper, vms_that_all_run_as_root_have_no_users_of_their_own) {
    options_.first_uid = 0;
    restart();
    EXPECT_EQ(refused([&] { vms_->user_of("web"); }),
              "VM web has no user of its own: it runs as root, as all do");
}

TEST_F(keeper, one_that_a_rule_holds_is_paused_until_it_says_that_it_runs) {
    vms_->run(vm("a"));
    for (unsigned i = 0; i < 40; ++i) {
        launcher_.report(run_folder("a"), "paused by rule 7\n");
        EXPECT_EQ(state("a"), "paused");
        launcher_.report(run_folder("a"), "running\n");
        fake_control const control{run_folder("a")};
        EXPECT_EQ(vms_->resume("a").at("state"), "running");
        EXPECT_EQ(state("a"), "running");
        std::filesystem::remove(run_folder("a") + "/" + control_socket);
    }
    launcher_.report(run_folder("a"), "paused by rule 7\n");
    launcher_.end(launcher_.children_[0]);
    EXPECT_EQ(vms_->show("a").at("state"), "stopped");
    EXPECT_EQ(vms_->show("a").at("ending"), "killed");
}

TEST_F(keeper, a_later_hvd_finds_what_runs_and_what_ended) {
    vms_->run(vm("a"));
    vms_->run(vm("b"));
    launcher_.end(launcher_.children_[1]);
    restart();
    EXPECT_EQ(state("a"), "running");
    EXPECT_EQ(state("b"), "stopped");
    EXPECT_EQ(vms_->kill("a").at("state"), "stopped");
    EXPECT_EQ(told_, "a: killed\n");
}

TEST_F(keeper, another_process_with_its_number_is_not_the_vm) {
    vms_->run(vm("a"));
    auto const path = run_folder("a") + "/" + process_file;
    std::ofstream{path} << getpid() << " 1 1000 0 \n";
    launcher_.end(launcher_.children_[0]);
    restart();
    EXPECT_EQ(state("a"), "stopped");
}

TEST_F(keeper, what_is_left_half_written_is_not_taken_for_a_vm) {
    folder_.write("run/x/vm.json", "{");
    folder_.write("run/y/vm.json", vm_json(vm("z")).dump());
    folder_.write("run/y/process", "1 1 1 1\n");
    restart();
    EXPECT_TRUE(vms_->list().at("vms").empty());
}

TEST_F(keeper, a_control_group_that_is_busy_is_asked_again) {
    vms_->run(vm("a"));
    launcher_.busy_ = true;
    vms_->kill("a");
    EXPECT_EQ(launcher_.released_.size(), 1u);
    launcher_.busy_ = false;
    vms_->refresh();
    vms_->refresh();
    EXPECT_EQ(launcher_.released_.size(), 2u);
}

TEST_F(keeper, what_the_launcher_refuses_leaves_nothing) {
    launcher_.refusal_ = "no kernel at /k: No such file or directory: name another";
    EXPECT_EQ(refused([&] { vms_->run(vm("a")); }), launcher_.refusal_);
    EXPECT_TRUE(vms_->list().at("vms").empty());
}

TEST_F(keeper, commands_go_to_the_vm) {
    vms_->run(vm("a"));
    fake_control control{run_folder("a")};
    EXPECT_EQ(vms_->pause("a").at("state"), "paused");
    EXPECT_EQ(state("a"), "paused");
    EXPECT_EQ(vms_->resume("a").at("state"), "running");
    vms_->stop("a");
    EXPECT_EQ(control.asked(), "pause\nresume\nstop\n");
}

TEST_F(keeper, a_later_hvd_knows_that_a_vm_is_paused) {
    vms_->run(vm("a"));
    fake_control control{run_folder("a"), "ok state=paused"};
    restart();
    EXPECT_EQ(state("a"), "paused");
}

TEST_F(keeper, statistics_come_from_the_vm) {
    vms_->run(vm("a"));
    fake_control control{run_folder("a"), "ok state=running uptime_ms=12 port_exits=7 odd junk=x"};
    auto const found = vms_->stats("a");
    EXPECT_EQ(found.at("uptime_ms"), 12);
    EXPECT_EQ(found.at("port_exits"), 7);
    EXPECT_FALSE(found.contains("junk"));
    EXPECT_TRUE(found.at("memory_used_bytes").is_null()) << "it has no control group here";
}

TEST_F(keeper, one_that_does_not_answer_is_said_to_be_so) {
    vms_->run(vm("a"));
    EXPECT_EQ(refused([&] { vms_->stats("a"); }), "VM a does not answer: hvctl vm kill");
    EXPECT_EQ(refused([&] { vms_->stop("b"); }),
              "no VM \"b\": hvctl vm list names those that are there");
    vms_->kill("a");
    EXPECT_EQ(refused([&] { vms_->pause("a"); }), "VM a does not run: hvctl vm start a");
}

TEST_F(keeper, the_list_has_files_what_runs_and_others_on_the_node) {
    folder_.write("vms.d/db.json", vm_json(vm("db")).dump());
    folder_.write("vms.d/bad.json", "{");
    options_.guests = folder_.write("guests", std::to_string(getpid()) + " 2 1048576\n");
    restart();
    vms_->run(vm("web"));
    folder_.write("guests", std::to_string(getpid()) + " 2 1048576\n" +
                                std::to_string(launcher_.children_[0]) + " 1 4096\n");
    auto const rows = vms_->list().at("vms");
    ASSERT_EQ(rows.size(), 4u);
    EXPECT_EQ(rows[0].at("state"), "broken");
    EXPECT_EQ(rows[1].at("name"), "db");
    EXPECT_EQ(rows[1].at("state"), "stopped");
    EXPECT_EQ(rows[2].at("name"), "web");
    EXPECT_TRUE(rows[3].at("name").is_null());
    EXPECT_EQ(rows[3].at("pid"), getpid());
    EXPECT_EQ(rows[3].at("cpus"), 2);
}

}
}
