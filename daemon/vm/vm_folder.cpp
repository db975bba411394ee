// SPDX-License-Identifier: MIT
#include "daemon/vm/vm_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/vm/vm_error.hpp"

namespace hv {
namespace {

constexpr std::size_t most_files = 1024;

vm_error failed(std::string const& what) {
    return vm_error{errno, what + ": " + std::strerror(errno)};
}

}

vm_folder::entry vm_folder::read_one(std::string const& name) const {
    entry out{name, path_of(name), {}, {}};
    try {
        out.vm = read_vm(out.path, read_vm_text(out.path));
        if (out.vm.name != name) {
            out.error = out.path + ": describes a VM called \"" + out.vm.name +
                        "\": call the file " + out.vm.name + ".json";
        }
    } catch (std::runtime_error const& error) {
        out.error = error.what();
    }
    return out;
}

std::vector<vm_folder::entry> vm_folder::read() const {
    std::vector<entry> out;
    std::error_code missing;
    for (auto const& each : std::filesystem::directory_iterator{path_, missing}) {
        if (each.path().extension() != ".json" || out.size() == most_files) continue;
        out.push_back(read_one(each.path().stem().string()));
    }
    std::sort(out.begin(), out.end(), [](auto const& a, auto const& b) { return a.name < b.name; });
    return out;
}

bool vm_folder::has(std::string const& name) const {
    return access(path_of(name).c_str(), F_OK) == 0;
}

vm_definition vm_folder::find(std::string const& name) const {
    auto found = read_one(name);
    if (!found.error.empty()) throw vm_error{EINVAL, found.error};
    return found.vm;
}

void vm_folder::write(vm_definition const& vm) const {
    auto const path = path_of(vm.name);
    auto const fresh = path + ".new";
    auto const text = vm_json(vm).dump(2) + "\n";
    mkdir(path_.c_str(), 0755);
    int const file = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                          0644);
    if (file < 0) throw failed("cannot write " + fresh);
    bool const whole = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    close(file);
    if (!whole || std::rename(fresh.c_str(), path.c_str()) != 0) {
        throw failed("cannot write " + path);
    }
}

void vm_folder::remove(std::string const& name) const {
    if (unlink(path_of(name).c_str()) != 0) throw failed("cannot remove " + path_of(name));
}

}
