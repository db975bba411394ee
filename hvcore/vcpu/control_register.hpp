// SPDX-License-Identifier: MIT
#pragma once
#include "arch/register.hpp"
#include "policy/rule_set.hpp"

namespace hv {

/// One of CR0 and CR4 as the control block holds it: the bits in `mask` belong to the core, and the
/// root VM reads them from `shadow`. SDM 3C 25.6.6 "Guest/Host Masks and Read Shadows for CR0 and
/// CR4".
struct masked_register {
    std::uint64_t real{};
    std::uint64_t shadow{};
    std::uint64_t mask{};
    std::uint64_t pinned{};    // what watched bits were when their rules came into force
    [[nodiscard]] constexpr std::uint64_t seen() const { return (real & ~mask) | (shadow & mask); }
};

/// What a write to a masked register comes to.
struct register_decision {
    bool fault{};    // #GP(0), nothing changes
    verdict by{};    // the rule that decided or logs
    masked_register next{};
    std::uint64_t value{};    // what the root VM sees after it: as written, but for kept bits
};

/// Bits that the core keeps from the root VM, whatever the rules say.
struct reserved_bits {
    std::uint64_t never{};        // setting one faults, as on a CPU that has not got it
    std::uint64_t virtually{};    // the root VM sees what it wrote, the CPU keeps its own value
};

/// Decide a write of `wanted` that left guest operation. Where it is allowed, the register's shadow
/// (and, for watched bits, the register) takes the new bits, and the instruction is executed again:
/// it then has no bit left to exit for, and the CPU itself does the rest with all its checks. So
/// it is where a rule keeps bits: the shadow has them as written, until the instruction is done.
/// rip   the linear address of the instruction, on the CPU that Linux numbers `cpu`
inline register_decision decide_write(unsigned number, masked_register now, std::uint64_t wanted,
                                      reserved_bits bits, policy::rule_set const& rules,
                                      gva rip = {}, std::uint32_t cpu = 0) {
    register_decision d{.next = now, .value = wanted};
    auto const watched = rules.cr_mask(number);
    if ((wanted & bits.never) != 0) {
        d.fault = true;
        return d;
    }
    // A CPU that comes back from INIT has lost its bits and may set them again: only a change away
    // from the pinned value counts. What may only grow or shrink has none.
    auto const away = (wanted ^ now.seen()) & ((wanted ^ now.pinned) | rules.moving(number));
    d.by = rules.decide(
        {event_kind::cr, HV_ACCESS_WRITE, number, wanted, wanted ^ away, rip.raw, cpu});
    if (d.by.action == action::deny) {
        d.fault = true;
        return d;
    }
    auto const kept = d.by.kept & away;
    d.value = (wanted & ~kept) | (now.seen() & kept);
    d.next.shadow = (now.shadow & ~now.mask) | (wanted & now.mask);
    auto const real_too = watched & ~bits.virtually & ~bits.never & ~kept;
    d.next.real = (now.real & ~real_too) | (wanted & real_too);
    return d;
}

/// What a CPU looks at, beside the value, when CR0 or CR4 is written.
struct paging_mode {
    cr0 now0{};
    cr4 now4{};
    efer now_efer{};
    bool code_64{};    // CS.L
    std::uint64_t cr3{};
    std::uint64_t cr4_bits{};    // that this CPU has
};

/// Whether a CPU takes the value, or raises #GP(0): for bits that the core sets in its place.
/// Source   SDM 2B "MOV—Move to/from Control Registers", "Protected Mode Exceptions"; SDM 3A 2.5.
constexpr bool takes_cr0(cr0 wanted, paging_mode const& m) {
    bool const pg = wanted.get<cr0::pg>();
    if (wanted.raw >> 32 != 0 || (wanted.get<cr0::nw>() && !wanted.get<cr0::cd>())) return false;
    if (pg && !wanted.get<cr0::pe>()) return false;
    if (!wanted.get<cr0::wp>() && m.now4.get<cr4::cet>()) return false;
    if (pg == m.now0.get<cr0::pg>()) return true;
    if (!pg) return !m.now4.get<cr4::pcide>() && !(m.now_efer.get<efer::lma>() && m.code_64);
    return !m.now_efer.get<efer::lme>() || (m.now4.get<cr4::pae>() && !m.code_64);
}
constexpr bool takes_cr4(cr4 wanted, paging_mode const& m) {
    bool const long_mode = m.now_efer.get<efer::lma>();
    if ((wanted.raw & ~m.cr4_bits) != 0) return false;
    if (long_mode && !wanted.get<cr4::pae>()) return false;
    if (long_mode && wanted.get<cr4::la57>() != m.now4.get<cr4::la57>()) return false;
    if (wanted.get<cr4::cet>() && !m.now0.get<cr0::wp>()) return false;
    if (!wanted.get<cr4::pcide>() || m.now4.get<cr4::pcide>()) return true;
    return long_mode && (m.cr3 & 0xfff) == 0;
}

}    // namespace hv
