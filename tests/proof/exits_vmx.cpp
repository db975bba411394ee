// SPDX-License-Identifier: MIT
// Every exit reason that there is, with any VMCS: none that the root VM can cause ends its CPU, and
// no assertion of a handler fails.
#include "exits_model.hpp"
#include "vmx/exit.hpp"

// turns 130 in rare_exit_vmx
// turns 10 in registers_held
// instead give_up in rare_exit_vmx: it_parks
// instead reset_machine in rare_exit_vmx: it_resets
// instead hv_vmx_abandon in rare_exit_vmx: it_abandons
// instead answer_call in rare_exit_vmx: it_calls
// instead run_guest in rare_exit_vmx: it_runs
// instead on_violation in rare_exit_vmx: it_violates
// instead close_pages in rare_exit_vmx: it_closes
// instead acquire in rare_exit_vmx: it_waits
// instead rules in rare_exit_vmx registers_held: the_rules
// instead cr_mask in rare_exit_vmx: the_mask
// instead moving in rare_exit_vmx: the_mask
// instead _ZNK2hv6policy8rule_set4bits in rare_exit_vmx registers_held: the_bits
// instead hide_cpuid in rare_exit_vmx: it_hides
// instead pin_registers in rare_exit_vmx: it_notes
// instead note_registers in rare_exit_vmx: it_notes
// instead takes_back in rare_exit_vmx: it_judges
// instead _ZNK2hv3vmx3cpu8read_msr in rare_exit_vmx: it_reads
// instead append in rare_exit_vmx registers_held: it_records
// instead write_guarded in rare_exit_vmx: it_guards
// instead _ZNK2hv6policy8rule_set6decide in rare_exit_vmx registers_held: it_decides

extern "C" bool hv_vmx_exit_rare(vmx::cpu& c, bool exited);
extern vmx::cpu any_vmx_cpu;
extern vmx::root_machine any_vmx_machine;

extern "C" void rare_exit_vmx() {
    auto& c = any_vmx_cpu;
    c.owner = &any_vmx_machine;
    c.base.shared = &any_shared;
    auto const reason = HV_INPUT("exit_reason");
    prove_assume(reason <= 0xffffffff);
    prove::same = {vmx::exit_reason_field::encoding, reason};
    auto const basic = reason & 0xffff;
    bool const failed = reason >> 31 != 0;
    // A misconfiguration is the core's mistake: no entry is one (map_ept and others). So is a
    // second entry in a row that fails.
    fact.may_park = failed ? c.second_try : basic == 49;
    fact.may_abandon = failed;
    auto const event = HV_INPUT("vectoring_event") & 0xffffffff;
    prove::same_too = {vmx::vectoring_event::encoding, event};
    // A shutdown: the root VM's own, or a fault while it is told of a double fault.
    fact.may_reset = (!failed && basic == 2) ||
                     (event >> 31 != 0 && (event & 0x7ff) == (3 << 8 | 8));
    bool const guest = hv_vmx_exit_rare(c, true);
    guest ? prove_reach("a guest is entered") : prove_reach("back to the root VM");
}

/// What an instruction has loaded is judged, whatever the rules say, and no assertion fails.
extern "C" void registers_held() {
    auto& c = any_vmx_cpu;
    c.owner = &any_vmx_machine;
    c.base.shared = &any_shared;
    pin_registers(c);
    note_registers(c);
    takes_back(c) ? prove_reach("a load that is denied") : prove_reach("one that is not");
}

/// What an MSR holds is told without an assertion that fails, for every MSR.
extern "C" void msr_told_vmx() {
    auto& c = any_vmx_cpu;
    std::uint64_t value = 0;
    bool const there = c.read_msr(static_cast<std::uint32_t>(HV_INPUT("index")), value);
    there ? prove_reach("an MSR that is there") : prove_reach("one that is not");
}

#include "vmx/control_registers.cpp"
#include "vmx/cpu.cpp"
#include "vmx/events.cpp"
#include "vmx/exit.cpp"
#include "vmx/msr_access.cpp"
#include "vmx/reset.cpp"
