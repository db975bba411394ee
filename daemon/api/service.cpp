// SPDX-License-Identifier: MIT
#include "daemon/api/service.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <nlohmann/json.hpp>
#include <poll.h>

#include "daemon/api/json_rpc.hpp"
#include "daemon/api/state_file.hpp"
#include "daemon/device/device_error.hpp"
#include "daemon/service/notice.hpp"
#include "daemon/text/number.hpp"
#include "daemon/views/views.hpp"

namespace hv {
namespace {

using nlohmann::ordered_json;

constexpr std::chrono::milliseconds last_records{300};

/// A CPU that is offline now comes back with its rules.
std::uint64_t cpus_of(machine_state const& state) {
    std::uint64_t bits = 0;
    for (auto const& each : state.cpus) {
        if (each.id < HV_RULE_CPUS) bits |= 1ull << each.id;
    }
    return bits;
}

}

service::service(configuration config, device& machine, event_source& events,
                 symbol_resolver& symbols)
    : config_{std::move(config)},
      device_{machine},
      events_{events},
      symbols_{symbols, machine},
      log_{config_.log},
      book_{rule_book::from_json(read_state_file(config_.state))},
      recorder_{device_, log_, book_, config_.rate} {}

void service::begin() {
    try {
        auto const state = refresh();
        attach();
        if (state.hoisted && book_.policies().empty() && !state.locked && config_.apply_at_start) {
            enforce(book_of_files(book_));
        }
        if (!state.hoisted && config_.hoist_at_start) hoist();
    } catch (std::exception const& error) {
        summary_ = error.what();
    }
}

/// hv.ko's word on what is in force replaces ours.
machine_state service::refresh() {
    auto const state = device_.status();
    enforced_policies enforced;
    if (state.hoisted) enforced = device_.policy_get();
    enforced.markers = state.markers;
    book_ = book_.adjusted_to(enforced);
    keep_vm_users();
    locked_ = state.locked;
    cpus_ = cpus_of(state);
    if (state.hoisted) recorder_.set_session(state.session, state.backend);
    summary_ = "not hoisted";
    if (state.hoisted) {
        summary_ = "hoisted, " + counted(book_.policies().size(), "policy", "policies") +
                   (state.locked ? ", locked" : "");
    }
    return state;
}

void service::attach() {
    attach_again_ = false;
    try {
        events_.join();
        device_.records_attach();
    } catch (device_error const& error) {
        // Nothing to attach to while nothing is hoisted, or no module is there: both will be told.
        if (error.code() == ENOBUFS) attach_again_ = true;
    }
}

void service::hoist() {
    // All files are read before anything changes: a broken one leaves Linux as it was.
    auto const next = config_.apply_at_start ? book_of_files(book_.emptied()) : book_.emptied();
    device_.start();
    attach();
    try {
        refresh();
        if (!next.policies().empty()) enforce(next);
    } catch (...) {
        device_.stop();
        throw;
    }
    refresh();
}

ordered_json service::start(value const& params, peer const& who) {
    params.only({});
    hoist();
    note("start", "hoisted", who);
    return status(params, who);
}

ordered_json service::stop(value const& params, peer const& who) {
    params.only({});
    device_.stop();
    // The last records come a moment later: let them be in the log when the answer is.
    if (wait_for_events(last_records)) on_events();
    refresh();
    note("stop", "unhoisted", who);
    return status(params, who);
}

ordered_json service::status(value const& params, peer const& who) {
    params.only({"audit"});
    auto const wanted = params.find("audit");
    auto const state = refresh();
    std::optional<hv_audit> audit;
    if (wanted && wanted->boolean()) {
        if (!who.may_change) {
            throw rpc_error{rpc_code::not_permitted, "the audit is for root only: run as root"};
        }
        require_hoisted(state);
        audit = device_.audit();
    }
    enforced_policies const enforced{state.locked, state.markers, book_.rules()};
    return status_json(state, enforced, book_.reached(), audit);
}

ordered_json service::stats(value const& params, peer const&) {
    params.only({});
    return stats_json(device_.stats());
}

ordered_json service::audit(value const& params, peer const&) {
    params.only({});
    require_hoisted(device_.status());
    return audit_json(device_.audit());
}

ordered_json service::dump(value const& params, peer const&) {
    params.only({"cpu"});
    std::optional<std::uint32_t> cpu;
    if (auto const given = params.find("cpu")) {
        cpu = static_cast<std::uint32_t>(given->number_between(0, 0xffffffff));
    }
    auto const state = device_.status();
    require_hoisted(state);
    return dump_json(state.backend, read_dumps(device_, state, cpu));
}

ordered_json service::version(value const& params, peer const&) {
    params.only({});
    ordered_json out{{"hvd", HV_VERSION}, {"hv_ko", nullptr}};
    try {
        out["hv_ko"] = device_.status().version;
    } catch (device_error const&) {
        // Without hv.ko the answer is null.
    }
    return out;
}

void service::require_hoisted(machine_state const& state) const {
    if (!state.hoisted) throw device_error{ENODEV, "this Linux is not hoisted: run hvctl start"};
}

void service::on_events() {
    auto const events = events_.receive();
    std::vector<record_batch> batches;
    for (auto const& each : events) {
        if (auto const* batch = std::get_if<record_batch>(&each)) batches.push_back(*batch);
    }
    try {
        if (!recorder_.take(batches)) attach();
    } catch (std::system_error const& error) {
        summary_ = error.what();
        if (!attach_again_) notice(summary_ + ": records stay with hv.ko until it can be");
        attach_again_ = true;
    }
    for (auto const& each : events) {
        on_change(each);
    }
}

bool service::wait_for_events(std::chrono::milliseconds most) const {
    pollfd ready{.fd = events_.descriptor(), .events = POLLIN, .revents = 0};
    return poll(&ready, 1, static_cast<int>(most.count())) > 0;
}

/// What the core had written when somebody asks for the log is in the log then. hv.ko sends in
/// intervals, so this takes such an interval at most.
void service::catch_up() {
    try {
        auto const state = refresh();
        auto const behind = [&](cpu_state const& cpu) {
            return cpu.hoisted && waited_for_[cpu.ring] != cpu.written &&
                   !recorder_.has(cpu.ring, cpu.written);
        };
        auto const end = std::chrono::steady_clock::now() + last_records;
        while (std::any_of(state.cpus.begin(), state.cpus.end(), behind)) {
            auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(
                end - std::chrono::steady_clock::now());
            if (left.count() <= 0 || !wait_for_events(left)) break;
            on_events();
        }
        // What did not come now was taken by an earlier reader: do not wait for it again.
        for (auto const& each : state.cpus) {
            waited_for_[each.ring] = each.written;
        }
    } catch (device_error const&) {
        // The log can be read without hv.ko.
    }
}

void service::on_change(device_event const& event) {
    try {
        if (std::holds_alternative<events_overrun>(event)) attach_again_ = true;
        if (auto const* change = std::get_if<module_change>(&event)) {
            refresh();
            if (change->loaded) attach();
        }
        if (auto const* change = std::get_if<state_change>(&event)) {
            refresh();
            if (change->hoisted) attach();
        }
    } catch (device_error const& error) {
        summary_ = error.what();
    }
}

void service::on_tick() {
    if (attach_again_) attach();
    if (vms_ != nullptr) vms_->refresh();
}

}
