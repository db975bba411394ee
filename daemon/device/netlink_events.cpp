// SPDX-License-Identifier: MIT
#include <cerrno>

#include <linux/netlink.h>

#include "daemon/device/device_error.hpp"
#include "daemon/device/message.hpp"
#include "daemon/device/netlink_device.hpp"
#include "kmod/abi/netlink.h"

namespace hv {
namespace {

// Holds every ring of 64 CPUs twice.
constexpr int buffer_bytes = 8 << 20;

// One call hands back to the loop after so many datagrams.
constexpr int datagrams_at_once = 64;

}

netlink_events::netlink_events() {
    socket_.set_receive_buffer(buffer_bytes);
    // hv.ko shall see that the buffer is full: it keeps the records then, and sends them again.
    socket_.set_option(NETLINK_BROADCAST_ERROR, 1);
    socket_.set_nonblocking();
    netlink_socket resolver;
    socket_.join_group(resolver.resolve_group("nlctrl", "notify"));
    join();
}

int netlink_events::descriptor() const { return socket_.descriptor(); }

void netlink_events::join() {
    netlink_socket resolver;
    family_ = resolver.resolve(HV_NETLINK_FAMILY);
    int const group = resolver.resolve_group(HV_NETLINK_FAMILY, HV_NETLINK_GROUP);
    if (group_ != 0) socket_.leave_group(group_);
    group_ = group;
    if (group != 0) socket_.join_group(group);
}

std::vector<device_event> netlink_events::receive() {
    std::vector<device_event> events;
    for (int i = 0; i < datagrams_at_once; ++i) {
        try {
            auto const datagram = socket_.receive();
            if (!datagram) break;
            for (auto& each : read_events(*datagram, static_cast<std::uint16_t>(family_))) {
                events.push_back(std::move(each));
            }
        } catch (device_error const& error) {
            if (error.code() == ENOBUFS) events.emplace_back(events_overrun{});
            if (error.code() != ENOBUFS && error.code() != EBADMSG) throw;
        }
    }
    return events;
}

}
