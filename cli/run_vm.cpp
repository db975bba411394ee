// SPDX-License-Identifier: MIT
#include <chrono>
#include <filesystem>
#include <thread>

#include <nlohmann/json.hpp>

#include "cli/run.hpp"
#include "cli/vm_text.hpp"
#include "daemon/text/number.hpp"
#include "daemon/vm/vm_file.hpp"

namespace hv::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::chrono::milliseconds between_looks{50};
constexpr std::chrono::seconds most_to_start{60};
constexpr std::uint64_t patience_unless_said = 10;

std::string absolute(std::string const& path) {
    std::error_code unknown;
    auto const out = std::filesystem::absolute(path, unknown);
    return unknown ? path : out.lexically_normal().string();
}

std::uint64_t number_of(invocation const& what, char const* key) {
    auto const number = parse_number(what.text(key));
    if (!number) throw usage_error{std::string{"--"} + key + ": expected a number"};
    return *number;
}

ordered_json params_of_options(invocation const& what) {
    if (!what.has("NAME")) throw usage_error{"NAME is missing: see hvctl --help"};
    if (!what.has("kernel")) throw usage_error{"--kernel FILE or --file FILE is missing"};
    ordered_json vm{{"version", 1}, {"name", what.text("NAME")}};
    vm["kernel"] = absolute(what.text("kernel"));
    if (what.has("initrd")) vm["initrd"] = absolute(what.text("initrd"));
    if (what.has("command-line")) vm["command_line"] = what.text("command-line");
    if (what.has("cpus")) vm["cpus"] = number_of(what, "cpus");
    if (what.has("memory")) vm["memory"] = what.text("memory");
    if (what.has("memory-limit")) vm["limits"]["memory"] = what.text("memory-limit");
    if (what.has("cpu-limit")) vm["limits"]["cpu_percent"] = number_of(what, "cpu-limit");
    return {{"text", vm.dump()}};
}

ordered_json params_of_definition(invocation const& what) {
    if (!what.has("file")) return params_of_options(what);
    for (auto const* const each :
         {"kernel", "initrd", "command-line", "cpus", "memory", "memory-limit", "cpu-limit"}) {
        if (what.has(each)) {
            throw usage_error{std::string{"--"} + each + ": the file of --file says that"};
        }
    }
    auto const path = absolute(what.text("file"));
    ordered_json out{{"path", path}, {"text", read_vm_text(path)}};
    if (what.has("NAME")) out["name"] = what.text("NAME");
    return out;
}

bool lives(ordered_json const& vm) {
    auto const state = vm.value("state", "");
    return state == "starting" || state == "running" || state == "paused";
}

/// Looks again and again until `enough`, or the time is up. The last that was seen.
template <typename Condition>
ordered_json watch(client& hvd, ordered_json vm, std::chrono::seconds most, Condition enough) {
    auto const end = std::chrono::steady_clock::now() + most;
    while (!enough(vm) && std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(between_looks);
        vm = hvd.call("vm.show", {{"name", vm.at("name")}});
    }
    return vm;
}

int follow_start(context& with, client& hvd, ordered_json vm, bool attach) {
    vm = watch(hvd, std::move(vm), most_to_start,
               [](auto const& now) { return now.value("state", "") != "starting"; });
    auto const name = vm.at("name").get<std::string>();
    if (vm.value("state", "") == "failed") {
        // What no file describes, and never ran, is not worth a line in the list.
        if (vm.at("file").is_null()) hvd.call("vm.rm", {{"name", name}});
        throw refusal{text_or(vm, "ending", "it did not start")};
    }
    if (attach) return attach_console(with, hvd, name);
    print_vm(with, vm, lives(vm) ? "running" : "ended: " + text_or(vm, "ending", "?"));
    return done;
}

int change(context& with, invocation const& what, char const* method, char const* outcome) {
    auto const answer = with.hvd()->call(method, {{"name", what.text("NAME")}});
    print_vm(with, answer, outcome);
    return done;
}

}

