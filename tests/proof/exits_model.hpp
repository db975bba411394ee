// SPDX-License-Identifier: MIT
#pragma once
// What an exit may come to: the ways out of the dispatcher that end a CPU or the machine, and
// functions that have harnesses of their own, answered with anything.
#include "call/dispatch.hpp"
#include "prove.hpp"
#include "root/msr_event.hpp"
#include "root/root_trap.hpp"

using namespace hv;
extern hv_cpu_shared any_shared;

/// What the harness knows of the exit.
struct exit_facts {
    bool may_park, may_reset, may_abandon;
};
inline constinit exit_facts fact{};

inline after any_after() {
    auto const how = static_cast<after>(prove_any_u8());
    prove_assume(how <= after::enter_guest);    // border_vmx and border_svm
    return how;
}

extern policy::rule_set any_rules;
extern "C" {
policy::rule_set* the_rules(void* /*machine*/) { return &any_rules; }
std::uint64_t the_mask(void const* /*rules*/, unsigned /*number*/) { return prove_any_u64(); }
std::uint64_t the_bits(void const* /*rules*/, policy::bit_group /*of*/) { return prove_any_u64(); }
void it_hides(void* /*cpu*/, std::uint32_t /*leaf*/, std::uint32_t /*subleaf*/,
              cpuid_leaf& /*answer*/) {}
/// Registers that an instruction loads: registers_held.
void it_notes(void* /*cpu*/) {}
/// msr_told_vmx proves what this is for.
bool it_reads(void const* /*cpu*/, std::uint32_t /*index*/, std::uint64_t& value) {
    value = prove_any_u64();
    return prove_any_bool();
}
bool it_judges(void* /*cpu*/) { return prove_any_bool(); }
void it_parks(void* /*cpu*/, char const* /*why*/) {
    prove_reach("the core is broken");
    prove_check(fact.may_park, "an exit that a guest can cause, and the core is broken");
    prove_assume(false);
}
void it_resets() {
    prove_check(fact.may_reset, "the machine is reset for something other than a shutdown");
    prove_assume(false);
}
void it_abandons(void* /*cpu*/) {
    prove_check(fact.may_abandon, "a launch that is given up after it has succeeded");
    prove_assume(false);
}
after it_calls(void* /*cpu*/) { return any_after(); }
bool it_runs(void* /*cpu*/) { return prove_any_bool(); }
outcome it_violates(void* /*machine*/, void* /*cpu*/, violation const& /*v*/) {
    return prove_any_bool() ? outcome::retry : outcome::fault;
}
void it_closes(void* /*machine*/, void* /*cpu*/, bool /*all*/) {}
void it_waits(void* /*lock*/, void* /*meanwhile*/) {}
/// False: the ring is full.
bool it_records(void* /*recorder*/, hv_record const& /*r*/) { return prove_any_bool(); }
guarded it_guards(void* /*machine*/, void* /*cpu*/, std::uint32_t /*index*/,
                  std::uint64_t /*value*/) {
    return prove_any_bool() ? guarded::write : guarded::fault;
}
verdict it_decides(void const* /*rules*/, event const& /*e*/) {
    auto const what = static_cast<action>(prove_any_u8());
    prove_assume(what <= action::deny);
    return {what, prove_any_u32()};
}
}
