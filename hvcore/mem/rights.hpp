// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

namespace hv {

/// What a second-stage leaf allows.
enum class rights : std::uint8_t { none = 0, read = 1, write = 2, execute = 4 };

constexpr rights operator|(rights a, rights b) {
    return static_cast<rights>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr rights operator&(rights a, rights b) {
    return static_cast<rights>(static_cast<unsigned>(a) & static_cast<unsigned>(b));
}
constexpr rights operator~(rights a) { return static_cast<rights>(~static_cast<unsigned>(a) & 7u); }
constexpr bool includes(rights all, rights some) { return (all & some) == some; }

inline constexpr rights read_write = rights::read | rights::write;
inline constexpr rights read_execute = rights::read | rights::execute;
inline constexpr rights all_rights = read_write | rights::execute;

/// Neither format can express a leaf that is writable or executable but not readable on every CPU.
constexpr bool expressible(rights r) { return includes(r, rights::read); }

}    // namespace hv