int run_vm_run(context& with, invocation const& what) {
    auto const params = params_of_definition(what);
    auto const hvd = with.hvd();
    return follow_start(with, *hvd, hvd->call("vm.run", params), what.has("console"));
}

int run_vm_create(context& with, invocation const& what) {
    auto const params = params_of_definition(what);
    auto const answer = with.hvd()->call("vm.create", params);
    print_vm(with, answer, "created: " + text_or(answer, "file", ""));
    return done;
}

int run_vm_start(context& with, invocation const& what) {
    auto const hvd = with.hvd();
    auto const started = hvd->call("vm.start", {{"name", what.text("NAME")}});
    return follow_start(with, *hvd, started, what.has("console"));
}

/// The power button first; who does not listen to it in time loses power.
int run_vm_stop(context& with, invocation const& what) {
    auto const patience = what.has("timeout") ? number_of(what, "timeout") : patience_unless_said;
    if (patience > 86'400) throw usage_error{"--timeout: expected at most 86400 seconds"};
    auto const hvd = with.hvd();
    ordered_json const name{{"name", what.text("NAME")}};
    auto vm = patience == 0 ? hvd->call("vm.show", name) : hvd->call("vm.stop", name);
    auto const ended = [](auto const& now) { return !lives(now); };
    vm = watch(*hvd, std::move(vm), std::chrono::seconds{patience}, ended);
    if (lives(vm)) vm = hvd->call("vm.kill", name);
    vm = watch(*hvd, std::move(vm), most_to_start, ended);
    print_vm(with, vm, "stopped: " + text_or(vm, "ending", "killed"));
    return done;
}

int run_vm_kill(context& with, invocation const& what) {
    auto const hvd = with.hvd();
    auto vm = hvd->call("vm.kill", {{"name", what.text("NAME")}});
    vm = watch(*hvd, std::move(vm), most_to_start, [](auto const& now) { return !lives(now); });
    print_vm(with, vm, "stopped: " + text_or(vm, "ending", "killed"));
    return done;
}

int run_vm_pause(context& with, invocation const& what) {
    return change(with, what, "vm.pause", "paused");
}

int run_vm_resume(context& with, invocation const& what) {
    return change(with, what, "vm.resume", "running");
}

int run_vm_rm(context& with, invocation const& what) {
    return change(with, what, "vm.rm", "removed");
}

int run_vm_list(context& with, invocation const&) {
    auto const answer = with.hvd()->call("vm.list");
    if (with.json) with.print_json(answer);
    if (!with.json) with.print(vm_list_text(answer));
    return done;
}

int run_vm_show(context& with, invocation const& what) {
    auto const answer = with.hvd()->call("vm.show", {{"name", what.text("NAME")}});
    if (with.json) with.print_json(answer);
    if (!with.json) with.print(vm_text(answer));
    return done;
}

int run_vm_stats(context& with, invocation const& what) {
    auto const hvd = with.hvd();
    auto all = ordered_json::array();
    if (what.has("NAME")) all.push_back(hvd->call("vm.stats", {{"name", what.text("NAME")}}));
    auto const listed = what.has("NAME") ? ordered_json{{"vms", ordered_json::array()}}
                                         : hvd->call("vm.list");
    for (auto const& each : listed.at("vms")) {
        if (each.at("name").is_null() || !lives(each)) continue;
        try {
            all.push_back(hvd->call("vm.stats", {{"name", each.at("name")}}));
        } catch (refusal const& gone) {
            with.remark(gone.what());
        }
    }
    if (with.json) with.print_json(what.has("NAME") ? all.front() : ordered_json{{"vms", all}});
    if (!with.json) with.print(vm_stats_text(all));
    return done;
}

int run_vm_console(context& with, invocation const& what) {
    auto const hvd = with.hvd();
    return attach_console(with, *hvd, what.text("NAME"));
}

}
