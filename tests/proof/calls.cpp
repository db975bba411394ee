// SPDX-License-Identifier: MIT
// The border that hypercalls cross: for every number, any arguments, on either backend.
#include "calls_model.hpp"

// instead _ZN2hv5arrayINS_14guest_registryINS_10ept_formatEE9vcpu_slotE in vcpu_taken: a_slot
// instead privilege in border_vmx border_svm: ring_of
// instead append in border_vmx border_svm: a_record
// instead record in border_vmx border_svm: a_note
// instead inject in border_vmx border_svm: a_fault
// instead call_unhoist in border_vmx border_svm: an_unhoist
// instead call_release in border_vmx border_svm: a_release
// instead call_audit in border_vmx border_svm: an_audit
// instead give_frames in border_vmx border_svm: a_gift
// instead reclaim in border_vmx border_svm: a_reclaim
// instead call_policy in border_vmx border_svm: a_policy
// instead call_policy_lock in border_vmx border_svm: a_lock
// instead call_dump in border_vmx border_svm: a_dump
// instead create_vm in border_vmx border_svm: a_vm
// instead destroy_vm in border_vmx border_svm: no_vm
// instead call_vm_map in border_vmx border_svm: a_map
// instead call_vm_unmap in border_vmx border_svm: an_unmap
// instead create_vcpu in border_vmx border_svm: a_vcpu
// instead destroy_vcpu in border_vmx border_svm: no_vcpu
// instead call_vcpu_read in border_vmx border_svm: a_vcpu_read
// instead take in border_vmx border_svm: a_take
// instead give in border_vmx border_svm: a_give

