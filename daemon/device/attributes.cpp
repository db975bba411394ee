// SPDX-License-Identifier: MIT
#include "daemon/device/attributes.hpp"

#include <algorithm>
#include <cerrno>

#include <netlink/attr.h>

#include "daemon/device/device_error.hpp"

namespace hv {
namespace {

[[noreturn]] void malformed(std::string const& what) {
    throw device_error{EBADMSG, "hv.ko sent a malformed message (" + what +
                                    "): install hv.ko and hvd from one build"};
}

}

bool attribute::flag() const {
    auto const value = fixed<std::uint8_t>();
    if (value > 1) malformed("attribute " + std::to_string(type_) + " is not a truth value");
    return value == 1;
}

std::string attribute::text(std::size_t limit) const {
    if (payload_.empty() || payload_.size() > limit || payload_.back() != std::byte{0}) bad_size();
    std::string out;
    for (auto const each : payload_.first(payload_.size() - 1)) {
        auto const letter = static_cast<unsigned char>(each);
        if (letter < 0x20 || letter > 0x7e) {
            malformed("attribute " + std::to_string(type_) + " is not printable");
        }
        out.push_back(static_cast<char>(letter));
    }
    return out;
}

std::vector<std::string> attribute::texts(std::size_t limit) const {
    std::vector<std::string> out;
    for (auto rest = payload_; !rest.empty();) {
        auto const end = std::find(rest.begin(), rest.end(), std::byte{0});
        if (end == rest.end()) bad_size();
        auto const bytes = static_cast<std::size_t>(end - rest.begin()) + 1;
        out.push_back(attribute{type_, rest.first(bytes)}.text(limit));
        rest = rest.subspan(bytes);
    }
    return out;
}

void attribute::bad_size() const {
    malformed("attribute " + std::to_string(type_) + " has " + std::to_string(payload_.size()) +
              " bytes");
}

void attribute::unknown() const {
    malformed("attribute " + std::to_string(type_) + " does not belong here");
}

std::vector<attribute> split_attributes(byte_span stream) {
    std::vector<attribute> out;
    while (stream.size() >= NLA_HDRLEN) {
        nlattr head;
        std::memcpy(&head, stream.data(), sizeof(head));
        if (head.nla_len < NLA_HDRLEN || head.nla_len > stream.size()) {
            malformed("an attribute of " + std::to_string(head.nla_len) + " bytes in " +
                      std::to_string(stream.size()));
        }
        out.emplace_back(head.nla_type & NLA_TYPE_MASK,
                         stream.subspan(NLA_HDRLEN, head.nla_len - std::size_t{NLA_HDRLEN}));
        stream = stream.subspan(std::min<std::size_t>(NLA_ALIGN(head.nla_len), stream.size()));
    }
    if (!stream.empty()) malformed(std::to_string(stream.size()) + " bytes after the last one");
    return out;
}

}
