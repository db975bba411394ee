// SPDX-License-Identifier: MIT
#pragma once
// LGDT and LIDT: the core decodes no operand, so it looks at what the instruction has done.
#include "policy/rule_set.hpp"
#include "root/cpu.hpp"

namespace hv {

/// Pin the tables that rules hold from now on, as this CPU has them.
template <typename Cpu> void pin_tables(Cpu& c) {
    auto& t = c.common().tables;
    auto const wanted = static_cast<std::uint32_t>(
        c.machine().rules().bits(policy::bit_group::tables));
    auto const now = c.tables();
    for (std::uint32_t i = 0; i < 2; ++i)
        if ((wanted & ~t.held & 1u << i) != 0) t.pinned[i] = now[i];
    t.held = wanted;
}

/// Judge the instruction that was let through; `reason`: of its exit. Only a change away from what
/// is pinned counts: a CPU that INIT has reset has lost its tables, and may load what it takes to
/// get there again.
/// True: #GP(0) is due. Then, and where a rule keeps them, the tables are as they were before it.
template <typename Cpu> bool takes_back_tables(Cpu& c, std::uint16_t reason) {
    auto const& t = c.common().tables;
    auto const now = c.tables();
    bool denied = false, kept = false;
    for (std::uint32_t i = 0; i < 2; ++i) {
        if (now[i] == t.before[i] || t.before[i] != t.pinned[i]) continue;
        event const e{event_kind::dtr, HV_ACCESS_WRITE,          i, now[i].base, t.before[i].base,
                      t.rip,           c.common().shared->cpu_id};
        auto const by = c.machine().rules().decide(e);
        record_verdict(c.common(), reason, e, by);
        denied = denied || by.action == action::deny;
        kept = kept || by.action == action::keep;    // no instruction loads both
    }
    if (denied || kept) c.set_tables(t.before);
    return denied;
}

}    // namespace hv