namespace {

bool same_but_rax(general_registers const& a, general_registers const& b) {
    return a.r15 == b.r15 && a.r14 == b.r14 && a.r13 == b.r13 && a.r12 == b.r12 && a.rbp == b.rbp &&
           a.r11 == b.r11 && a.r10 == b.r10 && a.r9 == b.r9 && a.r8 == b.r8 && a.rdi == b.rdi &&
           a.rsi == b.rsi && a.rbx == b.rbx && a.rdx == b.rdx && a.rcx == b.rcx;
}

/// How many of the four arguments a call has; those that need no function of the core have none.
unsigned arguments_of(std::uint64_t number) {
    switch (number) {
    case HV_CALL_VM_MAP:          return 4;
    case HV_CALL_VM_UNMAP:        return 3;
    case HV_CALL_UNHOIST:
    case HV_CALL_RECORDS_RELEASE:
    case HV_CALL_DONATE:
    case HV_CALL_POLICY_LOAD:
    case HV_CALL_VCPU_CREATE:
    case HV_CALL_SHARE:           return 2;
    case HV_CALL_RECLAIM:
    case HV_CALL_DUMP:
    case HV_CALL_POLICY_MARK:
    case HV_CALL_VM_CREATE:
    case HV_CALL_VM_DESTROY:
    case HV_CALL_VCPU_DESTROY:
    case HV_CALL_VCPU_READ:       return 1;
    default:                      return 0;
    }
}

/// A call by who may make it.
void allowed(general_registers const& before, general_registers const& now, after how) {
    bool const own = before.rax == HV_CALL_OFFER || before.rax == HV_CALL_TEST;
    if (own || before.rax >= HV_CALL_COUNT) {
        prove_check(seen.reached == 0, "a number of no call, and a function of the core");
        auto const answer = before.rax == HV_CALL_OFFER ? 0 : -38;
        prove_check(static_cast<std::int64_t>(now.rax) == answer, "-ENOSYS for what is no call");
        return;
    }
    prove_check(seen.reached == 1 && seen.number == before.rax, "another call than the number's");
    auto const n = arguments_of(before.rax);
    prove_check((n < 1 || seen.a == before.rsi) && (n < 2 || seen.b == before.rdx) &&
                    (n < 3 || seen.c == before.r10) && (n < 4 || seen.d == before.r8),
                "other arguments than the registers'");
    prove_check(how == (seen.left ? after::resume : after::advance), "the way on");
    if (!seen.left)
        prove_check(static_cast<std::int64_t>(now.rax) == seen.answer, "another answer");
    prove_reach("a call that is carried out");
}

template <typename Cpu, typename Machine> void border(Cpu& c, Machine& m) {
    c.owner = &m;
    seen.privilege = prove_any_u8() & 3;
    auto const handle = m.handle, offered = m.offered.load();
    c.base.gpr.rax = HV_INPUT("number");
    c.base.gpr.rdi = HV_INPUT("handle");
    c.base.gpr.rsi = HV_INPUT("rsi");
    c.base.gpr.rdx = HV_INPUT("rdx");
    prove_show("ring", seen.privilege);
    auto const before = c.base.gpr;
    auto const how = answer_call(c);
    auto const& now = c.base.gpr;
    prove_check(same_but_rax(before, now), "a register that a call must keep");
    prove_check(m.handle == handle, "the handle has changed");
    if (seen.privilege != 0) {
        prove_reach("a program's call");
        prove_check(seen.faults == 1 && seen.records == 1 && how == after::resume &&
                        now.rax == before.rax,
                    "what a program gets: #UD, and a record");
    }
    if (seen.privilege != 0 || before.rax == HV_CALL_NOP || before.rdi != handle)
        prove_check(seen.reached == 0 && m.offered.load() == offered,
                    "a call that is refused, and a function of the core");
    if (seen.privilege != 0) return;
    prove_check(seen.faults == 0 && how != after::park, "a fault for a call of the kernel's");
    if (before.rax == HV_CALL_NOP) {
        prove_check(now.rax == 0 && how == after::advance, "the call that does nothing");
    } else if (before.rdi != handle) {
        prove_reach("a wrong handle");
        auto const answer = before.rax < HV_CALL_COUNT ? -9 : -38;
        prove_check(static_cast<std::int64_t>(now.rax) == answer && how == after::advance,
                    "-EBADF for a wrong handle");
    } else if (before.rax != HV_CALL_VCPU_RUN) {
        allowed(before, now, how);
    }
}

using registry = vmx::root_machine::guests_type;
constinit registry of_vcpus{};
struct followed {
    std::uint64_t number;
    registry::vcpu_slot slot;
};
constinit followed it{};

}    // namespace

extern "C" void border_vmx() { border(any_vmx_cpu, any_vmx_machine); }
extern "C" void border_svm() {
    any_svm_cpu.block = &any_vmcb;
    border(any_svm_cpu, any_svm_machine);
}
/// The slot of the number that is asked for.
extern "C" registry::vcpu_slot* a_slot(void* /*self*/, std::size_t i) {
    prove_check(i == it.number % registry::vcpu_slots, "another slot than the number's");
    return &it.slot;
}
/// A vcpu runs, or is read or unmade, by its number only, and by one CPU.
extern "C" void vcpu_taken() {
    it.number = HV_INPUT("number");
    it.slot.number.store(HV_INPUT("number_in_the_slot"));
    it.slot.taken.store(prove_any_u32() & 1);
    auto const is = it.slot.number.load();
    auto const taken = it.slot.taken.load();
    auto const got = of_vcpus.take(it.number);
    prove_check(it.slot.number.load() == is, "a number that has changed");
    if (got) {
        prove_reach("a vcpu that is taken");
        prove_check(got.value() == &it.slot && is == it.number && is != 0, "another vcpu");
        prove_check(taken == 0 && it.slot.taken.load() == 1, "a vcpu taken twice");
    } else {
        prove_reach("a vcpu that is not");
        prove_check(it.slot.taken.load() == taken, "an error that takes");
        prove_check(is == 0 || is != it.number || taken == 1, "a vcpu that could be taken");
    }
}
