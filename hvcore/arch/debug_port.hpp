// SPDX-License-Identifier: MIT
#pragma once
#include "arch/insn.hpp"

namespace hv {

// The emulators' debug port, in builds with HV_DEBUG_PORT: where root mode can say why it ends.
#ifdef HV_DEBUG_PORT
inline void print(char const* text) {
    for (; *text != 0; ++text) insn::outb(0xe9, static_cast<std::uint8_t>(*text));
}
inline void print(std::uint64_t number) {
    for (unsigned shift = 64; shift != 0; shift -= 4)
        insn::outb(0xe9, static_cast<std::uint8_t>("0123456789abcdef"[number >> (shift - 4) & 15]));
    insn::outb(0xe9, ' ');
}
#else
inline void print(char const*) {}
inline void print(std::uint64_t) {}
#endif

}    // namespace hv
