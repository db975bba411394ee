// SPDX-License-Identifier: MIT
#include <boost/asio/use_future.hpp>

#include "cli_fixture.hpp"

namespace hv {
namespace {

class hvctl_alone : public cli_fixture {};

/// hvd tells root from others by the socket, so these need root, as the build in a container has.
class hvctl_with_hvd : public cli_fixture {
protected:
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "hvd serves root";
        cli_fixture::SetUp();
        start_hvd();
    }
};

TEST_F(hvctl_alone, usage_errors_are_one_line_and_status_2) {
    std::vector<std::pair<std::vector<std::string>, std::string>> const lines{
        {{}, "hvctl: A subcommand is required: see hvctl --help\n"},
        {{"statsu"}, "hvctl: unknown verb \"statsu\" (nearest: stats): see hvctl --help\n"},
        {{"policy", "aply"},
         "hvctl: unknown verb \"policy aply\" (nearest: apply): see hvctl "
         "--help\n"},
        {{"policy"}, "hvctl: A subcommand is required: see hvctl --help\n"},
        {{"policy", "show"}, "hvctl: NAME is required: see hvctl --help\n"},
        {{"status", "--nope"},
         "hvctl: The following argument was not expected: --nope: see hvctl "
         "--help\n"},
        {{"start", "now"},
         "hvctl: The following argument was not expected: now: see hvctl "
         "--help\n"},
        {{"dump", "zero"}, "hvctl: CPU: expected a CPU's number\n"},
        {{"top", "-n", "0"}, "hvctl: --count: expected a number from 1\n"},
        {{"top", "--interval", "nan"}, "hvctl: --interval: expected seconds from 0.05 to 3600\n"},
        {{"logs", "--level", "loud"}, "hvctl: --level: expected info, warning or error\n"},
        {{"logs", "--verify", "-f"}, "hvctl: --verify goes with --file only\n"},
        {{"logs", "--file", "x"}, "hvctl: --file goes with --verify only\n"},
        {{"logs", "--since", "yesterday"},
         "hvctl: --since: expected a time such as 2025-01-31T12:00:00Z, or how long ago: 90s, 10m, "
         "2h, 1d\n"},
        {{"generate", "completion", "tcsh"}, "hvctl: SHELL: expected bash, zsh or fish\n"},
        {{"generate", "man"}, "hvctl: generate man: --out DIR is missing\n"}};
    for (auto const& [words, line] : lines) {
        EXPECT_EQ(hvctl(words), 2) << line;
        EXPECT_EQ(err_, line);
        EXPECT_EQ(out_, "");
    }
}

TEST_F(hvctl_alone, help_is_no_error) {
    EXPECT_EQ(hvctl({"--help"}), 0);
    EXPECT_NE(out_.find("policy"), std::string::npos);
    EXPECT_EQ(hvctl({"policy", "apply", "--help"}), 0);
    EXPECT_NE(out_.find("FILE"), std::string::npos);
}

TEST_F(hvctl_alone, status_stats_dump_start_and_stop_work_straight_over_hv_ko) {
    EXPECT_EQ(hvctl({"start"}), 0);
    EXPECT_EQ(out_, "hoisted: 2 CPUs under vmx, 2 MiB reserved, 0 policies\n");
    EXPECT_EQ(err_, "hvctl: hvd is not running: no policy is applied and no record is kept\n");
    EXPECT_EQ(hvctl_json({"status"})["hvd"], "not running");
    EXPECT_EQ(hvctl_json({"stats"})["reasons"]["cpuid"], 201);
    EXPECT_EQ(hvctl_json({"dump", "1"})["cpus"][0]["rip"], "0xffffffff81000000");
    EXPECT_EQ(hvctl_json({"status", "--audit"})["audit"]["clean"], true);
    EXPECT_EQ(hvctl({"stop"}), 0);
    EXPECT_EQ(hvctl_json({"status"})["hoisted"], false);
    EXPECT_EQ(hvctl({"dump"}), 1);
    EXPECT_EQ(err_, "hvctl: this Linux is not hoisted: run hvctl start\n");
}

TEST_F(hvctl_alone, the_other_verbs_say_that_hvd_is_not_running) {
    auto const file = folder_.write("p.json", lstar_policy);
    for (auto const& words : std::vector<std::vector<std::string>>{{"logs"},
                                                                   {"logs", "-f"},
                                                                   {"policy", "apply", file},
                                                                   {"policy", "list"},
                                                                   {"policy", "show", "x"},
                                                                   {"policy", "remove", "x"},
                                                                   {"policy", "lock"}}) {
        EXPECT_EQ(hvctl(words), 1) << words[0];
        EXPECT_EQ(err_, "hvctl: hvd is not running: systemctl start hvd\n");
    }
}

TEST_F(hvctl_alone, hv_kos_own_words_reach_the_user) {
    device_.refuse("start", EBUSY, "kvm_intel is loaded: rmmod kvm_intel, then start again");
    EXPECT_EQ(hvctl({"start"}), 1);
    EXPECT_EQ(err_, "hvctl: kvm_intel is loaded: rmmod kvm_intel, then start again\n");
}

TEST_F(hvctl_alone, a_fault_in_the_second_stage_is_status_1) {
    device_.set_hoisted(true);
    device_.audit_answer.findings = 1;
    device_.audit_answer.finding_kind = HV_FINDING_CORE_FRAME;
    EXPECT_EQ(hvctl({"status", "--audit"}), 1);
    EXPECT_NE(out_.find("1 findings, the first: core_frame at 0x0"), std::string::npos);
    EXPECT_NE(err_.find("report it"), std::string::npos);
}

TEST_F(hvctl_alone, policy_check_needs_neither_hvd_nor_hv_ko) {
    device_.refuse("status", ENODEV, "hv.ko is not loaded: modprobe hv");
    EXPECT_EQ(hvctl({"policy", "check", folder_.write("p.json", lstar_policy)}), 0);
    EXPECT_EQ(out_, "policy entry: sound, 1 rule\n\n"
                    "RULE   ACTION  WHEN  LIFETIME   OBJECT      COST\n"
                    "lstar  deny    now   revocable  ia32_lstar  an exit per write\n");
    auto const bad = folder_.write("b.json", "{\"version\": 1,\n\"name\": 3}");
    EXPECT_EQ(hvctl({"policy", "check", bad}), 1);
    EXPECT_EQ(err_, "hvctl: " + bad +
                        ":2:9: name: expected a name of 1 to 63 of a-z, 0-9 and "
                        "\"-\", found 3\n");
    EXPECT_EQ(hvctl({"policy", "check", "/nope"}), 1);
    EXPECT_EQ(err_, "hvctl: /nope: no such file: give the path of a file\n");
}

TEST_F(hvctl_alone, version_answers_whatever_is_missing) {
    EXPECT_EQ(hvctl_json({"version"})["hv_ko"], "9.9.9");
    device_.refuse("status", ENODEV, "hv.ko is not loaded");
    EXPECT_TRUE(hvctl_json({"version"})["hv_ko"].is_null());
    EXPECT_EQ(hvctl({"version"}), 0);
    EXPECT_EQ(out_, "hvctl " HV_VERSION "\nhvd not there\nhv.ko not there\n");
}

TEST_F(hvctl_alone, top_ends_after_so_many_rounds) {
    device_.set_hoisted(true);
    EXPECT_EQ(hvctl({"top", "-n", "2", "--interval", "0.05"}), 0);
    EXPECT_EQ(out_.find("\033"), std::string::npos) << "no terminal, no control codes";
    EXPECT_NE(out_.find("EXITS/S"), std::string::npos);
    EXPECT_EQ(device_.calls("stats"), 3u);
}

TEST_F(hvctl_alone, tables_stand_in_columns) {
    device_.set_hoisted(true);
    device_.state.cpus[1].exits = 1234567;
    EXPECT_EQ(hvctl({"stats"}), 0);
    EXPECT_EQ(out_, "REASON      EXITS  CPU 0      CPU 1\n"
                    "cpuid   1,234,667    100  1,234,567\n"
                    "all     1,234,667    100  1,234,567\n"
                    "\n"
                    "records: 0 written, 0 dropped\n");
}

TEST_F(hvctl_with_hvd, every_verb_does_its_work) {
    auto const file = folder_.write("p.json", lstar_policy);
    EXPECT_EQ(hvctl_json({"start"})["hoisted"], true);
    EXPECT_EQ(hvctl_json({"policy", "check", file})["rules"], 1);
    EXPECT_EQ(hvctl_json({"policy", "apply", file})["name"], "entry");
    EXPECT_EQ(hvctl_json({"policy", "list"})["policies"][0]["path"], file);
    EXPECT_EQ(hvctl_json({"policy", "show", "entry"})["rules"][0]["object"], "ia32_lstar");
    EXPECT_EQ(hvctl_json({"status"})["policies"][0], "entry");
    EXPECT_EQ(hvctl_json({"status", "--audit"})["hvd"], "running");
    EXPECT_EQ(hvctl_json({"stats"})["exits"], 201);
    EXPECT_EQ(hvctl_json({"dump"})["cpus"].size(), 2u);
    EXPECT_EQ(hvctl_json({"version"})["hvd"], HV_VERSION);
    EXPECT_EQ(hvctl_json({"policy", "remove", "entry"})["name"], "entry");
    EXPECT_EQ(hvctl_json({"stop"})["hoisted"], false);
    EXPECT_EQ(hvctl_json({"start"})["hoisted"], true);
    EXPECT_EQ(hvctl_json({"policy", "seal"})["sealed"], true);
    EXPECT_EQ(hvctl({"policy", "mark", "none"}), 1);
    EXPECT_EQ(hvctl_json({"policy", "lock"})["locked"], true);
    EXPECT_EQ(hvctl({"stop"}), 1);
    EXPECT_EQ(err_, "hvctl: a policy is locked\n");
}

TEST_F(hvctl_with_hvd, people_get_tables_and_sentences) {
    auto const file = folder_.write("p.json", lstar_policy);
    hvctl({"start"});
    EXPECT_EQ(hvctl({"policy", "apply", file}), 0);
    EXPECT_EQ(out_, "policy entry: in force, 1 rule\n");
    EXPECT_EQ(hvctl({"policy", "list"}), 0);
    EXPECT_EQ(out_, "POLICY  RULES  FILE\nentry       1  " + file + "\n");
    EXPECT_EQ(hvctl({"status"}), 0);
    EXPECT_TRUE(out_.starts_with("hoisted   yes (vmx)\n")) << out_;
    EXPECT_EQ(out_.find("\033"), std::string::npos);
    EXPECT_EQ(hvctl({"policy", "show", "entry"}), 0);
    EXPECT_NE(out_.find("lstar  deny    now   revocable  write   ia32_lstar  0xc0000082"),
              std::string::npos);
}

TEST_F(hvctl_with_hvd, a_marker_is_reached_by_its_name) {
    hvctl({"start"});
    hvctl({"policy", "apply", folder_.write("p.json", R"({"version":1,"name":"p","rules":[
        {"name":"a","kind":"msr","msr":1,"access":["write"],"action":"deny",
         "when":{"marker":"up"}}]})")});
    EXPECT_EQ(hvctl({"policy", "mark", "down"}), 1);
    EXPECT_EQ(err_, "hvctl: nothing waits for the marker \"down\": waited for are up\n");
    EXPECT_EQ(hvctl({"policy", "show", "p"}), 0) << err_;
    EXPECT_NE(out_.find("deny    marker up  revocable"), std::string::npos) << out_;
    EXPECT_EQ(hvctl({"policy", "mark", "up"}), 0) << err_;
    EXPECT_EQ(out_, "marker up reached: the rules that waited for it are in force\n");
    EXPECT_EQ(hvctl({"policy", "list"}), 0) << err_;
    EXPECT_NE(out_.find("\nmarker up reached\n"), std::string::npos) << out_;
    EXPECT_EQ(hvctl({"status"}), 0) << err_;
    EXPECT_NE(out_.find("markers   up\n"), std::string::npos) << out_;
    EXPECT_EQ(hvctl_json({"policy", "mark", "up"})["markers"][0], "up");
}

TEST_F(hvctl_with_hvd, a_policy_file_of_the_largest_size_reaches_hvd) {
    std::string text = lstar_policy;
    // Newlines and quotes take two bytes each on the way.
    text += std::string((1u << 20) - text.size(), '\n');
    EXPECT_EQ(hvctl({"policy", "check", folder_.write("big.json", text)}), 0) << err_;
}

TEST_F(hvctl_with_hvd, logs_print_all_pages_and_since) {
    hvctl({"start"});
    device_.state.cpus[0].written = 2500;
    events_.put(make_batch(0, 2500));
    EXPECT_EQ(hvctl({"--json", "logs"}), 0) << err_;
    EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 2501);
    EXPECT_EQ(hvctl({"logs", "-n", "3"}), 0) << err_;
    EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 3);
    EXPECT_NE(out_.find("CPU 0  msr_denied  write of 0x0 to ia32_lstar denied"), std::string::npos);
    EXPECT_EQ(hvctl({"logs", "--since", "1h"}), 0) << err_;
    EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 2501);
    EXPECT_EQ(hvctl({"logs", "--since", "2100-01-01T00:00:00Z"}), 0) << err_;
    EXPECT_EQ(out_, "");
}

