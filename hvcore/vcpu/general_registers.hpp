// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>

namespace hv {

/// The guest's general registers as the exit entry pushes them (vmx/entry.S), the last push first.
/// The first five are those that a C++ function keeps: a frequent exit leaves them where they are.
/// rsp is not among them, the control block keeps it.
struct general_registers {
    std::uint64_t r15{}, r14{}, r13{}, r12{}, rbp{};
    std::uint64_t r11{}, r10{}, r9{}, r8{}, rdi{}, rsi{}, rbx{}, rdx{}, rcx{}, rax{};

    /// By the number that instructions encode. SDM 3C 28.2.1, table "Exit Qualification for
    /// Control-Register Accesses". 4 is rsp and not here: null.
    [[nodiscard]] constexpr std::uint64_t* numbered(unsigned number) {
        switch (number) {
        case 0:  return &rax;
        case 1:  return &rcx;
        case 2:  return &rdx;
        case 3:  return &rbx;
        case 5:  return &rbp;
        case 6:  return &rsi;
        case 7:  return &rdi;
        case 8:  return &r8;
        case 9:  return &r9;
        case 10: return &r10;
        case 11: return &r11;
        case 12: return &r12;
        case 13: return &r13;
        case 14: return &r14;
        case 15: return &r15;
        default: return nullptr;
        }
    }
};
static_assert(sizeof(general_registers) == 120 && offsetof(general_registers, rax) == 112);

}    // namespace hv
