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
constexpr bool expressible(rights r) { return r == rights::none || includes(r, rights::read); }

/// SDM 3A 12.11 "Memory Type Range Registers (MTRRs)": the encodings that MTRRs and EPT share.
enum class memory_type : std::uint8_t { uc = 0, wc = 1, wt = 4, wp = 5, wb = 6 };

constexpr bool is_memory_type(std::uint64_t encoding) {
    return encoding <= 6 && encoding != 2 && encoding != 3;
}

/// Whether the guest's own PAT may weaken a leaf's type. It may not where the target is the core's,
/// or the root VM could make an uncached alias of memory that the core uses write-back.
enum class guest_pat : bool { honoured, ignored };

}    // namespace hv
