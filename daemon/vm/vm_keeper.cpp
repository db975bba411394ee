// SPDX-License-Identifier: MIT
#include "daemon/vm/vm_keeper.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "daemon/vm/vm_error.hpp"

namespace hv {

using nlohmann::ordered_json;

vm_error no_such_vm(std::string const& name) {
    return vm_error{ENOENT, "no VM \"" + name + "\": hvctl vm list names those that are there"};
}

vm_keeper::vm_keeper(vm_options options, launcher& by)
    : options_{std::move(options)}, launcher_{by}, files_{options_.folder} {
    adopt();
}

/// VMs outlive hvd: what runs is found by what was written about it.
void vm_keeper::adopt() {
    std::error_code missing;
    for (auto const& each : std::filesystem::directory_iterator{options_.run, missing}) {
        auto instance = vm_instance::read(each.path().string());
        if (!instance || instance->vm().name != each.path().filename()) continue;
        if (!instance->lives()) release(*instance);
        auto name = instance->vm().name;
        started_.insert_or_assign(std::move(name), std::move(*instance));
    }
}

/// True when it died for want of memory.
bool vm_keeper::release(vm_instance const& instance) {
    auto const end = launcher_.release(instance.folder(), instance.group());
    if (end.busy) busy_.insert_or_assign(instance.folder(), instance.group());
    return end.out_of_memory;
}

void vm_keeper::refresh() {
    std::erase_if(busy_, [this](auto const& each) {
        return !launcher_.release(each.first, each.second).busy;
    });
    for (auto& [name, each] : started_) {
        if (!each.refresh()) continue;
        if (release(each)) {
            each.add_to_ending(": out of the memory that its limit leaves it");
        }
        if (ended_) ended_(name, each.ending());
    }
}

vm_instance* vm_keeper::find(std::string const& name) {
    auto const at = started_.find(name);
    return at == started_.end() ? nullptr : &at->second;
}

vm_instance& vm_keeper::living(std::string const& name) {
    refresh();
    auto* const found = find(name);
    if (found == nullptr && !files_.has(name)) throw no_such_vm(name);
    if (found == nullptr || !found->lives()) {
        throw vm_error{ESRCH, "VM " + name + " does not run: hvctl vm start " + name};
    }
    return *found;
}

void vm_keeper::require_free(std::string const& name) {
    refresh();
    auto* const found = find(name);
    bool const runs = found != nullptr && found->lives();
    if (runs || files_.has(name)) {
        throw vm_error{EEXIST, "the name " + name + " is taken" + (runs ? " by a running VM" : "") +
                                   ": choose another, or hvctl vm rm " + name};
    }
}

ordered_json vm_keeper::create(vm_definition const& vm) {
    require_free(vm.name);
    files_.write(vm);
    forget(vm.name);
    return row(vm, nullptr);
}

ordered_json vm_keeper::run(vm_definition const& vm) {
    require_free(vm.name);
    return launch(vm);
}

ordered_json vm_keeper::start(std::string const& name) {
    refresh();
    auto* const found = find(name);
    if (found != nullptr && found->lives()) {
        throw vm_error{EALREADY, "VM " + name + " runs already"};
    }
    if (!files_.has(name)) throw no_such_vm(name);
    return launch(files_.find(name));
}

ordered_json vm_keeper::launch(vm_definition const& vm) {
    forget(vm.name);
    auto const folder = options_.run + "/" + vm.name;
    busy_.erase(folder);
    mkdir(options_.run.c_str(), 0755);
    launch_request const request{vm, options_.program, options_.node, folder,
                                 user_to_run_as(vm.name)};
    (void)launcher_.launch(request);
    std::ofstream{folder + "/" + definition_file} << vm_json(vm).dump() << '\n';
    auto const [at, added] = started_.insert_or_assign(vm.name, vm_instance{folder, vm});
    at->second.read_process();
    refresh();
    return row(vm, &at->second);
}

/// What is left of an earlier run under this name.
void vm_keeper::forget(std::string const& name) {
    std::error_code ignored;
    std::filesystem::remove_all(options_.run + "/" + name, ignored);
    started_.erase(name);
}

ordered_json vm_keeper::stop(std::string const& name) {
    auto& found = living(name);
    (void)found.ask("stop");
    return row(found.vm(), &found);
}

ordered_json vm_keeper::kill(std::string const& name) {
    auto& found = living(name);
    launcher_.kill(found.process());
    refresh();
    return row(found.vm(), &found);
}

ordered_json vm_keeper::pause(std::string const& name) {
    auto& found = living(name);
    (void)found.ask("pause");
    found.set_paused(true);
    return row(found.vm(), &found);
}

ordered_json vm_keeper::resume(std::string const& name) {
    auto& found = living(name);
    (void)found.ask("resume");
    found.set_paused(false);
    return row(found.vm(), &found);
}

ordered_json vm_keeper::remove(std::string const& name) {
    refresh();
    auto* const found = find(name);
    if (found != nullptr && found->lives()) {
        throw vm_error{EBUSY, "VM " + name + " runs: hvctl vm stop " + name + " first"};
    }
    bool const described = files_.has(name);
    if (found == nullptr && !described) throw no_such_vm(name);
    if (described) files_.remove(name);
    forget(name);
    return {{"name", name}};
}

ordered_json vm_keeper::console(std::string const& name) {
    return {{"name", name}, {"socket", living(name).console()}};
}

}
