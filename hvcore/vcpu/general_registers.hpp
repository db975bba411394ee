// SPDX-License-Identifier: MIT
#pragma once
#include "arch/insn.hpp"
#include <cstddef>
#include <cstdint>
#include <utility>

namespace hv {

/// The guest's general registers as the exit entry pushes them (vmx/entry.S), the last push first.
/// The first five are those that a C++ function keeps: a frequent exit leaves them where they are.
/// rsp is not among them, the control block keeps it.
struct general_registers {
    std::uint64_t r15{}, r14{}, r13{}, r12{}, rbp{};
    std::uint64_t r11{}, r10{}, r9{}, r8{}, rdi{}, rsi{}, rbx{}, rdx{}, rcx{}, rax{};

    /// What CPUID leaves there.
    [[gnu::always_inline]] constexpr void take(cpuid_leaf const& a) {
        rax = a.eax;
        rbx = a.ebx;
        rcx = a.ecx;
        rdx = a.edx;
    }
    /// By the number that instructions encode. SDM 3C 28.2.1, table "Exit Qualification for
    /// Control-Register Accesses". 4 is rsp and not here: null.
    [[nodiscard]] constexpr std::uint64_t* numbered(unsigned number) {
        using g = general_registers;
        constexpr std::uint64_t g::* all[16] = {
            &g::rax, &g::rcx, &g::rdx, &g::rbx, nullptr, &g::rbp, &g::rsi, &g::rdi,
            &g::r8,  &g::r9,  &g::r10, &g::r11, &g::r12, &g::r13, &g::r14, &g::r15};
        return number < 16 && all[number] != nullptr ? &(this->*all[number]) : nullptr;
    }
    /// Each with its number, without a loop: runs of guests are short.
    template <typename Visit> [[gnu::always_inline]] constexpr void each(Visit const& visit) {
        [&]<unsigned... N>(std::integer_sequence<unsigned, N...>) {
            ((numbered(N) != nullptr ? visit(N, *numbered(N)) : void()), ...);
        }(std::make_integer_sequence<unsigned, 16>{});
    }
};
static_assert(sizeof(general_registers) == 120 && offsetof(general_registers, rax) == 112);

/// DR0 to DR3.
inline void read_breakpoints(std::uint64_t (&to)[4]) {
    to[0] = insn::read_dr0();
    to[1] = insn::read_dr1();
    to[2] = insn::read_dr2();
    to[3] = insn::read_dr3();
}
inline void write_breakpoints(std::uint64_t const (&from)[4]) {
    insn::write_dr0(from[0]);
    insn::write_dr1(from[1]);
    insn::write_dr2(from[2]);
    insn::write_dr3(from[3]);
}

}    // namespace hv
