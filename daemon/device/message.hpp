// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "daemon/device/attributes.hpp"
#include "daemon/device/device.hpp"

namespace hv {

/// The generic netlink messages of one datagram that belong to `family`.
struct family_message {
    std::uint8_t command{};
    byte_span attributes;
};

struct answer_part {
    std::vector<family_message> messages;
    bool complete{};    // the acknowledgement was among them
};

/// Reads a datagram that answers request `sequence`; other requests' messages are passed over.
/// Throws device_error with the kernel's errno and its extended ack text.
answer_part read_answer(byte_span datagram, std::uint16_t family, std::uint32_t sequence);

/// Reads a datagram of the multicast groups: hv's `events` and the controller's `notify`.
std::vector<device_event> read_events(byte_span datagram, std::uint16_t family);

}
