// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace hv {

/// A guest VM on the node, whoever runs it.
struct node_guest {
    pid_t pid;
    std::uint64_t cpus;
    std::uint64_t memory_bytes;
    std::string program;    // as /proc calls it
};

/// Where hv_kvm tells of the guests on its node, whatever the node is called.
std::string guests_at(std::string const& node);

/// What it tells: "PID CPUS BYTES", a line each; PID 0: a process that is gone. None while the node
/// is not hv_kvm's.
std::vector<node_guest> guests_of_node(std::string const& path);

}
