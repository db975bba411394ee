// SPDX-License-Identifier: MIT
#include "daemon/vm/spawn.hpp"

#include <algorithm>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "daemon/vm/vm_error.hpp"
#include "temporary_folder.hpp"

namespace hv {
namespace {

/// A program in hv-vmm's place, really started.
class spawn : public testing::Test {
protected:
    launch_request request(std::string const& script) {
        folder_.write("kernel", "k");
        folder_.write("initrd", "i");
        auto const program = folder_.write("program", "#!/bin/sh\n" + script + "\n");
        std::filesystem::permissions(program, std::filesystem::perms::owner_all);
        launch_request out;
        out.vm = read_vm("",
                         R"({"version":1,"kernel":")" + folder_.path("kernel") + R"(","initrd":")" +
                             folder_.path("initrd") + R"("})",
                         "hv-test");
        out.program = program;
        out.node = "/dev/null";
        out.folder = folder_.path("vm");
        return out;
    }
    std::string refused(launch_request const& request) {
        return refusal_of<vm_error>([&] { spawn_vm(request); });
    }
    /// What the program wrote, once it has ended.
    std::string output_of(launch_request const& request) {
        try {
            auto const started = spawn_vm(request);
            waitpid(started.process.pid, nullptr, 0);
            release_vm(request.folder, started.group);
        } catch (vm_error const& error) {
            return error.what();
        }
        return folder_.read("vm/report");
    }

    temporary_folder folder_;
};

TEST_F(spawn, gives_the_program_its_files_and_nothing_else) {
    auto const said = output_of(request("echo \"$*\" >&8; ls /proc/$$/fd | tr '\\n' ' ' >&8; "
                                        "cat <&3 >&8; cat <&4 >&8; env >&8"));
    if (said.starts_with("cannot make /sys")) GTEST_SKIP() << said;
    EXPECT_NE(said.find("--name hv-test --kernel fd:3:" + folder_.path("kernel")), said.npos);
    EXPECT_NE(said.find("--memory 268435456 --initrd fd:4:" + folder_.path("initrd")), said.npos);
    EXPECT_NE(said.find("\n0 1 "), said.npos) << said;
    EXPECT_NE(said.find(" 8 "), said.npos) << said;
    EXPECT_EQ(said.find(" 9 "), said.npos) << said;
    EXPECT_NE(said.find("ki"), said.npos) << "what was in the two files";
    EXPECT_EQ(said.find("PATH=/usr/local"), said.npos) << "no environment";
}

TEST_F(spawn, what_is_not_there_is_one_clear_line_and_leaves_nothing) {
    auto wanted = request("true");
    wanted.vm.kernel = "/none";
    EXPECT_EQ(refused(wanted), "no kernel at /none: No such file or directory: name another");
    wanted = request("true");
    wanted.vm.initrd = "/";
    EXPECT_EQ(refused(wanted), "/ is no file: name another");
    wanted = request("true");
    wanted.node = "/dev/none";
    EXPECT_EQ(refused(wanted), "cannot open /dev/none: No such file or directory: hoist Linux "
                               "(hvctl start) and load hv_kvm (modprobe hv_kvm)");
    EXPECT_FALSE(std::filesystem::exists(wanted.folder));
    wanted = request("true");
    wanted.program = "/none";
    auto const said = refused(wanted);
    if (said.starts_with("cannot make /sys")) GTEST_SKIP() << said;
    EXPECT_EQ(said, "cannot start /none: No such file or directory");
    EXPECT_FALSE(std::filesystem::exists(wanted.folder));
}

TEST(process_mark, is_of_one_process_only) {
    auto const self = mark_of(getpid());
    EXPECT_NE(self.started, 0u);
    auto const child = fork();
    if (child == 0) _exit(0);
    siginfo_t ended{};
    waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT);
    EXPECT_EQ(mark_of(child).started, 0u) << "dead, if not buried";
    waitpid(child, nullptr, 0);
    EXPECT_EQ(mark_of(child).started, 0u);
    kill_vm({getpid(), self.started + 1});    // and this goes on: it is another process
}

}
}
