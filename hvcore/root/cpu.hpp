// SPDX-License-Identifier: MIT
#pragma once
#include "abi/call.h"
#include "abi/record.h"
#include "arch/descriptor.hpp"
#include "arch/insn.hpp"
#include "base/atomic.hpp"
#include "event/event.hpp"
#include "event/recorder.hpp"
#include "vcpu/general_registers.hpp"

namespace hv {

/// What a CPU has to do before it may enter its guest again; the exit entry tests the word.
enum work : std::uint32_t {
    work_synchronise = 1,    // a shoot-down met this CPU in root mode
    work_nmi = 2,            // an NMI for the root VM came in root mode, or is due to a record
    work_machine_check = 4,
};

enum class cpu_state : std::uint32_t {
    absent,
    running,
    waiting_for_sipi,    // INIT came; nothing but a SIPI wakes it, and that exit synchronises
    unhoisted,
    parked,
};

/// What rules may hold: GDTR, IDTR, LDTR and TR in the order of enum hv_table, then DR0 to DR3 and
/// DR7, whose value is the `base`.
inline constexpr std::uint32_t held_dr0 = HV_TABLE_COUNT, held_dr7 = held_dr0 + 4;
using held_values = array<segment, held_dr7 + 1>;

/// See root/held_registers.hpp.
struct held_registers {
    held_values before{};                       // the instruction that is judged next
    array<segment, HV_TABLE_COUNT> pinned{};    // as when their rules came into force here
    std::uint64_t rip{};                        // of that instruction
    std::uint16_t reason{};                     // of the exit that it caused
    std::uint32_t held{}, judged{};             // bits: by rules, and of that instruction
};

/// What every CPU has, whatever the backend. The exit entry pushes into `gpr`, so it must be first.
struct cpu {
    general_registers gpr;
    atomic<std::uint32_t> pending_work;             // bits of enum work
    atomic<std::uint32_t> synchronise_requested;    // by the CPU that shoots down, until done
    atomic<cpu_state> state;
    std::uint32_t number{};    // in launch order
    std::uint32_t apic_id{};
    bool nmi_waits{};         // an NMI for the root VM, until its window opens
    bool nmi_per_record{};    // HV_LAUNCH_NMI_PER_RECORD
    bool cpuid_ruled{};       // for VMX, where CPUID always exits
    hv_cpu_shared* shared{};
    recorder records;
    core_gdt gdt;
    task_state tss{};
    held_registers held{};
};

/// The record of an event; `rule`: what has decided, 0: built in.
inline void record_event(cpu& c, std::uint16_t kind, std::uint16_t reason, event const& e,
                         std::uint32_t rule) {
    bool const kept = c.records.append({0, insn::rdtsc(), 0, kind, reason, rule, e.access, e.rip,
                                        e.address, e.value, e.old_value});
    if (kept && c.nmi_per_record && HV_RECORD_HAS_PROCESS(kind)) c.pending_work.fetch_or(work_nmi);
}
/// Of something that no exit has brought about.
inline void record_plain(cpu& c, std::uint16_t kind, std::uint64_t address = 0,
                         std::uint64_t value = 0) {
    record_event(c, kind, 0xffff, {.address = address, .value = value}, 0);
}
/// If a rule logs or denies it.
inline void record_verdict(cpu& c, std::uint16_t reason, event const& e, verdict by) {
    if (by.action != action::allow)
        record_event(c, record_kind(e.kind, by.action), reason, e, by.rule);
}

/// What the rules say, with its record.
template <typename Cpu> verdict judge(Cpu& c, event e) {
    e.cpu = c.common().shared->cpu_id;
    auto const by = c.machine().rules().decide(e);
    record_verdict(c.common(), c.reason(), e, by);
    return by;
}
/// Of something that no rule has decided, on the virtual CPU `c`.
template <typename Cpu> void record(Cpu& c, std::uint16_t kind, std::uint64_t address = 0) {
    record_event(c.common(), kind, c.reason(), {.address = address, .rip = c.rip().raw}, 0);
}

/// What a PC does when a CPU shuts down: the whole machine is reset.
[[noreturn]] inline void reset_machine() {
    insn::outb(0xcf9, 0x06);    // reset control register of the chipset
    insn::outb(0x64, 0xfe);     // keyboard controller
    insn::lidt({0, 0});         // and if neither is there: shut down outside the guest
    for (;;) insn::interrupt<3>();
}

/// What a real CPU does without an exit: it stops, and the board resets.
template <typename Cpu> [[noreturn]] void shut_down(Cpu& c) {
    record(c, HV_RECORD_TRIPLE_FAULT);
    reset_machine();
}

/// What of a dump lies in no control block.
inline void begin_dump(cpu const& c, std::uint64_t rsp, hv_cpu_dump& out) {
    out.version = HV_ABI_VERSION;
    out.size = sizeof out;
    out.cpu_id = c.shared->cpu_id;
    out.launched = c.shared->launched;
    auto copy = c.gpr;
    out.gpr[4] = rsp;
    copy.each([&](unsigned n, std::uint64_t r) { out.gpr[n] = r; });
}

/// All exits that the CPU has counted, of this launch and earlier ones.
inline std::uint64_t exits_of(hv_cpu_shared const& shared) {
    std::uint64_t sum = 0;
    for (auto const n : shared.counter) sum += n;
    return sum;
}

}    // namespace hv
