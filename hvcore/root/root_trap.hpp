// SPDX-License-Identifier: MIT
#pragma once
// Exceptions and NMIs that meet a CPU in root mode, and the end of a CPU whose core is broken.
#include "arch/debug_port.hpp"
#include "arch/msr.hpp"
#include "arch/trap.hpp"
#include "root/cpu.hpp"
#include "vcpu/exception.hpp"

namespace hv {

struct mcg_status : reg<mcg_status> {    // SDM 3B 16.3.1.2 "IA32_MCG_STATUS MSR"
    using restart_valid = bit<mcg_status, 0>;
    using in_progress = bit<mcg_status, 2>;
};

inline bool survivable_machine_check() {
    auto const s = make<mcg_status>(insn::rdmsr(msr::ia32_mcg_status));
    return s.get<mcg_status::restart_valid>() || !s.get<mcg_status::in_progress>();
}

/// The CPU that runs this in root mode: its GS base is the core's then. Every backend's virtual CPU
/// begins with it.
inline cpu& this_cpu() { return *reinterpret_cast<cpu*>(insn::rdmsr(msr::ia32_gs_base)); }

/// Give this CPU up: it answers NMIs and does nothing else any more.
[[noreturn]] inline void park(cpu& c, char const* why) {
    print("\nhvcore: parked: ");
    print(why);
    print("\n");
    c.state.store(cpu_state::parked);
    c.shared->parked = 1;
    for (;;) insn::cli_hlt();    // an NMI wakes it, is answered by nobody, and it halts again
}

/// An NMI has arrived, in the guest or in root mode: note what it asks for. The exit path acts on
/// it.
inline void meet_nmi(cpu& c) {
    bool const ours = c.synchronise_requested.load() != 0;
    c.pending_work.fetch_or(ours ? work_synchronise : work_nmi);
}

[[noreturn]] inline void park_on_fault(cpu& c, trap_frame const& f) {
    event const e{.address = f.vector, .value = f.error, .old_value = f.rsp, .rip = f.rip};
    record_event(c, HV_RECORD_ROOT_FAULT, 0xffff, e, 0);
    print("\nhvcore: vector, error, rip, rsp: ");
    for (auto const n : {f.vector, f.error, f.rip, f.rsp}) print(n);
    park(c, "root fault");
}

/// restart(f)   called when there is work to do before the next entry, wherever the trap came.
template <typename Restart>
void on_root_trap(cpu& c, trap_frame& f, Restart const& restart) {
    if (f.vector == static_cast<std::uint64_t>(vector::nmi)) {
        if (c.state.load() == cpu_state::parked) return;
        meet_nmi(c);
        return restart(f);
    }
    if (f.vector == static_cast<std::uint64_t>(vector::machine_check) &&
        survivable_machine_check()) {
        c.pending_work.fetch_or(work_machine_check);
        return restart(f);
    }
    // An INIT that was redirected: that it came is all that there is to it.
    if (f.vector == static_cast<std::uint64_t>(vector::security)) return;
    if (auto const to = find_fixup(f.rip); to != 0) {
        f.rip = to;
        return;
    }
    park_on_fault(c, f);
}

}    // namespace hv
