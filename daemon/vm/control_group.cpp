// SPDX-License-Identifier: MIT
#include "daemon/vm/control_group.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/text/number.hpp"
#include "daemon/vm/vm_error.hpp"

namespace hv {
namespace {

// Beside systemd's tree, not in hvd's part of it, so that VMs stay when hvd is restarted.
constexpr char const* family = "/hv";
constexpr std::uint64_t period_us = 100'000;
constexpr std::uint64_t own_needs = 64u << 20;    // of the process, beside the VM's memory
constexpr std::uint64_t tables_share = 256;       // one part of so many for its page tables
constexpr unsigned threads_beside_cpus = 8;

bool write_file(std::string const& path, std::string const& text) {
    int const file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0) return false;
    bool const written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    int const reason = errno;
    close(file);
    errno = reason;
    return written;
}

void make_folder(std::string const& path) {
    if (mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return;
    throw vm_error{errno, "cannot make " + path + ": " + std::strerror(errno)};
}

/// Each by itself: a machine may lack one of them.
void enable_controllers(std::string const& group) {
    for (auto const* const each : {"+memory", "+cpu", "+pids"}) {
        write_file(group + "/cgroup.subtree_control", each);
    }
}

void limit(std::string const& group, std::string const& file, std::string const& value,
           bool asked_for) {
    if (write_file(group + "/" + file, value) || !asked_for) return;
    auto const controller = file.substr(0, file.find('.'));
    throw vm_error{errno, "cannot limit a VM's " + controller + ": " + std::strerror(errno) +
                              ": is the controller in " + control_groups() +
                              "/cgroup.controllers?"};
}

void set_limits(std::string const& group, vm_definition const& vm) {
    auto const memory = vm.memory_limit.value_or(vm.memory_bytes + vm.memory_bytes / tables_share +
                                                 own_needs);
    limit(group, "memory.max", std::to_string(memory), vm.memory_limit.has_value());
    write_file(group + "/memory.oom.group", "1");
    limit(group, "pids.max", std::to_string(vm.cpus + threads_beside_cpus), false);
    if (!vm.cpu_limit) return;
    limit(group, "cpu.max",
          std::to_string(*vm.cpu_limit * period_us / 100) + " " + std::to_string(period_us), true);
}

}

std::string control_groups() {
    std::ifstream mounts{"/proc/self/mounts"};
    for (std::string line; std::getline(mounts, line);) {
        std::istringstream words{line};
        std::string device, at, type;
        if (words >> device >> at >> type && type == "cgroup2") return at;
    }
    return {};
}

std::string make_group(vm_definition const& vm) {
    auto const root = control_groups();
    if (root.empty()) {
        if (!vm.memory_limit && !vm.cpu_limit) return {};
        throw vm_error{ENOSYS, "limits need control groups of version 2, which are mounted "
                               "nowhere: mount -t cgroup2 none /sys/fs/cgroup"};
    }
    enable_controllers(root);
    make_folder(root + family);
    enable_controllers(root + family);
    auto const group = root + family + "/" + vm.name;
    make_folder(group);
    try {
        set_limits(group, vm);
    } catch (...) {
        remove_group(group);
        throw;
    }
    return group;
}

void enter_group(std::string const& group, pid_t process) {
    if (group.empty() || write_file(group + "/cgroup.procs", std::to_string(process))) return;
    throw vm_error{errno, "cannot put a VM in " + group + ": " + std::strerror(errno)};
}

bool remove_group(std::string const& group) {
    if (group.empty()) return true;
    bool const gone = rmdir(group.c_str()) == 0 || errno != EBUSY;
    // The last one takes the family with it; otherwise this does nothing.
    rmdir(group.substr(0, group.rfind('/')).c_str());
    return gone;
}

std::optional<std::uint64_t> read_group(std::string const& group, std::string const& file,
                                        std::string const& key) {
    if (group.empty()) return std::nullopt;
    std::ifstream lines{group + "/" + file};
    for (std::string line; std::getline(lines, line);) {
        if (key.empty()) return parse_number(line);
        if (line.starts_with(key + " ")) return parse_number(line.substr(key.size() + 1));
    }
    return std::nullopt;
}

}
