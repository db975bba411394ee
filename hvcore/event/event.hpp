// SPDX-License-Identifier: MIT
#pragma once
#include "abi/policy.h"
#include "abi/record.h"
#include <cstdint>

namespace hv {

enum class event_kind { memory, msr, cr, dtr, xcr, io, cpuid, instruction, dr, vm, guest };

/// What an exit looks like to a policy, and later to a hypapp: the object, the access, the values.
struct event {
    event_kind kind{};
    std::uint32_t access{};    // bits of enum hv_access
    // guest-physical byte, MSR index, number of the control register, enum hv_table, port,
    // leaf << 32 | sub-leaf, enum hv_instruction, number of the debug register, or user
    std::uint64_t address{};
    std::uint64_t value{};        // what was to be written
    std::uint64_t old_value{};    // I/O: bytes; guest: as of HV_RECORD_GUEST_DENIED
    std::uint64_t rip{};          // linear address of the instruction
    // the operating system's number; of a guest, the user it belongs to
    std::uint32_t cpu{};
};

/// Of enum hv_action; allow: none.
enum class action : std::uint8_t { allow, log, keep, deny, pause, kill };

struct verdict {
    hv::action action{action::allow};
    std::uint32_t rule{};    // id, 0: the built-in decision. With allow: its exception was used
    std::uint64_t kept{};    // with keep: bits of a register that do not change
};

/// The record kind that tells of `v` on an event of kind `k`.
constexpr std::uint16_t record_kind(event_kind k, action v) {
    constexpr std::uint16_t denied[] = {
        HV_RECORD_MEMORY_DENIED, HV_RECORD_MSR_DENIED,       HV_RECORD_CR_DENIED,
        HV_RECORD_DTR_DENIED,    HV_RECORD_XCR_DENIED,       HV_RECORD_IO_DENIED,
        HV_RECORD_CPUID_DENIED,  HV_RECORD_EXECUTION_DENIED, HV_RECORD_DR_DENIED,
        HV_RECORD_VM_DENIED,     HV_RECORD_GUEST_DENIED};
    auto const number = static_cast<unsigned>(k);
    if (v == action::keep && k < event_kind::dr)
        return static_cast<std::uint16_t>(HV_RECORD_MSR_KEPT + number - unsigned(event_kind::msr));
    // Behind the denial: logged, kept or paused, killed.
    unsigned const behind = v == action::log    ? 1
                            : v == action::kill ? 3
                            : v != action::deny ? 2
                                                : 0;
    return static_cast<std::uint16_t>(denied[number] + behind);
}

}    // namespace hv
