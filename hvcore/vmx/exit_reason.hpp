// SPDX-License-Identifier: MIT
#pragma once
#include "arch/register.hpp"
#include <cstdint>

// gate: list
namespace hv::vmx {

enum class exit_reason : std::uint16_t {    // SDM 3D C "VMX Basic Exit Reasons"
    exception_or_nmi = 0,
    external_interrupt = 1,
    triple_fault = 2,
    init = 3,
    sipi = 4,
    io_smi = 5,
    other_smi = 6,
    interrupt_window = 7,
    nmi_window = 8,
    task_switch = 9,
    cpuid = 10,
    getsec = 11,
    hlt = 12,
    invd = 13,
    invlpg = 14,
    rdpmc = 15,
    rdtsc = 16,
    rsm = 17,
    vmcall = 18,
    vmclear = 19,
    vmlaunch = 20,
    vmptrld = 21,
    vmptrst = 22,
    vmread = 23,
    vmresume = 24,
    vmwrite = 25,
    vmxoff = 26,
    vmxon = 27,
    cr_access = 28,
    dr_access = 29,
    io = 30,
    msr_read = 31,
    msr_write = 32,
    entry_failed_guest_state = 33,
    entry_failed_msr_load = 34,
    mwait = 36,
    monitor_trap_flag = 37,
    monitor = 39,
    pause = 40,
    entry_failed_machine_check = 41,
    tpr_below_threshold = 43,
    apic_access = 44,
    virtualized_eoi = 45,
    gdtr_idtr_access = 46,
    ldtr_tr_access = 47,
    ept_violation = 48,
    ept_misconfiguration = 49,
    invept = 50,
    rdtscp = 51,
    preemption_timer = 52,
    invvpid = 53,
    wbinvd = 54,
    xsetbv = 55,
    apic_write = 56,
    rdrand = 57,
    invpcid = 58,
    vmfunc = 59,
    encls = 60,
    rdseed = 61,
    page_modification_log_full = 62,
    xsaves = 63,
    xrstors = 64,
};

struct exit_information : reg<exit_information> {    // SDM 3C 25.9.1 "Basic VM-Exit Information"
    using basic = field<exit_information, 15, 0>;
    using entry_failed = bit<exit_information, 31>;
};
static_assert(exit_information::basic::get(make<exit_information>(0x80000021)) == 33);

}    // namespace hv::vmx
