// SPDX-License-Identifier: MIT
#include "daemon/vm/spawn.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/vm/become_vm.hpp"
#include "daemon/vm/control_group.hpp"
#include "daemon/vm/vm_error.hpp"

namespace hv {
namespace {

vm_error failed(std::string const& what, std::string const& hint = {}) {
    return vm_error{errno, what + ": " + std::strerror(errno) + (hint.empty() ? "" : ": " + hint)};
}

/// O_NONBLOCK: a pipe that somebody put there must not hold us.
owned_file open_input(char const* kind, std::string const& path) {
    owned_file out{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct stat found{};
    if (out.number() < 0 || fstat(out.number(), &found) != 0) {
        throw failed(std::string{"no "} + kind + " at " + path, "name another");
    }
    if (!S_ISREG(found.st_mode)) throw vm_error{EINVAL, path + " is no file: name another"};
    return out;
}

owned_file open_node(std::string const& path) {
    owned_file out{open(path.c_str(), O_RDWR | O_CLOEXEC)};
    if (out.number() >= 0) return out;
    throw failed("cannot open " + path,
                 "hoist Linux (hvctl start) and load hv_kvm (modprobe hv_kvm)");
}

owned_file listen_in(std::string const& folder, char const* name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    auto const path = folder + "/" + name;
    if (path.size() >= sizeof(address.sun_path)) throw vm_error{ENAMETOOLONG, path + ": too long"};
    std::memcpy(address.sun_path, path.data(), path.size());
    owned_file out{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    unlink(path.c_str());
    auto const mask = umask(0177);
    bool const bound = bind(out.number(), reinterpret_cast<sockaddr const*>(&address),
                            sizeof(address)) == 0;
    umask(mask);
    if (!bound || listen(out.number(), 8) != 0) throw failed("cannot listen at " + path);
    return out;
}

owned_file make_report(std::string const& folder) {
    auto const path = folder + "/" + report_file;
    owned_file out{open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND, 0600)};
    if (out.number() < 0) throw failed("cannot write " + path);
    return out;
}

vm_files open_files(launch_request const& request) {
    vm_files out;
    out.kernel = open_input("kernel", request.vm.kernel);
    if (!request.vm.initrd.empty()) out.initrd = open_input("initrd", request.vm.initrd);
    out.node = open_node(request.node);
    if (mkdir(request.folder.c_str(), 0755) != 0 && errno != EEXIST) {
        throw failed("cannot make " + request.folder);
    }
    out.console = listen_in(request.folder, console_socket);
    out.control = listen_in(request.folder, control_socket);
    out.report = make_report(request.folder);
    return out;
}

void write_process_file(launch_request const& request, process_mark const& process,
                        std::string const& group) {
    std::ofstream file{request.folder + "/" + process_file};
    file << process.pid << ' ' << process.started << ' ' << std::time(nullptr) << ' ' << request.uid
         << ' ' << group << '\n';
}

void remove_sockets(std::string const& folder) {
    unlink((folder + "/" + console_socket).c_str());
    unlink((folder + "/" + control_socket).c_str());
}

/// The child waits until it is in its group, and says by `failure` why exec did not come about.
process_mark start_child(launch_request const& request, vm_files const& files,
                         std::string const& group) {
    std::array<int, 2> go{};
    std::array<int, 2> failure{};
    if (pipe2(go.data(), O_CLOEXEC) != 0) throw failed("pipe");
    owned_file const go_read{go[0]};
    owned_file go_write{go[1]};
    if (pipe2(failure.data(), O_CLOEXEC) != 0) throw failed("pipe");
    owned_file const failure_read{failure[0]};
    owned_file failure_write{failure[1]};
    auto const child = fork();
    if (child < 0) throw failed("fork");
    if (child == 0) {
        go_write = owned_file{};
        become_vm(request, files, go_read.number(), failure_write.number());
    }
    failure_write = owned_file{};
    auto const process = mark_of(child);
    enter_group(group, child);
    write_process_file(request, process, group);
    char const word = 'g';
    (void)!write(go_write.number(), &word, 1);
    int reason = 0;
    if (read(failure_read.number(), &reason, sizeof(reason)) == sizeof(reason)) {
        throw vm_error{reason, "cannot start " + request.program + ": " + std::strerror(reason)};
    }
    return process;
}

}

launcher::launched spawn_vm(launch_request const& request) {
    auto const files = open_files(request);
    std::string group;
    try {
        group = make_group(request.vm);
        return {start_child(request, files, group), group};
    } catch (...) {
        release_vm(request.folder, group);
        std::error_code ignored;
        std::filesystem::remove_all(request.folder, ignored);
        throw;
    }
}

void kill_vm(process_mark const& process) {
    owned_file const handle{static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0))};
    // From here on the number is this process's alone, whoever had it before.
    if (handle.number() < 0 || mark_of(process.pid) != process) return;
    if (syscall(SYS_pidfd_send_signal, handle.number(), SIGKILL, nullptr, 0) != 0) {
        throw failed("cannot kill process " + std::to_string(process.pid));
    }
}

launcher::released release_vm(std::string const& folder, std::string const& group) {
    remove_sockets(folder);
    auto const kills = read_group(group, "memory.events", "oom_kill").value_or(0);
    return {kills != 0, !remove_group(group)};
}

}
