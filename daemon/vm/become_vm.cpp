// SPDX-License-Identifier: MIT
#include "daemon/vm/become_vm.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace hv {
namespace {

// hv-vmm finds its files from here on; what is beyond is for us, until exec.
constexpr int first_file = 3;
constexpr int file_count = 6;
constexpr int out_of_the_way = 64;
constexpr rlim_t most_files = 256;

[[noreturn]] void give_up(int failure) {
    int const reason = errno;
    (void)!write(failure, &reason, sizeof(reason));
    _exit(127);
}

bool place_files(vm_files const& files, int& failure) {
    std::array<int, file_count> all{files.kernel.number(),  files.initrd.number(),
                                    files.node.number(),    files.console.number(),
                                    files.control.number(), files.report.number()};
    failure = fcntl(failure, F_DUPFD_CLOEXEC, out_of_the_way);
    for (auto& each : all) {
        if (each >= 0) each = fcntl(each, F_DUPFD_CLOEXEC, out_of_the_way);
    }
    int const nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    bool fine = nothing >= 0;
    for (int standard = 0; standard < first_file; ++standard) {
        fine = fine && dup2(nothing, standard) == standard;
    }
    for (int i = 0; i < file_count; ++i) {
        int const target = first_file + i;
        auto const from = all[static_cast<std::size_t>(i)];
        fine = fine && (from < 0 ? (close(target), true) : dup2(from, target) == target);
    }
    // Whatever is left is closed by exec.
    return fine && close_range(first_file + file_count, ~0u, CLOSE_RANGE_CLOEXEC) == 0;
}

bool drop_rights(uid_t uid) {
    rlimit const files{most_files, most_files};
    if (setrlimit(RLIMIT_NOFILE, &files) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return false;
    }
    if (uid == 0) return true;
    return setgroups(0, nullptr) == 0 && setresgid(uid, uid, uid) == 0 &&
           setresuid(uid, uid, uid) == 0;
}

std::vector<std::string> arguments(launch_request const& request) {
    auto const& vm = request.vm;
    std::vector<std::string> out{"hv-vmm",
                                 "--name",
                                 vm.name,
                                 "--kernel",
                                 "fd:3:" + vm.kernel,
                                 "--node",
                                 "fd:5:" + request.node,
                                 "--console",
                                 "fd:6",
                                 "--control",
                                 "fd:7",
                                 "--report",
                                 "fd:8",
                                 "--command-line",
                                 vm.command_line,
                                 "--cpus",
                                 std::to_string(vm.cpus),
                                 "--memory",
                                 std::to_string(vm.memory_bytes)};
    if (!vm.initrd.empty()) {
        out.insert(out.end(), {"--initrd", "fd:4:" + vm.initrd});
    }
    return out;
}

}

void become_vm(launch_request const& request, vm_files const& files, int go, int failure) {
    char word = 0;
    if (read(go, &word, 1) != 1) _exit(127);
    if (!place_files(files, failure)) give_up(failure);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (int const each : {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGCHLD}) {
        std::signal(each, SIG_DFL);    // what is ignored stays so over exec
    }
    setsid();
    if (chdir("/") != 0 || !drop_rights(request.uid)) give_up(failure);
    auto words = arguments(request);
    std::vector<char*> raw;
    for (auto& each : words) {
        raw.push_back(each.data());
    }
    raw.push_back(nullptr);
    char* const environment[]{nullptr};
    execve(request.program.c_str(), raw.data(), environment);
    give_up(failure);
}

}
