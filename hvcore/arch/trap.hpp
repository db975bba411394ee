// SPDX-License-Identifier: MIT
#pragma once
#include "arch/descriptor.hpp"
#include "base/array.hpp"
#include <cstddef>

namespace hv {

/// What trap.S leaves on the stack of an exception or NMI in root mode.
struct trap_frame {
    std::uint64_t r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;    // what a C++ function may change
    std::uint64_t vector, error;
    std::uint64_t rip, cs, rflags, rsp, ss;
};
static_assert(offsetof(trap_frame, vector) == 72 && sizeof(trap_frame) == 128);

// Stacks that #DF, #MC and NMI switch to: the interrupted one may be anything.
inline constexpr unsigned ist_double_fault = 1, ist_machine_check = 2, ist_nmi = 3;

/// One instruction that may fault, and where to go on if it does.
struct fixup {
    std::uint64_t at, to;
};

/// Fill the gates of the 32 exceptions; interrupts are off in root mode, so there are no others.
/// stubs    of the backend (trap.S)
void fill_idt(array<gate, 32>& idt, char const* stubs);

/// The landing place for a fault at `rip`, 0 if there is none.
std::uint64_t find_fixup(std::uint64_t rip);

}    // namespace hv
