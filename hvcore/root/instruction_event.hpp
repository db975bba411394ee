// SPDX-License-Identifier: MIT
#pragma once
// Instructions that rules watch, whatever their operands. What a rule lets happen the root VM
// executes itself, with nothing around it for that one instruction: begin_step() of a virtual CPU.
#include "abi/policy.h"
#include "arch/register.hpp"
#include "root/machine.hpp"
#include "vcpu/exception.hpp"

namespace hv {

/// Deny with `x`, or let it happen.
template <typename Cpu> after deny_or_step(Cpu& c, event const& e, exception x) {
    if (judge(c, e).action == action::deny)
        c.inject(x);
    else
        c.begin_step();
    return after::resume;
}

/// IN, OUT and their string forms: `q`, as the backend tells it. An access that no rule denies may
/// exit because of another direction.
template <typename Cpu, typename Io> after answer_io(Cpu& c, Io q) {
    if (!c.machine().rules().watches_io()) return on_unexpected(c);
    std::uint32_t const bytes = Io::bytes_of(q);
    bool const in = q.template get<typename Io::in>();
    bool const known = !in && !q.template get<typename Io::string>();
    auto const value = known ? c.common().gpr.rax & ((1ull << 8 * bytes) - 1) : 0;
    std::uint32_t const access = in ? HV_ACCESS_READ : HV_ACCESS_WRITE;
    return deny_or_step(
        c, {event_kind::io, access, q.template get<typename Io::port>(), value, bytes, c.rip().raw},
        general_protection);
}

/// `which`: of enum hv_instruction. MWAIT may end at once, and that is what it does: stepped, it
/// would wait with interrupts off.
template <typename Cpu> after answer_instruction(Cpu& c, std::uint32_t which) {
    if (c.machine().rules().bits(policy::bit_group::instructions) == 0) return on_unexpected(c);
    event const e{event_kind::instruction, HV_ACCESS_EXECUTE, which, 0, 0, c.rip().raw};
    if (which < HV_INSTRUCTION_MONITOR) return deny_or_step(c, e, general_protection);
    if (which != HV_INSTRUCTION_MWAIT) return deny_or_step(c, e, invalid_opcode);
    if (judge(c, e).action != action::deny) return after::advance;
    c.inject(invalid_opcode);
    return after::resume;
}

/// XSETBV: the core writes XCR0, which the root VM and the core share.
template <typename Cpu> after answer_xsetbv(Cpu& c) {
    auto const& r = c.common().gpr;
    auto const value = static_cast<std::uint32_t>(r.rax) | r.rdx << 32;
    auto const leaf = insn::cpuid(0xd, 0);
    auto const supported = make<xcr0>(leaf.eax | std::uint64_t{leaf.edx} << 32);
    bool const sound = static_cast<std::uint32_t>(r.rcx) == 0 && c.privilege() == 0 &&
                       valid_xcr0(make<xcr0>(value), supported);
    event const e{event_kind::xcr, HV_ACCESS_WRITE, 0, value, sound ? insn::xgetbv() : value,
                  c.rip().raw};
    auto const by = sound ? judge(c, e) : verdict{action::deny};
    auto const next = (value & ~by.kept) | (e.old_value & by.kept);
    bool const allowed = by.action != action::deny && valid_xcr0(make<xcr0>(next), supported);
    return advance_or_fault(c, allowed && insn::xsetbv_safe(0, next));
}

/// What rules take from an answer of CPUID.
template <typename Cpu>
void hide_cpuid(Cpu& c, std::uint32_t leaf, std::uint32_t subleaf, cpuid_leaf& answer) {
    auto const where = std::uint64_t{leaf} << 32 | subleaf;
    event const e{event_kind::cpuid, HV_ACCESS_READ, where, 0, 0, c.rip().raw};
    c.machine().rules().each_about(HV_RULE_CPUID, where, where, [&](hv_rule const& r) {
        if (!policy::on_cpu(r, c.common().shared->cpu_id)) return;
        record_verdict(c.common(), c.reason(), e, {policy::action_of(r), r.id});
        if (policy::action_of(r) != action::deny) return;
        answer.eax &= ~static_cast<std::uint32_t>(r.mask);
        answer.ebx &= ~static_cast<std::uint32_t>(r.mask >> 32);
        answer.ecx &= ~static_cast<std::uint32_t>(r.pass_first);
        answer.edx &= ~static_cast<std::uint32_t>(r.pass_first >> 32);
    });
}

}    // namespace hv
