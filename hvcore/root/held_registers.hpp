// SPDX-License-Identifier: MIT
#pragma once
// Registers that instructions load from operands which the core does not decode: it looks at what
// the instruction has done. LGDT, LIDT, LLDT, LTR, and MOV to debug registers.
#include "policy/rule_set.hpp"
#include "root/cpu.hpp"

namespace hv {

/// With another GDTR and IDTR.
inline held_values with_tables(held_values v, table_register gdt, table_register idt) {
    v[HV_TABLE_GDT] = {.limit = gdt.limit, .base = gva{gdt.base}};
    v[HV_TABLE_IDT] = {.limit = idt.limit, .base = gva{idt.base}};
    return v;
}

/// Note what rules hold from now on, and pin the tables among it as this CPU has them.
template <typename Cpu> void pin_registers(Cpu& c) {
    auto& t = c.common().held;
    auto const& rules = c.machine().rules();
    auto const debug = rules.bits(policy::bit_group::dr);
    auto const wanted = static_cast<std::uint32_t>(
        rules.bits(policy::bit_group::tables) | (debug >> 32) << held_dr0 |
        std::uint64_t{static_cast<std::uint32_t>(debug) != 0} << held_dr7);
    auto const fresh = wanted & ~t.held;
    if (fresh != 0) {
        auto const now = c.held_now();
        for (std::uint32_t i = 0; i < HV_TABLE_COUNT; ++i)
            if ((fresh >> i & 1) != 0) t.pinned[i] = now[i];
    }
    t.held = wanted;
}

/// Before the root VM executes one instruction for itself.
template <typename Cpu> void note_registers(Cpu& c) {
    auto& t = c.common().held;
    t.rip = c.rip().raw;
    t.reason = c.reason();
    t.judged = t.held;
    if (t.judged != 0) t.before = c.held_now();
}

/// Judge the instruction that was let through. Of tables only a change away from what is pinned
/// counts: a CPU that INIT has reset has lost them, and may load what it takes to get there again.
/// True: #GP(0) is due. Then, and where a rule keeps it, what was loaded is as it was before.
template <typename Cpu> bool takes_back(Cpu& c) {
    auto const& t = c.common().held;
    if (t.judged == 0) return false;
    auto const now = c.held_now();
    auto next = now;
    bool denied = false, kept = false;
    for (std::uint32_t i = 0; i < now.size(); ++i) {
        bool const table = i < HV_TABLE_COUNT;
        if ((t.judged >> i & 1) == 0 || now[i] == t.before[i]) continue;
        if (table && t.before[i] != t.pinned[i]) continue;
        auto const number = i == held_dr7 ? 7 : i % held_dr0;
        event const e{table ? event_kind::dtr : event_kind::dr,
                      HV_ACCESS_WRITE,
                      number,
                      now[i].base.raw,
                      t.before[i].base.raw,
                      t.rip,
                      c.common().shared->cpu_id};
        auto const by = c.machine().rules().decide(e);
        record_verdict(c.common(), t.reason, e, by);
        denied = denied || by.action == action::deny;
        if (by.action != action::keep) continue;
        kept = true;
        auto const bits = i == held_dr7 ? by.kept : ~std::uint64_t{0};
        next[i] = t.before[i];
        next[i].base = gva{(e.value & ~bits) | (e.old_value & bits)};
    }
    if (denied || kept) c.set_held(denied ? t.before : next);    // no instruction loads two
    return denied;
}

}    // namespace hv
