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

/// What hv_kvm tells of its guests: "PID CPUS BYTES", a line each. None while it is not loaded.
std::vector<node_guest> guests_of_node(std::string const& path);

}
