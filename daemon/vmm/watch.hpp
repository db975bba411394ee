// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <vector>

namespace hv::vmm {

/// A descriptor to wait for, and what to do when poll says so.
struct watch {
    int file;
    short events;
    std::function<void(short happened)> act;
};

/// One round: waits for any of them, and lets each that is ready act.
/// Errors: failure.
void wait_and_act(std::vector<watch> const& all);

}
