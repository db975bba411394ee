// SPDX-License-Identifier: MIT
#include "cli_fixture.hpp"
#include "daemon/hvd_options.hpp"
#include "daemon/hvrun/options.hpp"
#include "daemon/vmm/options.hpp"

namespace hv {
namespace {

class generate_test : public cli_fixture {
protected:
    std::string completion(std::string const& shell) {
        EXPECT_EQ(hvctl({"generate", "completion", shell}), 0) << err_;
        return out_;
    }
    int run_shell(std::string const& command) const {
        return std::system((command + " >/dev/null 2>&1").c_str());
    }
};

TEST_F(generate_test, the_manual_has_every_verb_option_and_status) {
    EXPECT_EQ(hvctl({"generate", "man", "--out", folder_.path()}), 0) << err_;
    auto const plain = [&](char const* name) {
        auto text = folder_.read(name);
        std::erase(text, '\\');
        return text;
    };
    auto const page = plain("hvctl.1");
    for (auto const& each : cli::verbs()) {
        EXPECT_NE(page.find("fB" + std::string{each.name}), std::string::npos) << each.name;
        EXPECT_NE(page.find(each.summary.substr(0, 20)), std::string::npos) << each.name;
        for (auto const& option : each.options) {
            EXPECT_NE(page.find(option.key()), std::string::npos) << option.names;
        }
    }
    for (auto const& each : cli::exit_texts()) {
        EXPECT_NE(page.find("fB" + std::to_string(each.status)), std::string::npos);
    }
    for (auto const& each : vmm::option_texts) {
        EXPECT_NE(plain("hv-vmm.1").find(each.name), std::string::npos) << each.name;
    }
    for (auto const& each : hvrun::option_texts) {
        EXPECT_NE(plain("hv-run.1").find(each.name), std::string::npos) << each.name;
    }
    for (auto const& each : hvd_options) {
        EXPECT_NE(folder_.read("hvd.8").find(each.name), std::string::npos) << each.name;
    }
}

TEST_F(generate_test, the_manual_is_sound_roff) {
    if (run_shell("man --version") != 0) GTEST_SKIP() << "no man here";
    hvctl({"generate", "man", "--out", folder_.path()});
    for (auto const* const page : {"hvctl.1", "hvd.8", "hv-vmm.1", "hv-run.1"}) {
        EXPECT_EQ(run_shell("test -z \"$(man --warnings -l " + folder_.path(page) +
                            " 2>&1 >/dev/null)\""),
                  0);
    }
}

TEST_F(generate_test, a_folder_that_is_not_there_is_refused) {
    EXPECT_EQ(hvctl({"generate", "man", "--out", folder_.path("none")}), 1);
    EXPECT_NE(err_.find("cannot be written"), std::string::npos);
}

TEST_F(generate_test, each_shell_knows_every_verb) {
    for (auto const* const shell : {"bash", "zsh", "fish"}) {
        auto const text = completion(shell);
        for (auto const& each : cli::verbs()) {
            auto const last = each.name.substr(each.name.find(' ') + 1);
            EXPECT_NE(text.find(last), std::string::npos) << shell << " " << each.name;
        }
    }
}

TEST_F(generate_test, bash_completes_verbs_options_and_shells) {
    auto const script = folder_.write("hvctl.bash", completion("bash"));
    auto const completes = [&](std::string const& words, std::string const& cursor,
                               std::string const& expected) {
        auto const command = "bash -c '. " + script + "; COMP_WORDS=(" + words +
                             "); COMP_CWORD=" + cursor + "; _hvctl; test \"${COMPREPLY[*]}\" = \"" +
                             expected + "\"'";
        EXPECT_EQ(run_shell(command), 0) << words;
    };
    completes("hvctl st", "1", "start stats status stop");
    completes("hvctl --json statu", "2", "status");
    completes("hvctl policy ap", "2", "apply");
    completes("hvctl status --a", "2", "--audit");
    completes("hvctl generate completion z", "3", "zsh");
    completes("hvctl vm sta", "2", "start stats");
    completes("hvctl vm run --cp", "3", "--cpus --cpu-limit");
}

TEST_F(generate_test, bash_completes_markers_that_are_waited_for) {
    auto const script = folder_.write("hvctl.bash", completion("bash"));
    auto const answer = folder_.write("answer", R"({"policies":[{"name":"p"}],"markers":["done"],)"
                                                R"("waited_for":["up","marker 5","under-way"]})"
                                                "\n");
    auto const completes = [&](std::string const& word, std::string const& expected) {
        auto const command = "bash -c '. " + script + "; hvctl() { cat " + answer +
                             "; }; COMP_WORDS=(hvctl policy mark \"" + word +
                             "\"); COMP_CWORD=3; _hvctl; test \"${COMPREPLY[*]}\" = \"" + expected +
                             "\"'";
        EXPECT_EQ(run_shell(command), 0) << word;
    };
    completes("", "up under-way");
    completes("un", "under-way");
    completes("do", "");
}

TEST_F(generate_test, hv_run_is_completed_too) {
    for (std::string const shell : {"bash", "zsh", "fish"}) {
        EXPECT_EQ(hvctl({"generate", "completion", shell, "hv-run"}), 0) << err_;
        EXPECT_NE(out_.find("node"), std::string::npos) << shell;
    }
    hvctl({"generate", "completion", "bash", "hv-run"});
    auto const script = folder_.write("hv-run.bash", out_);
    EXPECT_EQ(run_shell("bash -c '. " + script + "; COMP_WORDS=(hv-run --no); COMP_CWORD=1; " +
                        "_hv_run; test \"${COMPREPLY[*]}\" = --node'"),
              0);
    EXPECT_EQ(hvctl({"generate", "completion", "bash", "hvd"}), 2);
}

}
}
