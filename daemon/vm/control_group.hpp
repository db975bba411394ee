// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "daemon/vm/vm_file.hpp"

namespace hv {

/// Where control groups of version 2 are mounted; empty: nowhere.
std::string control_groups();

/// Makes the VM's group with its limits. Empty when this machine has no control groups, and none
/// was asked for. Errors: vm_error, when a limit was asked for that cannot be kept.
std::string make_group(vm_definition const& vm);
/// Errors: vm_error.
void enter_group(std::string const& group, pid_t process);
/// False when something is still in it.
bool remove_group(std::string const& group);

/// A number from a file of the group: of its one line, or of the line that begins with `key`.
std::optional<std::uint64_t> read_group(std::string const& group, std::string const& file,
                                        std::string const& key = {});

}
