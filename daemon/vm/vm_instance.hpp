// SPDX-License-Identifier: MIT
#pragma once

#include <ctime>
#include <optional>
#include <string>

#include "daemon/vm/launch.hpp"

namespace hv {

enum class vm_state : unsigned char { starting, running, paused, stopped, failed };
std::string_view state_text(vm_state state);

/// A VM that was started: what its folder under /run tells of it, also to a later hvd.
class vm_instance {
public:
    vm_instance(std::string folder, vm_definition vm)
        : folder_{std::move(folder)}, vm_{std::move(vm)} {}
    /// From what an earlier hvd left there; nothing when it is not whole.
    static std::optional<vm_instance> read(std::string const& folder);

    std::string const& folder() const { return folder_; }
    vm_definition const& vm() const { return vm_; }
    vm_state state() const { return state_; }
    /// How it ended, or why it never ran; empty while it lives.
    std::string const& ending() const { return ending_; }
    process_mark const& process() const { return process_; }
    std::string const& group() const { return group_; }
    std::time_t since() const { return since_; }
    uid_t uid() const { return uid_; }
    bool lives() const { return state_ < vm_state::stopped; }

    /// Takes what the launcher wrote about the process.
    bool read_process();
    /// Looks what became of it. True when it was alive before, and is not now.
    bool refresh();
    void set_paused(bool paused) { state_ = paused ? vm_state::paused : vm_state::running; }
    void add_to_ending(std::string const& more) { ending_ += more; }
    std::string console() const { return folder_ + "/" + console_socket; }
    /// The answer of hv-vmm, without its "ok". Errors: vm_error.
    std::string ask(std::string const& word) const;

private:
    std::string last_report() const;
    void take_end(std::string const& report);

    std::string folder_;
    vm_definition vm_;
    vm_state state_ = vm_state::starting;
    std::string ending_;
    process_mark process_;
    std::string group_;
    std::time_t since_ = 0;
    uid_t uid_ = 0;
};

}
