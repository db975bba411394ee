// SPDX-License-Identifier: MIT
#include "daemon/vm/vm_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "daemon/text/number.hpp"
#include "daemon/text/printable.hpp"
#include "daemon/vm/vm_error.hpp"

namespace hv {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t most_bytes = 64u << 10;
constexpr std::size_t longest_command_line = 2047;
constexpr std::uint64_t mib = 1u << 20;
constexpr std::uint64_t least_memory = 16 * mib;
constexpr std::uint64_t most_memory = 1u << 20;    // MiB
constexpr unsigned most_cpus = 64;
constexpr unsigned most_percent = 100 * 1024;

std::uint64_t read_bytes(value const& from) {
    constexpr auto expected = "expected whole MiB, 16M to 1024G, such as \"256M\"";
    auto const bytes = from.is(json_node::kind::number) ? std::optional{from.node().number}
                                                        : parse_bytes(from.text("a size"));
    if (!bytes || *bytes < least_memory || *bytes % mib != 0 || *bytes / mib > most_memory) {
        from.fail(expected);
    }
    return *bytes;
}

std::string read_path(value const& from) {
    auto const& path = from.text("an absolute path");
    if (!path.starts_with('/') || path.size() > 4095 || path.find('\0') != path.npos) {
        from.fail("expected an absolute path, found \"" + printable(path) + "\"");
    }
    return path;
}

std::string read_line(value const& from, std::size_t longest) {
    auto const& text = from.text();
    bool const one_line = std::none_of(text.begin(), text.end(), [](char each) {
        return static_cast<unsigned char>(each) < 0x20;
    });
    if (!one_line || text.size() > longest) {
        from.fail("expected one line of at most " + std::to_string(longest) + " bytes");
    }
    return text;
}

void read_limits(value const& from, vm_definition& into) {
    from.only({"memory", "cpu_percent"});
    if (auto const found = from.find("memory")) {
        into.memory_limit = read_bytes(*found);
        if (*into.memory_limit < into.memory_bytes) {
            found->fail("expected at least the VM's memory, " + human_bytes(into.memory_bytes));
        }
    }
    if (auto const found = from.find("cpu_percent")) {
        into.cpu_limit = static_cast<unsigned>(found->number_between(1, most_percent));
    }
}

}

vm_definition read_vm(std::string const& path, std::string text,
                      std::optional<std::string> const& name) {
    document const file{path, std::move(text), {.bytes = most_bytes}};
    value const root{file};
    root.only({"$schema", "version", "name", "description", "kernel", "initrd", "command_line",
               "cpus", "memory", "limits"});
    root.at("version").number_between(1, 1);
    vm_definition out;
    out.name = name ? *name : read_vm_name(root.at("name"));
    out.kernel = read_path(root.at("kernel"));
    if (auto const found = root.find("description")) out.description = read_line(*found, 256);
    if (auto const found = root.find("initrd")) out.initrd = read_path(*found);
    if (auto const found = root.find("command_line")) {
        out.command_line = read_line(*found, longest_command_line);
    }
    if (auto const found = root.find("cpus")) {
        out.cpus = static_cast<unsigned>(found->number_between(1, most_cpus));
    }
    if (auto const found = root.find("memory")) out.memory_bytes = read_bytes(*found);
    if (auto const found = root.find("limits")) read_limits(*found, out);
    return out;
}

ordered_json vm_json(vm_definition const& vm) {
    ordered_json out{{"version", 1}, {"name", vm.name}};
    if (!vm.description.empty()) out["description"] = vm.description;
    out["kernel"] = vm.kernel;
    if (!vm.initrd.empty()) out["initrd"] = vm.initrd;
    out["command_line"] = vm.command_line;
    out["cpus"] = vm.cpus;
    out["memory"] = std::to_string(vm.memory_bytes / mib) + "M";
    if (vm.memory_limit) out["limits"]["memory"] = std::to_string(*vm.memory_limit / mib) + "M";
    if (vm.cpu_limit) out["limits"]["cpu_percent"] = *vm.cpu_limit;
    return out;
}

std::string read_vm_text(std::string const& path) {
    std::ifstream file{path, std::ios::binary};
    if (!file) throw vm_error{errno, path + ": " + std::strerror(errno)};
    std::string text(most_bytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (file.bad()) throw vm_error{EISDIR, path + ": cannot be read: is it a file?"};
    if (text.size() > most_bytes) throw vm_error{EFBIG, path + ": larger than any VM file: 64 KiB"};
    return text;
}

}
