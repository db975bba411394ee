// SPDX-License-Identifier: MIT
#pragma once
#include "root/machine.hpp"

namespace hv {

/// Whether `other` must answer before a shoot-down is complete. A CPU that waits for a SIPI, or has
/// left, runs no guest; the first one synchronises when the SIPI comes.
inline bool must_answer(cpu const& other) {
    return other.state.load() == cpu_state::running && other.synchronise_requested.load() != 0;
}

/// Do what a shoot-down asks of this CPU, once its NMI has come.
template <typename Cpu> void answer_shoot_down(Cpu& c) {
    auto& me = c.common();
    if ((me.pending_work.load() & work_synchronise) == 0) return;
    me.pending_work.fetch_and(~std::uint32_t{work_synchronise});
    c.synchronise();
    me.synchronise_requested.store(0);
}

/// Take the machine's lock on the CPU `c`, which goes on answering shoot-downs while it waits.
template <typename Machine, typename Cpu> lock_guard hold_machine(Machine& m, Cpu& c) {
    return {m.lock, [&] {
                c.let_nmis_in();
                answer_shoot_down(c);
            }};
}

/// Make every CPU drop what it has cached of the second stage, the rules and the core's own
/// mappings.
/// self     the CPU that calls; the machine's lock is held.
/// Effect   complete before it returns. Does not ask Linux: an NMI takes each CPU out of its guest,
///          or meets it in root mode, where the exit path looks at its work before the next entry.
/// Errors   timeout: a CPU did not answer within 2^34 ticks; a record names it.
template <typename Machine, typename Cpu> [[nodiscard]] status shoot_down(Machine& m, Cpu& self) {
    auto& me = self.common();
    self.synchronise();
    __atomic_thread_fence(
        __ATOMIC_SEQ_CST);    // table writes before the look at the others' states
    for (std::uint32_t i = 0; i < m.cpu_count; ++i) {
        auto* other = m.cpus[i];
        if (other == nullptr || other == &me || other->state.load() != cpu_state::running) continue;
        if (other->synchronise_requested.exchange(1) == 0) m.apic.send_nmi(other->apic_id);
    }
    auto const start = insn::rdtsc();
    for (std::uint32_t i = 0; i < m.cpu_count; ++i) {
        auto* other = m.cpus[i];
        if (other == nullptr || other == &me) continue;
        while (must_answer(*other)) {
            insn::pause();
            if (insn::rdtsc() - start < 1ull << 34) continue;
            record_plain(me, HV_RECORD_SHOOTDOWN_SLOW, i);
            return error{errc::timeout};
        }
    }
    m.pool.settle();
    m.space.settle();
    return done;
}

}    // namespace hv
