// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "daemon/vm/launcher.hpp"
#include "daemon/vm/node_guests.hpp"
#include "daemon/vm/vm_error.hpp"
#include "daemon/vm/vm_folder.hpp"
#include "daemon/vm/vm_instance.hpp"

namespace hv {

struct vm_options {
    std::string folder = "/etc/hv/vms.d";
    std::string run = "/run/hv/vms";
    std::string node = "/dev/hvkvm";
    std::string program = "/usr/bin/hv-vmm";
    std::string guests = guests_at(node);
    std::uint32_t first_uid = 1879048192;    // systemd's list of users has nobody from here on
};

vm_error no_such_vm(std::string const& name);

/// hvd's VMs: those that files describe, and those that run. Each call throws vm_error or
/// document_error, and has done nothing then.
class vm_keeper {
public:
    using listener = std::function<void(std::string const& name, std::string const& ending)>;

    vm_keeper(vm_options options, launcher& by);

    /// Who hears how a VM ended.
    void listen(listener who) { ended_ = std::move(who); }
    /// Looks what became of the VMs; called once a second, and before each answer.
    void refresh();

    // Users. One that a name was given is its own as long as it is kept: a VM of this name runs as
    // it, and no other does.
    /// The user that a VM of this name runs as, now or when it is started. Errors: vm_error.
    uid_t user_of(std::string const& name);
    /// These names have these users from now on, and no other name has one of its own.
    void keep_users(std::map<std::string, uid_t> users);
    /// The VM that runs as this user, else the one that did last or will; "" for none.
    std::string name_of_user(uid_t user) const;

    // The JSON of docs/rpc.md.
    nlohmann::ordered_json list();
    nlohmann::ordered_json show(std::string const& name);
    nlohmann::ordered_json create(vm_definition const& vm);
    nlohmann::ordered_json run(vm_definition const& vm);
    nlohmann::ordered_json start(std::string const& name);
    nlohmann::ordered_json stop(std::string const& name);
    nlohmann::ordered_json kill(std::string const& name);
    nlohmann::ordered_json pause(std::string const& name);
    nlohmann::ordered_json resume(std::string const& name);
    nlohmann::ordered_json remove(std::string const& name);
    nlohmann::ordered_json console(std::string const& name);
    nlohmann::ordered_json stats(std::string const& name);

private:
    void adopt();
    bool release(vm_instance const& instance);
    void require_free(std::string const& name);
    vm_instance* find(std::string const& name);
    vm_instance& living(std::string const& name);
    nlohmann::ordered_json launch(vm_definition const& vm);
    uid_t user_to_run_as(std::string const& name) const;
    void forget(std::string const& name);
    nlohmann::ordered_json row(vm_definition const& vm, vm_instance const* instance) const;

    vm_options options_;
    launcher& launcher_;
    vm_folder files_;
    std::map<std::string, vm_instance, std::less<>> started_;
    std::map<std::string, std::string, std::less<>> busy_;    // folders to release, their groups
    std::map<std::string, uid_t> kept_users_;
    listener ended_;
};

}
