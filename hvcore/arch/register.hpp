// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

namespace hv {

/// Bits Hi..Lo of a register type, as values of T.
template <typename Reg, unsigned Hi, unsigned Lo, typename T = std::uint64_t> struct field {
    static_assert(Lo <= Hi && Hi < 64);
    static constexpr std::uint64_t mask = (~0ull >> (63 - (Hi - Lo))) << Lo;
    static constexpr T get(Reg r) { return static_cast<T>((r.raw & mask) >> Lo); }
    static constexpr Reg set(Reg r, T v) {
        r.raw = (r.raw & ~mask) | ((static_cast<std::uint64_t>(v) << Lo) & mask);
        return r;
    }
};
template <typename Reg, unsigned N> using bit = field<Reg, N, N, bool>;

template <typename Self> struct reg {
    std::uint64_t raw{};
    [[nodiscard]] constexpr Self const& self() const { return static_cast<Self const&>(*this); }
    template <typename F> [[nodiscard]] constexpr auto get() const { return F::get(self()); }
    template <typename F> [[nodiscard]] constexpr Self with(auto v) const {
        return F::set(self(), v);
    }
    friend constexpr bool operator==(reg const&, reg const&) = default;
};

/// A register of type R that holds `raw`.
template <typename R> constexpr R make(std::uint64_t raw) {
    R r{};
    r.raw = raw;
    return r;
}

struct cr0 : reg<cr0> {    // SDM 3A 2.5 "Control Registers"
    using pe = bit<cr0, 0>;
    using mp = bit<cr0, 1>;
    using ts = bit<cr0, 3>;
    using et = bit<cr0, 4>;
    using ne = bit<cr0, 5>;
    using wp = bit<cr0, 16>;
    using am = bit<cr0, 18>;
    using nw = bit<cr0, 29>;
    using cd = bit<cr0, 30>;
    using pg = bit<cr0, 31>;
    using low_word = field<cr0, 3, 0>;    // what LMSW writes
};

struct cr4 : reg<cr4> {    // SDM 3A 2.5 "Control Registers"
    using pae = bit<cr4, 5>;
    using mce = bit<cr4, 6>;
    using la57 = bit<cr4, 12>;
    using vmxe = bit<cr4, 13>;
    using pcide = bit<cr4, 17>;
    using osxsave = bit<cr4, 18>;
    using smep = bit<cr4, 20>;
    using smap = bit<cr4, 21>;
    using pke = bit<cr4, 22>;
    using cet = bit<cr4, 23>;
};

struct efer : reg<efer> {    // SDM 3A 2.2.1 "Extended Feature Enable Register"
    static constexpr std::uint32_t msr = 0xc0000080;
    using sce = bit<efer, 0>;
    using lme = bit<efer, 8>;
    using lma = bit<efer, 10>;
    using nxe = bit<efer, 11>;
    using svme = bit<efer, 12>;    // APM 2 3.1.7 "Extended Feature Enable Register (EFER)"
};

struct rflags : reg<rflags> {    // SDM 1 3.4.3 "EFLAGS Register"
    using fixed_1 = bit<rflags, 1>;
    using tf = bit<rflags, 8>;
    using interrupt_flag = bit<rflags, 9>;
    using vm = bit<rflags, 17>;
};

struct xcr0 : reg<xcr0> {    // SDM 1 13.3 "Enabling the XSAVE Feature Set"
    using x87 = bit<xcr0, 0>;
    using sse = bit<xcr0, 1>;
    using avx = bit<xcr0, 2>;
    using mpx = field<xcr0, 4, 3>;
    using avx512 = field<xcr0, 7, 5>;
    using amx = field<xcr0, 18, 17>;
};

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
