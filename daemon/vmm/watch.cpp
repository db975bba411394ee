// SPDX-License-Identifier: MIT
#include "daemon/vmm/watch.hpp"

#include <cerrno>

#include <poll.h>

#include "daemon/vmm/failure.hpp"

namespace hv::vmm {

void wait_and_act(std::vector<watch> const& all) {
    std::vector<pollfd> polled;
    for (auto const& each : all) {
        polled.push_back({each.file, each.events, 0});
    }
    if (poll(polled.data(), polled.size(), -1) < 0) {
        if (errno == EINTR) return;
        throw system_failure("poll");
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (polled[i].revents != 0) all[i].act(polled[i].revents);
    }
}

}
