// SPDX-License-Identifier: MIT
#pragma once
#include "arch/register.hpp"
#include <cstdint>

// gate: list
namespace hv::vmx {

/// Those that this core's controls can bring about. SDM 3D C "VMX Basic Exit Reasons".
enum class exit_reason : std::uint16_t {
    exception_or_nmi = 0,
    external_interrupt = 1,
    triple_fault = 2,
    init = 3,
    sipi = 4,
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
    vmcall = 18,
    vmclear = 19,    // and seven more
    vmxon = 27,
    cr_access = 28,
    mov_dr = 29,
    io = 30,
    msr_read = 31,
    msr_write = 32,
    mwait = 36,
    monitor = 39,
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
    rdrand = 57,
    vmfunc = 59,
    rdseed = 61,
};

/// VMX's own instructions and GETSEC: #UD of a CPU that has neither.
constexpr bool is_virtualization(exit_reason why) {
    using enum exit_reason;
    return (why >= vmclear && why <= vmxon) || why == getsec || why == invept || why == invvpid ||
           why == vmfunc;
}

struct exit_information : reg<exit_information> {    // SDM 3C 25.9.1 "Basic VM-Exit Information"
    using basic = field<exit_information, 15, 0>;
    using entry_failed = bit<exit_information, 31>;
};

}    // namespace hv::vmx
