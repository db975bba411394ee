// SPDX-License-Identifier: MIT
#include "cli/vm_text.hpp"

#include <nlohmann/json.hpp>

#include "cli/table.hpp"
#include "daemon/text/number.hpp"

namespace hv::cli {
namespace {

using nlohmann::ordered_json;

std::optional<std::uint64_t> number(ordered_json const& of, char const* key) {
    auto const at = of.find(key);
    if (at == of.end() || !at->is_number_unsigned()) return std::nullopt;
    return at->get<std::uint64_t>();
}

std::string count(ordered_json const& of, char const* key) {
    auto const found = number(of, key);
    return found ? std::to_string(*found) : "-";
}

std::string bytes(ordered_json const& of, char const* key) {
    auto const found = number(of, key);
    return found ? human_bytes(*found) : "-";
}

/// 90061 seconds as "1d 1h", two units at most.
std::string duration(std::optional<std::uint64_t> const& seconds) {
    if (!seconds) return "-";
    struct unit {
        std::uint64_t seconds;
        char const* name;
    };
    static constexpr std::array<unit, 4> units{{{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}}};
    std::string out;
    auto left = *seconds;
    int used = 0;
    for (auto const& each : units) {
        if ((left < each.seconds && used == 0 && each.seconds != 1) || used == 2) continue;
        out += (used == 0 ? "" : " ") + std::to_string(left / each.seconds) + each.name;
        left %= each.seconds;
        ++used;
    }
    return out;
}

std::string seconds_of(ordered_json const& of, char const* key, std::uint64_t unit) {
    auto const found = number(of, key);
    if (!found) return "-";
    auto const tenths = *found / (unit / 10);
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

}

std::string text_or(ordered_json const& of, char const* key, std::string const& otherwise) {
    auto const at = of.find(key);
    return at != of.end() && at->is_string() ? at->get<std::string>() : otherwise;
}

std::string vm_list_text(ordered_json const& answer) {
    table rows{{"VM", "STATE", "CPUS", "MEMORY", "PID", "UP", "PROGRAM", "LAST END"}};
    for (auto const& each : answer.at("vms")) {
        rows.row({text_or(each, "name", "-"), text_or(each, "state", "-"), count(each, "cpus"),
                  bytes(each, "memory_bytes"), count(each, "pid"),
                  duration(number(each, "uptime_seconds")), text_or(each, "program", "-"),
                  text_or(each, "ending", "")});
    }
    return rows.empty() ? "no VM is there: hvctl vm run makes one\n" : rows.text();
}

std::string vm_text(ordered_json const& vm) {
    auto const& definition = vm.at("definition");
    table rows;
    rows.row({"VM", text_or(vm, "name", "-")});
    rows.row({"state", text_or(vm, "state", "-")});
    if (auto const ending = text_or(vm, "ending", ""); !ending.empty()) {
        rows.row({"last end", ending});
    }
    for (auto const* const key : {"description", "kernel", "initrd", "command_line"}) {
        if (auto const text = text_or(definition, key, ""); !text.empty()) rows.row({key, text});
    }
    rows.row({"cpus", count(vm, "cpus")});
    rows.row({"memory", bytes(vm, "memory_bytes")});
    if (definition.contains("limits")) rows.row({"limits", definition.at("limits").dump()});
    if (number(vm, "pid")) rows.row({"pid", count(vm, "pid")});
    if (number(vm, "uptime_seconds")) rows.row({"up", duration(number(vm, "uptime_seconds"))});
    for (auto const* const key : {"console", "file"}) {
        if (auto const text = text_or(vm, key, ""); !text.empty()) rows.row({key, text});
    }
    return rows.text();
}

std::string vm_stats_text(ordered_json const& all) {
    table rows{{"VM", "STATE", "UP", "CPU TIME", "MEMORY USED", "OF", "PORT EXITS", "MMIO EXITS"}};
    for (auto const& each : all) {
        rows.row({text_or(each, "name", "-"), text_or(each, "state", "-"),
                  seconds_of(each, "uptime_ms", 1000), seconds_of(each, "busy_us", 1'000'000),
                  bytes(each, "memory_used_bytes"), bytes(each, "memory_limit_bytes"),
                  grouped(number(each, "port_exits").value_or(0)),
                  grouped(number(each, "memory_exits").value_or(0))});
    }
    return rows.empty() ? "no VM runs\n" : rows.text();
}

void print_vm(context& with, ordered_json const& vm, std::string const& outcome) {
    if (with.json) return with.print_json(vm);
    with.print("VM " + text_or(vm, "name", "?") + ": " + outcome + "\n");
}

}
