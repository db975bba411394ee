// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "daemon/api/configuration.hpp"
#include "daemon/api/peer.hpp"
#include "daemon/device/device.hpp"
#include "daemon/log/event_log.hpp"
#include "daemon/log/log_filter.hpp"
#include "daemon/log/recorder.hpp"
#include "daemon/policy/machine_symbols.hpp"
#include "daemon/policy/rule_book.hpp"
#include "daemon/text/document.hpp"

namespace hv {

/// What logs.read and logs.follow are to leave out.
log_filter read_filter(value const& params);

/// What hvd does, without the sockets around it: one function per method of docs/rpc.md. Each
/// throws rpc_error, device_error, policy_error, vm_error or document_error, and has done nothing
/// then.
class service {
public:
    service(configuration config, device& machine, event_source& events, symbol_resolver& symbols);

    /// Finds out what is in force, and hoists where the configuration wants it.
    void begin();

    nlohmann::ordered_json start(value const& params, peer const& who);
    nlohmann::ordered_json stop(value const& params, peer const& who);
    nlohmann::ordered_json status(value const& params, peer const& who);
    nlohmann::ordered_json stats(value const& params, peer const& who);
    nlohmann::ordered_json audit(value const& params, peer const& who);
    nlohmann::ordered_json dump(value const& params, peer const& who);
    nlohmann::ordered_json logs_read(value const& params, peer const& who);
    nlohmann::ordered_json logs_follow(value const& params, peer const& who);
    nlohmann::ordered_json policy_check(value const& params, peer const& who);
    nlohmann::ordered_json policy_apply(value const& params, peer const& who);
    nlohmann::ordered_json policy_list(value const& params, peer const& who);
    nlohmann::ordered_json policy_show(value const& params, peer const& who);
    nlohmann::ordered_json policy_remove(value const& params, peer const& who);
    nlohmann::ordered_json policy_lock(value const& params, peer const& who);
    nlohmann::ordered_json policy_seal(value const& params, peer const& who);
    nlohmann::ordered_json policy_mark(value const& params, peer const& who);
    nlohmann::ordered_json policy_verify(value const& params, peer const& who);
    nlohmann::ordered_json version(value const& params, peer const& who);
    nlohmann::ordered_json vm_list(value const& params, peer const& who);
    nlohmann::ordered_json vm_show(value const& params, peer const& who);
    nlohmann::ordered_json vm_create(value const& params, peer const& who);
    nlohmann::ordered_json vm_run(value const& params, peer const& who);
    nlohmann::ordered_json vm_start(value const& params, peer const& who);
    nlohmann::ordered_json vm_stop(value const& params, peer const& who);
    nlohmann::ordered_json vm_kill(value const& params, peer const& who);
    nlohmann::ordered_json vm_pause(value const& params, peer const& who);
    nlohmann::ordered_json vm_resume(value const& params, peer const& who);
    nlohmann::ordered_json vm_remove(value const& params, peer const& who);
    nlohmann::ordered_json vm_console(value const& params, peer const& who);
    nlohmann::ordered_json vm_stats(value const& params, peer const& who);

    /// From now on VMs can be asked for.
    void serve_vms(vm_keeper& with);
    /// Takes what hv.ko has to tell; called when its descriptor is readable.
    void on_events();
    /// Once a second: asks for the records again after the log could not be written.
    void on_tick();
    void listen(recorder::listener who) { recorder_.listen(std::move(who)); }
    /// One line for `systemctl status`.
    std::string summary() const { return summary_; }

private:
    machine_state refresh();
    void hoist();
    void attach();
    void enforce(rule_book next);
    void save(rule_book const& book) const;
    rule_book book_of_files(rule_book book);
    compiled_policy compile(value const& params);
    void require_hoisted(machine_state const& state) const;
    void on_change(device_event const& event);
    bool wait_for_events(std::chrono::milliseconds most) const;
    void catch_up();
    void note(std::string const& kind, std::string const& message, peer const& who,
              note_subject about = {});
    void note(std::string const& kind, std::string const& message, note_subject const& about);
    vm_keeper& vms();
    void keep_vm_users();
    nlohmann::ordered_json
    change_vm(value const& params, peer const& who, char const* kind, char const* done,
              nlohmann::ordered_json (vm_keeper::*change)(std::string const&));

    configuration config_;
    device& device_;
    event_source& events_;
    machine_symbols symbols_;
    event_log log_;
    rule_book book_;
    recorder recorder_;
    vm_keeper* vms_ = nullptr;
    bool locked_ = false;
    std::uint64_t cpus_ = 0;    // hoisted, those that rules can name: bits by Linux's number
    bool attach_again_ = false;
    std::map<std::uint32_t, std::uint64_t> waited_for_;    // by ring: the records of a past wait
    std::string summary_ = "starting";
};

}
