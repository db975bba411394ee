// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

namespace hv {

/// Who is at the other end of a connection.
struct peer {
    pid_t pid{};
    uid_t uid{};
    bool may_read{};
    bool may_change{};
};

/// root may do all; members of the group, by its main or another of its groups, may read.
peer identify_peer(int socket, std::optional<gid_t> readers);
std::optional<gid_t> group_number(std::string const& name);

}
