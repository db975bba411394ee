// SPDX-License-Identifier: MIT
#pragma once
#include <compare>
#include <cstdint>

namespace hv {

/// A byte address in one address space. Spaces never mix: each crossing is a function of its own.
template <typename Space> struct address {
    std::uint64_t raw{};
    constexpr address() = default;
    constexpr explicit address(std::uint64_t r) : raw{r} {}
    friend constexpr auto operator<=>(address, address) = default;
    friend constexpr address operator+(address a, std::uint64_t n) { return address{a.raw + n}; }
    friend constexpr address operator-(address a, std::uint64_t n) { return address{a.raw - n}; }
    friend constexpr std::uint64_t operator-(address a, address b) { return a.raw - b.raw; }
    [[nodiscard]] constexpr bool aligned(std::uint64_t to) const { return (raw & (to - 1)) == 0; }
    [[nodiscard]] constexpr address down(std::uint64_t to) const {
        return address{raw & ~(to - 1)};
    }
};

// guest-virtual: a linear address of the root VM or a guest
using gva = address<struct gva_space>;
using gpa = address<struct gpa_space>;    // guest-physical
using hva = address<struct hva_space>;    // a linear address of the core
using hpa = address<struct hpa_space>;    // host-physical

inline constexpr std::uint64_t page_bytes = 4096;
inline constexpr std::uint64_t page_2m_bytes = 1ull << 21;
inline constexpr std::uint64_t page_1g_bytes = 1ull << 30;

/// A run of bytes [first, first + bytes) in guest-physical or host-physical memory.
template <typename Address> struct span_of {
    Address first{};
    std::uint64_t bytes{};
    friend constexpr bool operator==(span_of const&, span_of const&) = default;
    /// Whether the run neither wraps nor reaches beyond `limit`.
    [[nodiscard]] constexpr bool within(std::uint64_t limit) const {
        return first.raw <= limit && bytes <= limit - first.raw;
    }
    [[nodiscard]] constexpr bool pages() const {
        return bytes != 0 && first.aligned(page_bytes) && (bytes & (page_bytes - 1)) == 0;
    }
};
using gpa_span = span_of<gpa>;
using hpa_span = span_of<hpa>;

/// Whether a CPU with 4-level paging can hold the address. SDM 1 3.3.7.1 "Canonical Addressing".
constexpr bool canonical(gva a) { return a.raw + (1ull << 47) < 1ull << 48; }

}    // namespace hv
