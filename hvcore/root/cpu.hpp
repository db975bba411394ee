// SPDX-License-Identifier: MIT
#pragma once
#include "abi/record.h"
#include "arch/descriptor.hpp"
#include "base/atomic.hpp"
#include "event/recorder.hpp"
#include "vcpu/general_registers.hpp"

namespace hv {

/// What a CPU has to do before it may enter its guest again; the exit entry tests the word.
enum work : std::uint32_t {
    work_synchronise = 1,    // a shoot-down met this CPU in root mode
    work_nmi = 2,            // an NMI for the root VM came in root mode
    work_machine_check = 4,
};

enum class cpu_state : std::uint32_t {
    absent,
    running,
    waiting_for_sipi,    // INIT came; nothing but a SIPI wakes it, and that exit synchronises
    unhoisted,
    parked,
};

/// What every CPU has, whatever the backend. The exit entry pushes into `gpr`, so it must be first.
struct cpu {
    general_registers gpr;
    atomic<std::uint32_t> pending_work;             // bits of enum work
    atomic<std::uint32_t> synchronise_requested;    // by the CPU that shoots down, until done
    atomic<cpu_state> state;
    std::uint32_t number{};    // in launch order
    std::uint32_t apic_id{};
    bool nmi_waits{};    // an NMI for the root VM, until its window opens
    hv_cpu_shared* shared{};
    recorder records;
    core_gdt gdt;
    task_state tss{};
};

/// All exits that the CPU has counted, of this launch and earlier ones.
inline std::uint64_t exits_of(hv_cpu_shared const& shared) {
    std::uint64_t sum = 0;
    for (auto const n : shared.counter) sum += n;
    return sum;
}

}    // namespace hv
