// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>
#include <sys/types.h>

#include "daemon/vm/vm_file.hpp"

namespace hv {

/// What the launcher is asked for: a VM, and where and as whom it runs.
struct launch_request {
    vm_definition vm;
    std::string program;
    std::string node;
    std::string folder;    // of this VM, with its sockets; made by the launcher
    uid_t uid = 0;         // and group; 0: those of the launcher, for tests
};

nlohmann::ordered_json launch_json(launch_request const& request);
launch_request read_launch(nlohmann::ordered_json const& from);

/// A process, told apart from a later one with the same number.
struct process_mark {
    pid_t pid = 0;
    std::uint64_t started = 0;    // /proc/PID/stat: ticks since the boot

    bool operator==(process_mark const&) const = default;
};
/// As /proc has it; with `started` 0 when there is no such process.
process_mark mark_of(pid_t pid);

// In the folder of a VM.
constexpr char const* console_socket = "console.sock";
constexpr char const* control_socket = "control.sock";
constexpr char const* report_file = "report";
constexpr char const* process_file = "process";
constexpr char const* definition_file = "vm.json";

}
