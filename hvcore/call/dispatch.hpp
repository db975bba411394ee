// SPDX-License-Identifier: MIT
#pragma once
#include "abi/call.h"
#include "call/guest_calls.hpp"
#include "root/donation.hpp"
#include "root/policy_load.hpp"
#include "vcpu/exception.hpp"

namespace hv {

/// What a hypercall comes to: the value for rax, unless the CPU left guest operation.
struct call_result {
    std::int64_t rax{};
    bool left{};
};

inline std::int64_t to_rax(status const& s) { return s ? 0 : s.error().negative(); }

/// Arguments in the order of abi/call.h, read from the registers once.
struct call_arguments {
    std::uint64_t number, handle, a, b, c, d;
};

template <typename Cpu> call_result call_unhoist(Cpu& c, gva target, hpa table) {
    auto& m = c.machine();
    // The lock keeps this from passing a POLICY_LOCK of another CPU half-way.
    auto const hold = hold_machine(m, c);
    if (m.locked.load() != 0 || m.rules().ratchets()) return {error{errc::perm}.negative(), false};
    c.end_time_slice();
    close_pages(m, c, false);
    auto const left = c.leave(target, table);
    return {to_rax(left), bool{left}};
}

template <typename Cpu> std::int64_t call_release(Cpu& c, std::uint64_t ring, std::uint64_t tail) {
    auto& m = c.machine();
    if (ring >= m.cpu_count || m.cpus[ring] == nullptr) return error{errc::invalid}.negative();
    return to_rax(m.cpus[ring]->records.release(tail));
}

template <typename Cpu> std::int64_t call_audit(Cpu& c) {
    auto& m = c.machine();
    auto const hold = hold_machine(m, c);
    auto found = m.audit();
    *reinterpret_cast<hv_audit*>(m.mailbox.raw) = found;
    return found.findings == 0 ? 0 : error{errc::io}.negative();
}

template <typename Cpu> std::int64_t call_policy(Cpu& c, call_arguments const& p) {
    auto& m = c.machine();
    std::uint32_t culprit = 0;
    auto const applied = p.number == HV_CALL_POLICY_MARK ? mark_policy(m, c, p.a, culprit)
                                                         : load_policy(m, c, p.a, p.b, culprit);
    if (!applied) *reinterpret_cast<std::uint32_t*>(m.mailbox.raw) = culprit;
    return to_rax(applied);
}

template <typename Cpu> std::int64_t call_policy_lock(Cpu& c) {
    auto& m = c.machine();
    auto const hold = hold_machine(m, c);
    if (m.locked.exchange(1) == 0) record_plain(c.common(), HV_RECORD_POLICY_LOCKED);
    return 0;
}

template <typename Cpu> std::int64_t call_dump(Cpu& c, std::uint64_t ring) {
    if (ring != c.common().number) return error{errc::invalid}.negative();
    hv_cpu_dump dump{};
    c.dump(dump);
    *reinterpret_cast<hv_cpu_dump*>(c.machine().mailbox.raw) = dump;
    return 0;
}

inline std::int64_t to_rax(result<std::uint64_t> const& r) {
    return r ? static_cast<std::int64_t>(r.value()) : r.error().negative();
}

template <typename Cpu> std::int64_t call_vm_map(Cpu& c, call_arguments const& p) {
    auto const pages = p.d & ((1ull << 56) - 1);
    auto const wanted = static_cast<std::uint32_t>(p.d >> 56);
    if (pages == 0 || pages > 512) return error{errc::invalid}.negative();
    gpa_span const at{gpa{p.b}, pages * page_bytes};
    return to_rax(map_guest(c.machine(), c, p.a, at, hpa{p.c}, rights_of(wanted)));
}

template <typename Cpu> std::int64_t call_vm_unmap(Cpu& c, call_arguments const& p) {
    if (p.c == 0 || p.c > 1ull << 36) return error{errc::invalid}.negative();
    return to_rax(unmap_guest(c.machine(), c, p.a, {gpa{p.b}, p.c * page_bytes}));
}

template <typename Cpu> std::int64_t call_vcpu_read(Cpu& c, std::uint64_t number) {
    auto const slot = c.machine().guests.take(number);
    if (!slot) return slot.error().negative();
    auto& v = *slot.value()->vcpu;
    c.read_guest(v);
    c.machine().guests.give(v);
    return 0;
}

/// The calls of abi/guest.h.
template <typename Cpu> call_result call_for_guest(Cpu& c, call_arguments const& p) {
    constexpr auto shared = frame_kind::shared_write;
    auto& m = c.machine();
    switch (p.number) {
    case HV_CALL_VM_CREATE:    return {to_rax(create_vm(m, c, p.a))};
    case HV_CALL_VM_DESTROY:   return {to_rax(destroy_vm(m, c, p.a))};
    case HV_CALL_VM_MAP:       return {call_vm_map(c, p)};
    case HV_CALL_VM_UNMAP:     return {call_vm_unmap(c, p)};
    case HV_CALL_VCPU_CREATE:  return {to_rax(create_vcpu(m, c, p.a, hpa{p.b}))};
    case HV_CALL_VCPU_DESTROY: return {to_rax(destroy_vcpu(m, c, p.a))};
    case HV_CALL_VCPU_READ:    return {call_vcpu_read(c, p.a)};
    case HV_CALL_SHARE:        return {to_rax(give_frames(m, c, gpa{p.a}, p.b, shared))};
    case HV_CALL_OFFER:        m.offered.store(p.a); return {};
    default:                   return {error{errc::no_call}.negative()};
    }
}

std::int64_t run_test_hook(std::uint64_t what, std::uint64_t ticks);    // tests/hooks

template <typename Cpu> call_result call_with_handle(Cpu& c, call_arguments const& p) {
    switch (p.number) {
    case HV_CALL_UNHOIST:         return call_unhoist(c, gva{p.a}, hpa{p.b});
    case HV_CALL_RECORDS_RELEASE: return {call_release(c, p.a, p.b)};
    case HV_CALL_AUDIT:           return {call_audit(c)};
    case HV_CALL_DONATE:
        return {to_rax(give_frames(c.machine(), c, gpa{p.a}, p.b, frame_kind::private_core))};
    case HV_CALL_RECLAIM:     return {to_rax(reclaim(c.machine(), c, gpa{p.a}))};
    case HV_CALL_POLICY_LOAD:
    case HV_CALL_POLICY_MARK: return {call_policy(c, p)};
    case HV_CALL_POLICY_LOCK: return {call_policy_lock(c)};
    case HV_CALL_DUMP:        return {call_dump(c, p.a)};
#ifdef HV_TEST_HOOKS
    case HV_CALL_TEST: return {run_test_hook(p.a, p.b)};
#endif
    default: return call_for_guest(c, p);
    }
}

/// Any hypercall but the no-op, which the exit path answers itself. Unknown numbers are told from
/// wrong handles only to the caller that has the handle.
template <typename Cpu> call_result dispatch_call(Cpu& c) {
    auto& r = c.common().gpr;
    call_arguments const p{r.rax, r.rdi, r.rsi, r.rdx, r.r10, r.r8};
    if (p.number >= HV_CALL_COUNT) return {error{errc::no_call}.negative()};
    if (p.handle != c.machine().handle) {
        event const e{.address = p.number, .rip = c.rip().raw};
        record_event(c.common(), HV_RECORD_CALL_DENIED, 0xffff, e, 0);
        return {error{errc::bad_handle}.negative()};
    }
    return call_with_handle(c, p);
}

/// The frequent call: no way through what is common to all others.
template <typename Cpu> after call_vcpu_run(Cpu& c) {
    auto& r = c.common().gpr;
    auto& guests = c.machine().guests;
    auto const slot = guests.take(r.rsi);
    if (slot && !slot.value()->owner->killed) {
        c.guest = slot.value()->vcpu;
        return after::enter_guest;
    }
    if (slot) guests.give(*slot.value()->vcpu);
    r.rax = static_cast<std::uint64_t>((slot ? error{errc::io} : slot.error()).negative());
    return after::advance;
}

/// The hypercall HV_CALL_VCPU_RUN is done as far as the root VM's registers go: now its guest is
/// entered, or the answer is an error after all.
template <typename Cpu> bool run_guest(Cpu& c) {
    auto& v = *c.guest;
    auto& answer = c.common().gpr.rax;
    answer = 0;
    auto const entered = c.enter_guest(v);
    if (entered) return true;
    c.machine().guests.give(v);
    answer = static_cast<std::uint64_t>(entered.error().negative());
    return false;
}

/// The exit on VMCALL or VMMCALL.
template <typename Cpu> after answer_call(Cpu& c) {
    auto& r = c.common().gpr;
    if (c.privilege() != 0) {
        record(c, HV_RECORD_CALL_DENIED, r.rax);
        c.inject(invalid_opcode);
        return after::resume;
    }
    if (r.rax == HV_CALL_NOP) return after::advance;    // where the fast path leaves it
    if (r.rax == HV_CALL_VCPU_RUN && r.rdi == c.machine().handle) return call_vcpu_run(c);
    auto const answer = dispatch_call(c);
    if (answer.left) return after::resume;
    r.rax = static_cast<std::uint64_t>(answer.rax);
    return after::advance;
}

/// The backend's own instructions: what a CPU raises that has not got them.
template <typename Cpu> after deny_instruction(Cpu& c) {
    record(c, HV_RECORD_INSTRUCTION_DENIED);
    c.inject(invalid_opcode);
    return after::resume;
}

/// INVD: caches of the whole machine would lose what was not written back, the core's data too.
/// Write it back.
inline after answer_invd() {
    insn::wbinvd();
    return after::advance;
}

}    // namespace hv
