// SPDX-License-Identifier: MIT
#include "daemon/device/message.hpp"

#include <cerrno>
#include <cstring>
#include <string_view>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "daemon/device/decode.hpp"
#include "daemon/device/device_error.hpp"
#include "kmod/abi/netlink.h"

namespace hv {
namespace {

[[noreturn]] void malformed(char const* what) {
    throw device_error{EBADMSG, std::string{"the kernel sent a malformed message ("} + what + ")"};
}

struct raw_message {
    nlmsghdr head;
    byte_span body;
};

/// Takes the first message off the datagram.
raw_message take_message(byte_span& datagram) {
    raw_message message{};
    if (datagram.size() < sizeof(nlmsghdr)) malformed("no whole header");
    std::memcpy(&message.head, datagram.data(), sizeof(nlmsghdr));
    std::size_t const bytes = message.head.nlmsg_len;
    if (bytes < NLMSG_HDRLEN || bytes > datagram.size()) malformed("its length");
    message.body = datagram.subspan(NLMSG_HDRLEN, bytes - std::size_t{NLMSG_HDRLEN});
    auto const aligned = (bytes + NLMSG_ALIGNTO - 1) & ~std::size_t{NLMSG_ALIGNTO - 1};
    datagram = datagram.subspan(std::min(aligned, datagram.size()));
    return message;
}

family_message open_generic(raw_message const& message) {
    genlmsghdr generic;
    if (message.body.size() < GENL_HDRLEN) malformed("no generic header");
    std::memcpy(&generic, message.body.data(), sizeof(generic));
    return {generic.cmd, message.body.subspan(GENL_HDRLEN)};
}

/// The text of an extended ack, empty where there is none.
std::string extended_text(raw_message const& message) {
    if ((message.head.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return {};
    nlmsgerr outcome;
    std::memcpy(&outcome, message.body.data(), sizeof(outcome));
    std::size_t skip = sizeof(nlmsgerr);
    if ((message.head.nlmsg_flags & NLM_F_CAPPED) == 0) {
        if (outcome.msg.nlmsg_len < NLMSG_HDRLEN) malformed("the echo of a request");
        skip += outcome.msg.nlmsg_len - std::size_t{NLMSG_HDRLEN};
        skip = (skip + NLMSG_ALIGNTO - 1) & ~std::size_t{NLMSG_ALIGNTO - 1};
    }
    if (skip > message.body.size()) malformed("an extended ack");
    for (auto const& each : split_attributes(message.body.subspan(skip))) {
        if (each.type() == NLMSGERR_ATTR_MSG) return each.text(1024);
    }
    return {};
}

void throw_unless_done(raw_message const& message) {
    nlmsgerr outcome;
    if (message.body.size() < sizeof(outcome)) malformed("an acknowledgement");
    std::memcpy(&outcome, message.body.data(), sizeof(outcome));
    if (outcome.error == 0) return;
    if (outcome.error > 0 || outcome.error < -4095) malformed("an error number");
    throw device_error{-outcome.error, extended_text(message)};
}

bool names_our_family(byte_span attributes) {
    for (auto const& each : split_attributes(attributes)) {
        if (each.type() == CTRL_ATTR_FAMILY_NAME) {
            return each.text(GENL_NAMSIZ) == HV_NETLINK_FAMILY;
        }
    }
    return false;
}

void read_controller(family_message const& message, std::vector<device_event>& out) {
    if (message.command != CTRL_CMD_NEWFAMILY && message.command != CTRL_CMD_DELFAMILY) return;
    if (!names_our_family(message.attributes)) return;
    out.emplace_back(module_change{message.command == CTRL_CMD_NEWFAMILY});
}

void read_ours(family_message const& message, std::vector<device_event>& out) {
    if (message.command == HV_CMD_RECORDS) out.emplace_back(decode_records(message.attributes));
    if (message.command == HV_CMD_STATE) {
        out.emplace_back(decode_state_change(message.attributes));
    }
}

}

answer_part read_answer(byte_span datagram, std::uint16_t family, std::uint32_t sequence) {
    answer_part part;
    while (!datagram.empty()) {
        auto const message = take_message(datagram);
        if (message.head.nlmsg_seq != sequence) continue;
        if (message.head.nlmsg_type == NLMSG_ERROR) {
            throw_unless_done(message);
            part.complete = true;
        } else if (message.head.nlmsg_type == family) {
            part.messages.push_back(open_generic(message));
        }
    }
    return part;
}

std::vector<device_event> read_events(byte_span datagram, std::uint16_t family) {
    std::vector<device_event> events;
    while (!datagram.empty()) {
        auto const message = take_message(datagram);
        if (message.head.nlmsg_type == GENL_ID_CTRL) {
            read_controller(open_generic(message), events);
        } else if (family != 0 && message.head.nlmsg_type == family) {
            read_ours(open_generic(message), events);
        }
    }
    return events;
}

}