TEST_F(hvctl_with_hvd, logs_of_a_level_of_a_rule_and_of_a_vm) {
    hvctl({"start"});
    hvctl({"policy", "apply", folder_.write("p.json", lstar_policy)});
    device_.state.cpus[0].written = 5;
    events_.put(make_batch(0, 5));
    EXPECT_EQ(hvctl({"logs", "--level", "warning"}), 0) << err_;
    EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 5);
    EXPECT_EQ(hvctl({"logs", "--level", "warning", "-n", "2"}), 0) << err_;
    EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 2);
    EXPECT_EQ(hvctl({"logs", "--rule", "entry"}), 0) << err_;
    EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 1) << "that it was applied";
    EXPECT_EQ(hvctl({"logs", "--vm", "root"}), 0) << err_;
    EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 5);
    EXPECT_EQ(hvctl({"logs", "--until", "2001-01-01T00:00:00Z"}), 0) << err_;
    EXPECT_EQ(out_, "");
}

TEST_F(hvctl_with_hvd, logs_verify_names_the_line_that_does_not_fit) {
    hvctl({"start"});
    device_.state.cpus[0].written = 5;
    events_.put(make_batch(0, 5));
    EXPECT_EQ(hvctl({"logs"}), 0) << err_;
    auto const path = folder_.path("log/events.jsonl");
    EXPECT_EQ(hvctl({"logs", "--verify", "--file", path}), 0) << err_;
    EXPECT_NE(out_.find("lines in 1 file, none altered or missing\n"), std::string::npos) << out_;
    EXPECT_EQ(hvctl_json({"logs", "--verify", "--file", path})["ok"], true);
    std::ifstream file{path};
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    auto const second = text.find('\n') + 1;
    text.erase(second, text.find('\n', second) + 1 - second);
    std::ofstream{path} << text;
    EXPECT_EQ(hvctl({"logs", "--verify", "--file", path}), 1);
    EXPECT_EQ(err_, "hvctl: " + path +
                        ":2: does not follow the line before it: one was removed, added or "
                        "altered there\n");
    EXPECT_EQ(hvctl({"logs", "--verify", "--file", folder_.path("none")}), 1);
    EXPECT_NE(err_.find("cannot read"), std::string::npos) << err_;
}

TEST_F(hvctl_with_hvd, following_ends_with_hvd) {
    hvctl({"start"});
    // hvd may not have seen yet that this client is gone: it is not the one to be waited for.
    auto const clients = boost::asio::use_future([&] { return server_->clients(); });
    while (boost::asio::post(*loop_, clients).get() != 0) std::this_thread::yield();
    std::function<void()> const close_when_asked = [&] {
        if (server_->clients() != 0) return server_->close();
        boost::asio::post(*loop_, close_when_asked);
    };
    boost::asio::post(*loop_, close_when_asked);
    EXPECT_EQ(hvctl({"logs", "-f"}), 1);
    EXPECT_EQ(err_, "hvctl: hvd ended the connection: see its log\n");
}

}
}
