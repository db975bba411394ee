// SPDX-License-Identifier: MIT
#pragma once
#include "arch/register.hpp"

namespace hv {

/// Whether XSETBV accepts `value` for XCR0 on a CPU that supports the bits `supported`.
/// Source   SDM 2D "XSETBV—Set Extended Control Register", and SDM 1 13.3 for the groups of bits.
constexpr bool valid_xcr0(xcr0 value, xcr0 supported) {
    bool const avx = value.get<xcr0::avx>();
    auto const all = [&](auto field) {
        using f = decltype(field);
        auto const bits = value.raw & f::mask;
        return bits == 0 || bits == f::mask;
    };
    if ((value.raw & ~supported.raw) != 0 || !value.get<xcr0::x87>()) return false;
    if (avx && !value.get<xcr0::sse>()) return false;
    if (!all(xcr0::mpx{}) || !all(xcr0::avx512{}) || !all(xcr0::amx{})) return false;
    return avx || (value.raw & xcr0::avx512::mask) == 0;
}

}    // namespace hv
