// SPDX-License-Identifier: MIT
#include "daemon/hvrun/place.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <linux/kvm.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/hvrun/options.hpp"

namespace hv::hvrun {
namespace {

constexpr char const* place = "/dev/kvm";
constexpr char const* devices = "/dev";

std::string advice_without_node(std::string const& node) {
    if (errno == EACCES || errno == EPERM) return "be root or in the group kvm";
    if (node != options{}.node) return "name another with --node";
    return "hoist Linux (hvctl start) and load hv_kvm (modprobe hv_kvm)";
}

void write_file(char const* path, std::string const& text) {
    std::ofstream file{path};
    file << text << std::flush;
    if (!file) throw failure{std::string{"cannot write "} + path};
}

void map_own(char const* path, unsigned id) {
    auto const number = std::to_string(id);
    write_file(path, number + " " + number + " 1");
}

/// A user namespace with nobody but its maker, who may mount there.
void enter_own_user() {
    auto const user = geteuid();
    auto const group = getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
        throw system_failure("cannot make a namespace",
                             "be root, allow users to (sysctl user.max_user_namespaces, "
                             "kernel.unprivileged_userns_clone), or load hv_kvm with node=kvm");
    }
    write_file("/proc/self/setgroups", "deny");    // or the next but one is refused
    map_own("/proc/self/uid_map", user);
    map_own("/proc/self/gid_map", group);
}

void enter_namespace() {
    if (unshare(CLONE_NEWNS) != 0) enter_own_user();
    // What others mount comes in, what is mounted here stays here.
    if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
        throw system_failure("cannot keep mounts apart");
    }
}

void bind(std::string const& from, std::string const& to) {
    if (mount(from.c_str(), to.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
        throw system_failure("cannot put " + from + " at " + to);
    }
}

void make_file(std::string const& path) {
    int const made = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (made < 0) throw system_failure("cannot make " + path);
    close(made);
}

/// One entry of the old /dev in the new one.
void take_over(std::filesystem::directory_entry const& old) {
    auto const path = devices / old.path().filename();
    if (old.is_symlink()) {
        std::filesystem::create_symlink(std::filesystem::read_symlink(old.path()), path);
        return;
    }
    if (old.is_directory()) {
        std::filesystem::create_directory(path);
    } else {
        make_file(path);
    }
    bind(old.path(), path);
}

/// Nothing can be mounted at a name that is not there, and only root can make one in /dev: so there
/// will be another /dev, with all that this one has.
void copy_devices() {
    int const old = open(devices, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (old < 0) throw system_failure("cannot open /dev");
    if (mount("dev", devices, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755") != 0) {
        throw system_failure("cannot mount another /dev");
    }
    auto const path = "/proc/self/fd/" + std::to_string(old);
    for (auto const& each : std::filesystem::directory_iterator{path}) take_over(each);
    close(old);
    make_file(place);
}

}

void check_node(std::string const& node) {
    int const file = open(node.c_str(), O_RDWR | O_CLOEXEC);
    if (file < 0) throw system_failure("cannot open " + node, advice_without_node(node));
    int const version = ioctl(file, KVM_GET_API_VERSION, 0);
    close(file);
    if (version != KVM_API_VERSION) {
        throw failure{node + " runs no guests: it speaks no KVM API of version 12"};
    }
}

void put_in_place(std::string const& node) {
    enter_namespace();
    // In this namespace, and before another /dev hides it.
    int const file = open(node.c_str(), O_PATH | O_CLOEXEC);
    if (file < 0) throw system_failure("cannot open " + node);
    struct stat found{};
    if (stat(place, &found) != 0) copy_devices();
    bind("/proc/self/fd/" + std::to_string(file), place);
    close(file);
}

}
