// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace hv::hvrun {

/// Errors: failure, unless the caller may use that device and it speaks the KVM API.
void check_node(std::string const& node);

/// From now on this process, and what it starts, find that device at /dev/kvm; nobody else does.
/// Whoever may not mount gets a user namespace for it, in which it keeps its user and group.
/// Errors: failure.
void put_in_place(std::string const& node);

}
