// SPDX-License-Identifier: MIT
// The program itself, with its system call filter on and without hv.ko.
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <nlohmann/json.hpp>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "temporary_folder.hpp"

namespace hv {
namespace {

class hvd_process : public testing::Test {
protected:
    void SetUp() override {
        config_ = folder_.write("hvd.json", R"({"socket":")" + folder_.path("hvd.sock") +
                                                R"(","state":")" + folder_.path("policies.json") +
                                                R"(","policies":")" + folder_.path("policies.d") +
                                                R"(","group":"no-such-group","log":{"path":")" +
                                                log_path() + R"("},"vms":{"folder":")" +
                                                folder_.path("vms.d") + R"(","run":")" +
                                                folder_.path("vms") + "\"}}");
    }
    void TearDown() override { end(SIGKILL); }

    /// Starts hvd and waits for its READY=1, which it tells this test as it would tell systemd.
    bool start() {
        auto const notify = folder_.path("notify");
        unlink(notify.c_str());
        int const socket = bind_datagram(notify);
        setenv("NOTIFY_SOCKET", notify.c_str(), 1);
        setenv("WATCHDOG_USEC", "20000", 1);
        pid_ = spawn({HV_TEST_HVD, "--config", config_}, folder_.path("hvd.err"));
        unsetenv("NOTIFY_SOCKET");
        unsetenv("WATCHDOG_USEC");
        bool const ready = wait_for(socket, "READY=1");
        if (ready) alive_ = wait_for(socket, "WATCHDOG=1");
        close(socket);
        return ready;
    }
    static bool wait_for(int socket, std::string const& what) {
        timeval const limit{.tv_sec = 20, .tv_usec = 0};
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        for (std::array<char, 4096> buffer{};;) {
            auto const got = recv(socket, buffer.data(), buffer.size(), 0);
            if (got <= 0) return false;
            std::string_view const text{buffer.data(), static_cast<std::size_t>(got)};
            if (text.find(what) != text.npos) return true;
        }
    }
    static int bind_datagram(std::string const& path) {
        int const made = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof(address.sun_path) - 1);
        EXPECT_EQ(bind(made, reinterpret_cast<sockaddr const*>(&address), sizeof(address)), 0);
        return made;
    }
    static pid_t spawn(std::vector<std::string> words, std::string const& output) {
        std::vector<char*> arguments;
        for (auto& each : words) {
            arguments.push_back(each.data());
        }
        arguments.push_back(nullptr);
        pid_t const child = fork();
        if (child != 0) return child;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        // Looking for leaks at the end takes system calls that hvd has given up by then.
        setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
        int const file = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(file, STDERR_FILENO);
        dup2(file, STDOUT_FILENO);
        execv(arguments[0], arguments.data());
        _exit(127);
    }
    int end(int signal) {
        if (pid_ <= 0) return -1;
        kill(pid_, signal);
        int status = 0;
        waitpid(std::exchange(pid_, -1), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    /// Exit status; output in said_.
    int run(std::vector<std::string> const& words) {
        setenv("HVD_SOCKET", folder_.path("hvd.sock").c_str(), 1);
        pid_t const child = spawn(words, folder_.path("said"));
        int status = 0;
        waitpid(child, &status, 0);
        unsetenv("HVD_SOCKET");
        said_ = folder_.read("said");
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    std::string log_path() const { return folder_.path("log/events.jsonl"); }
    /// A line of the log, and a file that is much shorter than it.
    int create_vm(std::string const& name) {
        return run({HV_TEST_HVCTL, "vm", "create", "--kernel", "/bin/true", name});
    }
    int verify() { return run({HV_TEST_HVCTL, "logs", "--verify", "--file", log_path()}); }
    std::string proc_status(std::string const& key) const {
        std::ifstream file{"/proc/" + std::to_string(pid_) + "/status"};
        for (std::string line; std::getline(file, line);) {
            if (line.starts_with(key + ":")) return line.substr(key.size() + 2);
        }
        return {};
    }

    temporary_folder folder_;
    std::string config_;
    std::string said_;
    pid_t pid_ = -1;
    bool alive_ = false;
};

#if defined(__SANITIZE_ADDRESS__)
constexpr bool instrumented = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool instrumented = true;
#else
constexpr bool instrumented = false;
#endif
#else
constexpr bool instrumented = false;
#endif

TEST_F(hvd_process, tells_the_service_manager_when_it_is_ready_and_that_it_lives) {
    ASSERT_TRUE(start()) << folder_.read("hvd.err");
    EXPECT_TRUE(alive_);
    EXPECT_EQ(end(SIGTERM), 0) << folder_.read("hvd.err");
    EXPECT_FALSE(std::filesystem::exists(folder_.path("hvd.sock")));
}

TEST_F(hvd_process, answers_hvctl_through_its_system_call_filter) {
    if (instrumented) GTEST_SKIP() << "the sanitizer's own calls are not on the list";
    ASSERT_TRUE(start()) << folder_.read("hvd.err");
    EXPECT_EQ(run({HV_TEST_HVCTL, "--json", "version"}), 0) << said_;
    EXPECT_NE(said_.find("\"hvd\":\"" HV_VERSION), std::string::npos) << said_;
    EXPECT_EQ(run({HV_TEST_HVCTL, "policy", "check", HV_TEST_CONFIGS "/policies/kernel-text.json"}),
              0)
        << said_;
    EXPECT_EQ(run({HV_TEST_HVCTL, "logs"}), 0) << said_;
    EXPECT_EQ(run({HV_TEST_HVCTL, "status"}), 1);
    EXPECT_NE(said_.find("hv.ko is not loaded"), std::string::npos) << said_;
    EXPECT_EQ(proc_status("Seccomp"), "2");
    EXPECT_EQ(proc_status("NoNewPrivs"), "1");
}

TEST_F(hvd_process, keeps_two_capabilities) {
    if (geteuid() != 0) GTEST_SKIP() << "has none to drop";
    ASSERT_TRUE(start()) << folder_.read("hvd.err");
    auto const kept = std::stoull(proc_status("CapEff"), nullptr, 16);
    auto const wanted = 1ull << 21 | 1ull << 34;    // CAP_SYS_ADMIN, CAP_SYSLOG
    EXPECT_EQ(kept & ~wanted, 0u);
    EXPECT_EQ(proc_status("CapPrm"), proc_status("CapEff"));
    auto const bounding = std::stoull(proc_status("CapBnd"), nullptr, 16);
    EXPECT_TRUE(bounding == 0 || prctl(PR_CAPBSET_READ, CAP_SETPCAP) == 0) << bounding;
}

TEST_F(hvd_process, starts_again_after_a_kill) {
    ASSERT_TRUE(start());
    end(SIGKILL);
    EXPECT_TRUE(std::filesystem::exists(folder_.path("hvd.sock")));
    EXPECT_EQ(run({HV_TEST_HVCTL, "logs"}), 1);
    EXPECT_EQ(said_, "hvctl: hvd is not running: systemctl start hvd\n");
    EXPECT_TRUE(start()) << folder_.read("hvd.err");
}

TEST_F(hvd_process, killed_in_the_middle_of_a_line_leaves_a_log_that_verifies_and_goes_on) {
    if (geteuid() != 0) GTEST_SKIP() << "only root may make VMs";
    if (instrumented) GTEST_SKIP() << "the sanitizer's own calls are not on the list";
    ASSERT_TRUE(start());
    for (auto const* const name : {"a", "b", "c"}) {
        ASSERT_EQ(create_vm(name), 0) << said_;
    }
    // The kernel writes as much as the limit lets through, and kills hvd at the next write.
    auto const room = std::filesystem::file_size(log_path()) + 100;
    rlimit const limit{.rlim_cur = room, .rlim_max = room};
    ASSERT_EQ(prlimit(pid_, RLIMIT_FSIZE, &limit, nullptr), 0);
    EXPECT_EQ(create_vm("d"), 1);
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ) << status;
    ASSERT_EQ(std::filesystem::file_size(log_path()), room);
    EXPECT_EQ(verify(), 0) << said_;
    EXPECT_NE(said_.find(": 3 lines in 1 file"), std::string::npos) << said_;
    EXPECT_NE(said_.find("the last line is half written"), std::string::npos) << said_;
    ASSERT_TRUE(start());
    ASSERT_EQ(create_vm("e"), 0) << said_;
    EXPECT_EQ(verify(), 0) << said_;
    EXPECT_NE(said_.find(": 4 lines in 1 file"), std::string::npos) << said_;
    EXPECT_EQ(said_.find("half written"), std::string::npos) << said_;
}

TEST_F(hvd_process, a_second_one_gives_up_and_leaves_the_first_alone) {
    ASSERT_TRUE(start());
    EXPECT_EQ(run({HV_TEST_HVD, "--config", config_}), 1);
    EXPECT_NE(said_.find("another hvd is running"), std::string::npos) << said_;
    EXPECT_EQ(run({HV_TEST_HVCTL, "version"}), 0) << said_;
}

TEST_F(hvd_process, says_what_is_wrong_with_its_arguments_and_files) {
    EXPECT_EQ(run({HV_TEST_HVD, "--nope"}), 2);
    EXPECT_EQ(said_, "hvd: arguments not understood: see hvd --help\n");
    EXPECT_EQ(run({HV_TEST_HVD, "word"}), 2);
    EXPECT_EQ(run({HV_TEST_HVD, "--version"}), 0);
    EXPECT_EQ(said_, "hvd " HV_VERSION "\n");
    EXPECT_EQ(run({HV_TEST_HVD, "--help"}), 0);
    EXPECT_NE(said_.find("--config FILE"), std::string::npos);
    EXPECT_EQ(run({HV_TEST_HVD, "--config", "/nope"}), 1);
    EXPECT_EQ(said_, "hvd: /nope: no such file: give the path of a file\n");
    auto const bad = folder_.write("bad.json", "{\"socket\": 5}");
    EXPECT_EQ(run({HV_TEST_HVD, "--config", bad}), 1);
    EXPECT_EQ(said_, "hvd: " + bad + ":1:12: socket: expected a string, found 5\n");
}

TEST_F(hvd_process, checks_the_folder_of_policies) {
    folder_.write("policies.d/a.json", R"({"version":1,"name":"a","rules":[{"name":"l",
        "kind":"msr","msr":1,"access":["read"],"action":"log"}]})");
    EXPECT_EQ(run({HV_TEST_HVD, "--check", "--config", config_}), 0) << said_;
    auto const bad = folder_.write("policies.d/b.json", "[");
    EXPECT_EQ(run({HV_TEST_HVD, "--check", "--config", config_}), 1);
    EXPECT_TRUE(said_.starts_with("hvd: " + bad + ":1:2: not JSON")) << said_;
}

}
}
