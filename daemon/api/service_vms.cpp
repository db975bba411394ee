// SPDX-License-Identifier: MIT
#include <cerrno>

#include <nlohmann/json.hpp>

#include "daemon/api/json_rpc.hpp"
#include "daemon/api/service.hpp"

namespace hv {
namespace {

using nlohmann::ordered_json;

vm_definition read_definition(value const& params) {
    params.only({"path", "text", "name"});
    std::optional<std::string> name;
    if (auto const given = params.find("name")) name = read_vm_name(*given);
    auto const path = params.find("path");
    return read_vm(path ? path->text() : "", params.at("text").text(), name);
}

}

void service::serve_vms(vm_keeper& with) {
    vms_ = &with;
    with.listen([this](std::string const& name, std::string const& ending) {
        note("vm_ended", "VM " + name + " ended: " + ending, {.vm = name});
    });
    recorder_.name_users([&with](std::uint32_t user) { return with.name_of_user(user); });
    symbols_.ask_vms([&with](std::string const& name) -> machine_answer<std::uint32_t> {
        try {
            return {.answer = with.user_of(name)};
        } catch (vm_error const& error) {
            return {.refused = error.what()};
        }
    });
    keep_vm_users();
}

/// Those that policies in force name by the VM, and none that a file only asked for.
void service::keep_vm_users() {
    if (vms_ != nullptr) vms_->keep_users(book_.vm_users());
}

vm_keeper& service::vms() {
    if (vms_ == nullptr) throw rpc_error{rpc_code::refused, "this hvd keeps no VMs", ENOSYS};
    return *vms_;
}

ordered_json service::change_vm(value const& params, peer const& who, char const* kind,
                                char const* done,
                                ordered_json (vm_keeper::*change)(std::string const&)) {
    params.only({"name"});
    auto const name = read_vm_name(params.at("name"));
    auto out = (vms().*change)(name);
    note(kind, "VM " + name + " " + done, who, {.vm = name});
    return out;
}

ordered_json service::vm_list(value const& params, peer const&) {
    params.only({});
    return vms().list();
}

ordered_json service::vm_show(value const& params, peer const&) {
    params.only({"name"});
    return vms().show(read_vm_name(params.at("name")));
}

ordered_json service::vm_stats(value const& params, peer const&) {
    params.only({"name"});
    return vms().stats(read_vm_name(params.at("name")));
}

ordered_json service::vm_console(value const& params, peer const&) {
    params.only({"name"});
    return vms().console(read_vm_name(params.at("name")));
}

ordered_json service::vm_create(value const& params, peer const& who) {
    auto const vm = read_definition(params);
    auto out = vms().create(vm);
    note("vm_created", "VM " + vm.name + " created", who, {.vm = vm.name});
    return out;
}

ordered_json service::vm_run(value const& params, peer const& who) {
    auto const vm = read_definition(params);
    auto out = vms().run(vm);
    note("vm_started", "VM " + vm.name + " started", who, {.vm = vm.name});
    return out;
}

ordered_json service::vm_start(value const& params, peer const& who) {
    return change_vm(params, who, "vm_started", "started", &vm_keeper::start);
}

ordered_json service::vm_stop(value const& params, peer const& who) {
    return change_vm(params, who, "vm_stopped", "told to power off", &vm_keeper::stop);
}

ordered_json service::vm_kill(value const& params, peer const& who) {
    return change_vm(params, who, "vm_killed", "killed", &vm_keeper::kill);
}

ordered_json service::vm_pause(value const& params, peer const& who) {
    return change_vm(params, who, "vm_paused", "paused", &vm_keeper::pause);
}

ordered_json service::vm_resume(value const& params, peer const& who) {
    return change_vm(params, who, "vm_resumed", "resumed", &vm_keeper::resume);
}

ordered_json service::vm_remove(value const& params, peer const& who) {
    return change_vm(params, who, "vm_removed", "removed", &vm_keeper::remove);
}

}
