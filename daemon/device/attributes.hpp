// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace hv {

using byte_span = std::span<std::byte const>;

/// One netlink attribute whose bounds are known to be inside its message.
class attribute {
public:
    attribute(int type, byte_span payload) : type_{type}, payload_{payload} {}

    int type() const { return type_; }
    byte_span payload() const { return payload_; }
    std::uint64_t u64() const { return fixed<std::uint64_t>(); }
    std::uint32_t u32() const { return fixed<std::uint32_t>(); }
    bool flag() const;
    /// A string of printable ASCII, NUL at the end and nowhere else, shorter than `limit`.
    std::string text(std::size_t limit) const;

    /// Strings of printable ASCII, a NUL at the end of each, all shorter than `limit`.
    std::vector<std::string> texts(std::size_t limit) const;

    /// A whole number of elements, at most `limit`.
    template <typename T> std::vector<T> array(std::size_t limit) const {
        if (payload_.size() % sizeof(T) != 0 || payload_.size() / sizeof(T) > limit) bad_size();
        std::vector<T> out(payload_.size() / sizeof(T));
        if (!out.empty()) std::memcpy(out.data(), payload_.data(), payload_.size());
        return out;
    }

    template <typename T> T fixed() const {
        if (payload_.size() != sizeof(T)) bad_size();
        T out;
        std::memcpy(&out, payload_.data(), sizeof(T));
        return out;
    }

    [[noreturn]] void bad_size() const;
    [[noreturn]] void unknown() const;

private:
    int type_;
    byte_span payload_;
};

/// Splits a stream of attributes; refuses one that reaches beyond the end.
std::vector<attribute> split_attributes(byte_span stream);

}
