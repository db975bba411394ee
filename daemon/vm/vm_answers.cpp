// SPDX-License-Identifier: MIT
// What hvd answers about its VMs.
#include <cerrno>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "daemon/text/number.hpp"
#include "daemon/text/printable.hpp"
#include "daemon/vm/control_group.hpp"
#include "daemon/vm/vm_error.hpp"
#include "daemon/vm/vm_keeper.hpp"

namespace hv {
namespace {

using nlohmann::ordered_json;

ordered_json or_null(std::optional<std::uint64_t> const& number) {
    return number ? ordered_json(*number) : ordered_json(nullptr);
}

ordered_json file_row(vm_folder::entry const& entry) {
    return {{"name", entry.name},
            {"state", "broken"},
            {"program", "hv-vmm"},
            {"pid", nullptr},
            {"ending", printable(entry.error, 512)},
            {"file", entry.path}};
}

ordered_json guest_row(node_guest const& guest) {
    return {{"name", nullptr},
            {"state", "running"},
            {"program", printable(guest.program)},
            {"pid", guest.pid == 0 ? ordered_json(nullptr) : ordered_json(guest.pid)},
            {"cpus", guest.cpus},
            {"memory_bytes", guest.memory_bytes}};
}

}

ordered_json vm_keeper::row(vm_definition const& vm, vm_instance const* instance) const {
    ordered_json out{{"name", vm.name},
                     {"state", instance == nullptr ? "stopped" : state_text(instance->state())},
                     {"program", "hv-vmm"},
                     {"pid", nullptr},
                     {"cpus", vm.cpus},
                     {"memory_bytes", vm.memory_bytes},
                     {"uptime_seconds", nullptr},
                     {"ending", nullptr},
                     {"file", nullptr}};
    if (files_.has(vm.name)) out["file"] = files_.path_of(vm.name);
    if (instance == nullptr) return out;
    if (!instance->ending().empty()) out["ending"] = instance->ending();
    if (!instance->lives()) return out;
    out["pid"] = instance->process().pid;
    out["uptime_seconds"] = std::max<std::time_t>(0, std::time(nullptr) - instance->since());
    return out;
}

ordered_json vm_keeper::list() {
    refresh();
    auto rows = ordered_json::array();
    std::set<std::string> described;
    std::set<pid_t> ours;
    for (auto const& each : files_.read()) {
        described.insert(each.name);
        auto const* const instance = find(each.name);
        bool const lives = instance != nullptr && instance->lives();
        rows.push_back(each.error.empty() || lives ? row(lives ? instance->vm() : each.vm, instance)
                                                   : file_row(each));
    }
    for (auto const& [name, each] : started_) {
        if (!described.contains(name)) rows.push_back(row(each.vm(), &each));
        if (each.lives()) ours.insert(each.process().pid);
    }
    for (auto const& each : guests_of_node(options_.guests)) {
        if (!ours.contains(each.pid)) rows.push_back(guest_row(each));
    }
    return {{"vms", std::move(rows)}};
}

ordered_json vm_keeper::show(std::string const& name) {
    refresh();
    auto const* const instance = find(name);
    bool const lives = instance != nullptr && instance->lives();
    if (instance == nullptr || (!lives && files_.has(name))) {
        if (!files_.has(name)) throw no_such_vm(name);
        auto const vm = files_.find(name);
        auto out = row(vm, instance);
        out["definition"] = vm_json(vm);
        return out;
    }
    auto out = row(instance->vm(), instance);
    out["definition"] = vm_json(instance->vm());
    if (lives) out["console"] = instance->console();
    return out;
}

ordered_json vm_keeper::stats(std::string const& name) {
    auto const& found = living(name);
    auto out = row(found.vm(), &found);
    std::istringstream fields{found.ask("stats")};
    for (std::string field; fields >> field;) {
        auto const equals = field.find('=');
        if (equals == field.npos || field.starts_with("state=")) continue;
        if (auto const number = parse_number(field.substr(equals + 1))) {
            out[field.substr(0, equals)] = *number;
        }
    }
    out["memory_used_bytes"] = or_null(read_group(found.group(), "memory.current"));
    out["memory_limit_bytes"] = or_null(read_group(found.group(), "memory.max"));
    out["cpu_us"] = or_null(read_group(found.group(), "cpu.stat", "usage_usec"));
    out["throttled_us"] = or_null(read_group(found.group(), "cpu.stat", "throttled_usec"));
    return out;
}

}
