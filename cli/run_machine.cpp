// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "cli/render.hpp"
#include "cli/run.hpp"
#include "daemon/device/device_error.hpp"
#include "daemon/policy/compiled.hpp"
#include "daemon/text/number.hpp"
#include "daemon/views/views.hpp"

namespace hv::cli {
namespace {

using nlohmann::ordered_json;

ordered_json direct_status(device& machine, bool audit) {
    auto const state = machine.status();
    enforced_policies enforced;
    if (state.hoisted) enforced = machine.policy_get();
    std::optional<hv_audit> found;
    if (audit && !state.hoisted) throw refusal{"this Linux is not hoisted: run hvctl start"};
    if (audit) found = machine.audit();
    // Their names are hvd's.
    auto out = status_json(state, enforced, marker_texts(state.markers, {}), found);
    out["hvd"] = "not running";
    return out;
}

std::uint64_t hoisted_cpus(ordered_json const& status) {
    std::uint64_t count = 0;
    for (auto const& each : status.at("cpus")) {
        if (each.value("hoisted", false)) ++count;
    }
    return count;
}

void print_start(context& with, ordered_json const& status) {
    if (with.json) return with.print_json(status);
    with.print("hoisted: " + counted(hoisted_cpus(status), "CPU") + " under " +
               status.at("backend").get<std::string>() + ", " +
               human_bytes(status.at("memory").at("reserved_bytes").get<std::uint64_t>()) +
               " reserved, " + counted(status.at("policies").size(), "policy", "policies") + "\n");
}

/// Through hvd where it runs, which also sees to policies and the log.
ordered_json change(context& with, char const* method, void (device::*direct)(),
                    std::string const& remark) {
    if (auto const hvd = with.try_hvd()) {
        auto out = hvd->call(method);
        out["hvd"] = "running";
        return out;
    }
    auto const machine = with.open_device();
    ((*machine).*direct)();
    with.remark(remark);
    return direct_status(*machine, false);
}

}

ordered_json fetch_status(context const& with, bool audit) {
    auto const hvd = with.try_hvd();
    if (!hvd) return direct_status(*with.open_device(), audit);
    auto out = hvd->call("status", {{"audit", audit}});
    out["hvd"] = "running";
    return out;
}

ordered_json fetch_stats(context const& with) {
    if (auto const hvd = with.try_hvd()) return hvd->call("stats");
    return stats_json(with.open_device()->stats());
}

int run_start(context& with, invocation const&) {
    print_start(with, change(with, "start", &device::start,
                             "hvd is not running: no policy is applied and no record is kept"));
    return done;
}

int run_stop(context& with, invocation const&) {
    auto const status = change(with, "stop", &device::stop, "hvd is not running: asked hv.ko");
    if (with.json) with.print_json(status);
    if (!with.json) with.print("unhoisted: every CPU is back with Linux\n");
    return done;
}

int run_status(context& with, invocation const& what) {
    auto const status = fetch_status(with, what.has("audit"));
    if (with.json) with.print_json(status);
    if (!with.json) with.print(status_text(status, with.colour));
    auto const audit = status.find("audit");
    bool const broken = audit != status.end() && !audit->value("clean", false);
    if (broken) with.remark("the audit found a fault in the second stage: report it as a bug");
    return broken ? refused : done;
}

int run_stats(context& with, invocation const&) {
    auto const stats = fetch_stats(with);
    if (with.json) with.print_json(stats);
    if (!with.json) with.print(stats_text(stats));
    return done;
}

int run_dump(context& with, invocation const& what) {
    std::optional<std::uint32_t> cpu;
    if (what.has("CPU")) {
        auto const number = parse_number(what.text("CPU"));
        if (!number || *number > 0xffffffff) throw usage_error{"CPU: expected a CPU's number"};
        cpu = static_cast<std::uint32_t>(*number);
    }
    ordered_json dump;
    if (auto const hvd = with.try_hvd()) {
        auto params = ordered_json::object();
        if (cpu) params["cpu"] = *cpu;
        dump = hvd->call("dump", std::move(params));
    } else {
        auto const machine = with.open_device();
        auto const state = machine->status();
        if (!state.hoisted) throw refusal{"this Linux is not hoisted: run hvctl start"};
        dump = dump_json(state.backend, read_dumps(*machine, state, cpu));
    }
    if (with.json) with.print_json(dump);
    if (!with.json) with.print(dump_text(dump));
    return done;
}

int run_version(context& with, invocation const&) {
    ordered_json out{{"hvctl", HV_VERSION}, {"hvd", nullptr}, {"hv_ko", nullptr}};
    try {
        if (auto const hvd = with.try_hvd()) {
            out.update(hvd->call("version"));
        } else {
            out["hv_ko"] = with.open_device()->status().version;
        }
    } catch (std::runtime_error const&) {
        // hvctl's own version is an answer already.
    }
    if (with.json) {
        with.print_json(out);
        return done;
    }
    for (auto const& [name, version] : out.items()) {
        with.print((name == "hv_ko" ? "hv.ko" : name) + " " +
                   (version.is_string() ? version.get<std::string>() : "not there") + "\n");
    }
    return done;
}

}
