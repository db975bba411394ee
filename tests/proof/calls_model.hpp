// SPDX-License-Identifier: MIT
#pragma once
// A hypercall at the border: which function of the core it reaches, and with what. Those functions
// are answered here, with anything.
#include "call/dispatch.hpp"
#include "prove.hpp"
#include "svm/exit.hpp"
#include "vmx/exit.hpp"

using namespace hv;
// What the CPU, its control block and the machine hold: anything.
extern vmx::cpu any_vmx_cpu;
extern vmx::root_machine any_vmx_machine;
extern svm::cpu any_svm_cpu;
extern svm::root_machine any_svm_machine;
extern svm::vmcb any_vmcb;

/// What happened on the way.
struct happened {
    std::uint32_t reached;    // functions of the core
    std::uint64_t number;     // the last one's
    std::uint64_t a, b, c, d;
    std::int64_t answer;
    bool left;
    std::uint32_t records, faults;
    std::uint32_t privilege;
    std::uint64_t taken;    // vcpu
};
inline constinit happened seen{};

inline void reach(std::uint64_t number, std::uint64_t a = 0, std::uint64_t b = 0,
                  std::uint64_t c = 0, std::uint64_t d = 0) {
    ++seen.reached;
    seen.number = number;
    seen.a = a;
    seen.b = b;
    seen.c = c;
    seen.d = d;
}
/// 0, or one of the errors of abi/call.h.
inline status a_status() {
    auto const code = prove_any_u32();
    prove_assume(code < 128);
    seen.answer = -std::int64_t{code};
    if (code == 0) return done;
    return error{static_cast<errc>(code), 0};
}
inline std::int64_t a_value() {
    auto const s = a_status();
    if (!s) return seen.answer;
    seen.answer = static_cast<std::int64_t>(prove_any_u64() >> 1);
    return seen.answer;
}
inline result<std::uint64_t> a_number() {
    auto const s = a_status();
    if (!s) return s.error();
    seen.answer = static_cast<std::int64_t>(prove_any_u64() >> 1);
    return static_cast<std::uint64_t>(seen.answer);
}

extern "C" {
unsigned ring_of(void const* /*cpu*/) { return seen.privilege; }
bool a_record(void* /*recorder*/, hv_record const& /*r*/) {
    ++seen.records;
    return prove_any_bool();    // the ring may be full
}
void a_note(void* /*cpu*/, std::uint16_t /*kind*/, std::uint64_t /*address*/) { ++seen.records; }
void a_fault(void* /*cpu*/, exception x) {
    ++seen.faults;
    prove_check(x == invalid_opcode, "what an instruction raises that a CPU has not got");
}
call_result an_unhoist(void* /*cpu*/, gva target, hpa table) {
    reach(HV_CALL_UNHOIST, target.raw, table.raw);
    auto const s = a_status();
    seen.left = s && prove_any_bool();
    return {to_rax(s), seen.left};
}
std::int64_t a_release(void* /*cpu*/, std::uint64_t ring, std::uint64_t tail) {
    reach(HV_CALL_RECORDS_RELEASE, ring, tail);
    return a_value();
}
std::int64_t an_audit(void* /*cpu*/) {
    reach(HV_CALL_AUDIT);
    return a_value();
}
status a_gift(void* /*machine*/, void* /*cpu*/, gpa first, std::uint64_t pages, frame_kind kind) {
    reach(kind == frame_kind::shared_write ? HV_CALL_SHARE : HV_CALL_DONATE, first.raw, pages);
    return a_status();
}
status a_reclaim(void* /*machine*/, void* /*cpu*/, gpa first) {
    reach(HV_CALL_RECLAIM, first.raw);
    return a_status();
}
std::int64_t a_policy(void* /*cpu*/, call_arguments const& p) {
    reach(p.number == HV_CALL_POLICY_MARK ? HV_CALL_POLICY_MARK : HV_CALL_POLICY_LOAD, p.a, p.b);
    return a_value();
}
std::int64_t a_lock(void* /*cpu*/) {
    reach(HV_CALL_POLICY_LOCK);
    return a_value();
}
std::int64_t a_dump(void* /*cpu*/, std::uint64_t ring) {
    reach(HV_CALL_DUMP, ring);
    return a_value();
}
result<std::uint64_t> a_vm(void* /*machine*/, void* /*cpu*/, std::uint64_t user) {
    reach(HV_CALL_VM_CREATE, user);
    return a_number();
}
status no_vm(void* /*machine*/, void* /*cpu*/, std::uint64_t number) {
    reach(HV_CALL_VM_DESTROY, number);
    return a_status();
}
std::int64_t a_map(void* /*cpu*/, call_arguments const& p) {
    reach(HV_CALL_VM_MAP, p.a, p.b, p.c, p.d);
    return a_value();
}
std::int64_t an_unmap(void* /*cpu*/, call_arguments const& p) {
    reach(HV_CALL_VM_UNMAP, p.a, p.b, p.c);
    return a_value();
}
result<std::uint64_t> a_vcpu(void* /*machine*/, void* /*cpu*/, std::uint64_t of, hpa at) {
    reach(HV_CALL_VCPU_CREATE, of, at.raw);
    return a_number();
}
status no_vcpu(void* /*machine*/, void* /*cpu*/, std::uint64_t number) {
    reach(HV_CALL_VCPU_DESTROY, number);
    return a_status();
}
std::int64_t a_vcpu_read(void* /*cpu*/, std::uint64_t number) {
    reach(HV_CALL_VCPU_READ, number);
    return a_value();
}
/// vcpu_taken proves what this is for. A rule may have ended its VM.
extern vmx::root_machine::guests_type::vm any_vm;
result<vmx::root_machine::guests_type::vcpu_slot*> a_take(void* /*registry*/,
                                                          std::uint64_t number) {
    static constinit vmx::root_machine::guests_type::vcpu_slot slot{};
    static constinit guest_vcpu vcpu{};
    slot.owner = &any_vm;
    slot.vcpu = &vcpu;
    prove_check(seen.privilege == 0, "a program that takes a vcpu");
    seen.taken = number;
    if (!a_status()) return error{errc::busy, 0};
    return &slot;
}
void a_give(void* /*registry*/, void const* /*vcpu*/) {
    prove_check(any_vm.killed, "a vcpu that is not entered, for no reason");
}
}
