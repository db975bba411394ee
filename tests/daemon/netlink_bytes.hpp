// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "daemon/device/attributes.hpp"
#include "daemon/device/device_error.hpp"

namespace hv {

/// Netlink messages byte by byte, sound ones and others.
class netlink_bytes {
public:
    byte_span span() const { return bytes_; }
    std::vector<std::byte>& raw() { return bytes_; }

    netlink_bytes& put(void const* from, std::size_t size) {
        auto const* const start = static_cast<std::byte const*>(from);
        bytes_.insert(bytes_.end(), start, start + size);
        return *this;
    }
    template <typename T> netlink_bytes& number(std::uint16_t type, T value) {
        return attribute_bytes(type, &value, sizeof(value));
    }
    netlink_bytes& text(std::uint16_t type, std::string const& value) {
        return attribute_bytes(type, value.c_str(), value.size() + 1);
    }
    netlink_bytes& nest(std::uint16_t type, netlink_bytes const& inner) {
        return attribute_bytes(static_cast<std::uint16_t>(type | NLA_F_NESTED), inner.bytes_.data(),
                               inner.bytes_.size());
    }
    netlink_bytes& attribute_bytes(std::uint16_t type, void const* from, std::size_t size) {
        nlattr const head{.nla_len = static_cast<std::uint16_t>(NLA_HDRLEN + size),
                          .nla_type = type};
        put(&head, sizeof(head)).put(from, size);
        return pad();
    }
    /// A generic netlink message with this content.
    static netlink_bytes generic(std::uint16_t family, std::uint8_t command,
                                 netlink_bytes const& content, std::uint32_t sequence = 1) {
        genlmsghdr const head{.cmd = command, .version = 1, .reserved = 0};
        netlink_bytes body;
        body.put(&head, sizeof(head)).put(content.bytes_.data(), content.bytes_.size());
        return message(family, 0, body, sequence);
    }
    static netlink_bytes message(std::uint16_t type, std::uint16_t flags, netlink_bytes const& body,
                                 std::uint32_t sequence = 1) {
        nlmsghdr head{};
        head.nlmsg_len = static_cast<std::uint32_t>(sizeof(head) + body.bytes_.size());
        head.nlmsg_type = type;
        head.nlmsg_flags = flags;
        head.nlmsg_seq = sequence;
        netlink_bytes out;
        out.put(&head, sizeof(head)).put(body.bytes_.data(), body.bytes_.size());
        return out.pad();
    }
    /// An acknowledgement, or a refusal with its words.
    static netlink_bytes outcome(int error, std::string const& words, std::uint32_t sequence = 1) {
        nlmsgerr said{};
        said.error = error;
        said.msg.nlmsg_len = sizeof(nlmsghdr);
        netlink_bytes body;
        body.put(&said, sizeof(said));
        if (!words.empty()) body.text(NLMSGERR_ATTR_MSG, words);
        auto const flags = words.empty() ? NLM_F_CAPPED : NLM_F_CAPPED | NLM_F_ACK_TLVS;
        return message(NLMSG_ERROR, static_cast<std::uint16_t>(flags), body, sequence);
    }
    netlink_bytes& append(netlink_bytes const& other) {
        return put(other.bytes_.data(), other.bytes_.size());
    }

private:
    netlink_bytes& pad() {
        bytes_.resize((bytes_.size() + 3) / 4 * 4);
        return *this;
    }

    std::vector<std::byte> bytes_;
};

/// The number that a call refuses with; 0: it does not.
template <typename Call> int code_of(Call call) {
    try {
        call();
    } catch (device_error const& error) {
        return error.code();
    }
    return 0;
}

}
