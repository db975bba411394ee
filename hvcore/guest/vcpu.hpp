// SPDX-License-Identifier: MIT
#pragma once
#include "abi/guest.h"
#include "base/address.hpp"
#include "base/array.hpp"
#include "base/atomic.hpp"
#include "base/result.hpp"
#include "guest/cpuid_list.hpp"
#include "vcpu/general_registers.hpp"

#include <initializer_list>

namespace hv {

struct cpu;

/// Values that a CPU takes, until the root VM says others.
constexpr hv_vcpu_system system_at_first() {
    hv_vcpu_system s{};
    s.xcr0 = 1;
    s.dr6 = 0xffff0ff0;
    return s;
}

/// What a VM's virtual CPU is on either backend, on a page of its own. The entry code pops and
/// pushes `gpr`, so it must be first.
struct guest_vcpu {
    general_registers gpr;       // while the core or the root VM runs
    cpu* on{};                   // the CPU that it runs on: whose stack an exit takes
    std::uint32_t launched{};    // VMX: the next entry is a VMRESUME
    std::uint32_t last_cpu{~0u};
    std::uint64_t number{};
    std::uint32_t slot{};    // in the registry
    std::uint32_t tag{};     // VPID or ASID
    hpa at{}, block_at{}, list_at{}, exchange_at{};
    hva block{};
    hpa stage_root{};
    hv_vcpu_exchange* exchange{};
    cpuid_list* list{};
    hv_event half_delivered{};    // by an exit in its midst: the next entry's
    hv_event injected{};          // at the entry that is about to happen
    std::uint32_t flags{};        // the root VM's, of this run
    bool built{};                 // the control block has its constant part
    bool nmi_masked{};            // SVM: in the NMI handler
    std::uint64_t exits{};        // answered by the core
    // The guest's own, of those that no control block holds: in the CPU while it runs.
    hv_vcpu_system outside{system_at_first()};
};
static_assert(sizeof(guest_vcpu) <= page_bytes);

inline constexpr std::uint32_t event_valid = 1u << 31;

// linux/kvm_para.h: KVM_ENOSYS; KVM_HC_VAPIC_POLL_IRQ and KVM_HC_SCHED_YIELD.
inline constexpr std::int64_t no_such_hypercall = -1000;
constexpr bool kvm_has_hypercall(std::uint64_t number) { return number == 1 || number == 11; }

/// A run ends after so many exits that the core has answered: each may keep the root VM's
/// interrupts and the slice's timer from ending it.
inline constexpr std::uint64_t exits_of_a_slice = 1024;

/// Where a run ends, for the root VM.
struct guest_exit {
    hv_guest_exit why{};
    std::uint32_t length{};
    std::uint32_t detail{};
    std::uint64_t address{};
    std::uint64_t value{};
};

/// What a handler of a guest's exit leaves to its caller.
struct next {
    bool stay{};                // in the guest
    std::uint64_t advance{};    // behind the instruction, of so many bytes where the CPU needs it
    guest_exit exit;
};
inline constexpr next again{.stay = true, .advance = 0, .exit = {}};
constexpr next behind(std::uint64_t bytes) { return {true, bytes, {}}; }
constexpr next back(guest_exit e) { return {false, 0, e}; }

/// A guest's MSR that is the root VM's to emulate.
constexpr next msr_exit(bool write, std::uint32_t length, std::uint32_t index,
                        std::uint64_t value) {
    auto const why = write ? HV_GUEST_MSR_WRITE : HV_GUEST_MSR_READ;
    return back({why, length, 0, index, write ? value : 0});
}

/// A guest's I/O instruction: `q`, as the backend tells it.
template <typename Io>
guest_exit io_exit(Io q, std::uint32_t length, std::uint64_t rax) {
    auto const bytes = Io::bytes_of(q);
    std::uint32_t detail = bytes << HV_GUEST_IO_BYTES_SHIFT;
    if (q.template get<typename Io::in>()) detail |= HV_GUEST_IO_IN;
    if (q.template get<typename Io::string>()) detail |= HV_GUEST_IO_STRING;
    if (q.template get<typename Io::repeat>()) detail |= HV_GUEST_IO_REPEAT;
    return {HV_GUEST_IO, length, detail, q.template get<typename Io::port>(),
            rax & ((1ull << 8 * bytes) - 1)};
}

// rax rcx rdx rbx rsp rbp rsi rdi r8 … r15: rsp is the control block's.
inline constexpr unsigned rsp_number = 4;

[[gnu::always_inline]] inline void take_registers(guest_vcpu& v) {
    v.gpr.each([&x = *v.exchange](unsigned n, std::uint64_t& r) { r = x.gpr[n]; });
}
[[gnu::always_inline]] inline void give_registers(guest_vcpu& v) {
    v.gpr.each([&x = *v.exchange](unsigned n, std::uint64_t r) { x.gpr[n] = r; });
}
inline void give_exit(guest_vcpu& v, guest_exit const& e) {
    auto& x = *v.exchange;
    x.exit = static_cast<std::uint32_t>(e.why);
    x.length = e.length;
    x.detail = e.detail;
    x.address = e.address;
    x.value = e.value;
    x.exits = v.exits;
    x.event = v.half_delivered;
}

/// The event of a run, as the root VM wrote it.
/// Errors   invalid: a type or vector that no CPU delivers so.
constexpr result<hv_event> sound_event(hv_event e) {
    auto const type = e.event >> 8 & 7;
    auto const vector = e.event & 0xff;
    constexpr std::uint32_t known = event_valid | 0xfff;
    if ((e.event & event_valid) == 0) return hv_event{};
    if ((e.event & ~known) != 0 || type == 1 || type > 4) return error{errc::invalid};
    if (type == 2 && vector != 2) return error{errc::invalid};
    if (type == 3 && vector > 31) return error{errc::invalid};
    if (type != 3 && (e.event & 1u << 11) != 0) return error{errc::invalid};
    return e;
}

/// The event of an entry: what an exit has cut short comes first, unless the root VM has dropped
/// it.
/// Errors   busy: there is such a one, and the root VM has another; invalid: no event at all.
constexpr result<hv_event> choose_event(guest_vcpu const& v, std::uint32_t flags,
                                        std::uint32_t state, hv_event wanted) {
    auto const cut = (state & HV_VCPU_EVENT_PENDING) != 0 ? v.half_delivered : hv_event{};
    if ((flags & HV_RUN_EVENT) == 0) return cut;
    if ((cut.event & event_valid) != 0) return error{errc::busy};
    return sound_event(wanted);
}

/// hv_vcpu_exchange.state of a vcpu whose RFLAGS.IF is `enabled`.
constexpr std::uint32_t state_of(guest_vcpu const& v, bool enabled, bool shadow, bool nmi_blocked) {
    bool const half = (v.half_delivered.event & event_valid) != 0;
    return std::uint32_t{enabled && !shadow && !half} * HV_VCPU_INTERRUPTIBLE |
           std::uint32_t{shadow} * HV_VCPU_SHADOW | std::uint32_t{half} * HV_VCPU_EVENT_PENDING |
           std::uint32_t{nmi_blocked} * HV_VCPU_NMI_BLOCKED;
}

/// The CPUID list behind the exchange area, where the root VM says that it has changed.
inline void take_list(guest_vcpu& v, std::uint32_t flags) {
    if ((flags & HV_RUN_CPUID) == 0) return;
    auto const at = reinterpret_cast<std::uint64_t>(v.exchange) + page_bytes;
    v.list->take(*reinterpret_cast<hv_vcpu_cpuid const volatile*>(at));
}

/// RFLAGS as a CPU holds it: reserved bits are what they are.
constexpr std::uint64_t sound_rflags(std::uint64_t raw) { return (raw & 0x3f7fd7) | 2; }

/// Registers that the core itself loads must be such that the CPU takes them.
/// Errors   invalid.
constexpr status sound_system(hv_vcpu_system const& s) {
    for (auto const a : {s.lstar, s.cstar, s.kernel_gs_base, s.sysenter_esp, s.sysenter_eip,
                         s.fs.base, s.gs.base, s.dr[0], s.dr[1], s.dr[2], s.dr[3]})
        if (!canonical(gva{a})) return error{errc::invalid};
    for (auto const narrow : {s.fmask, s.tsc_aux, s.dr6, s.dr7, s.cr0, s.cr4})
        if (narrow >> 32 != 0) return error{errc::invalid};
    if (s.cr8 > 15 || (s.xcr0 & 1) == 0) return error{errc::invalid};
    return done;
}

}    // namespace hv
