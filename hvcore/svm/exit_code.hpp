// SPDX-License-Identifier: MIT
#pragma once
#include "abi/policy.h"
#include "abi/record.h"
#include <cstdint>

// gate: list
namespace hv::svm {

/// Those that this core's intercepts can bring about. APM 2 C "SVM Intercept Exit Codes".
enum class exit_code : std::uint64_t {
    cr8_read = 0x08,
    cr0_write = 0x10,
    cr4_write = 0x14,
    cr8_write = 0x18,
    dr0_write = 0x30,    // and 15 more
    last_dr_write = 0x3f,
    exception = 0x40,    // and 31 more
    debug_exception = 0x41,
    undefined = 0x46,
    last_exception = 0x5f,
    alignment_check = 0x51,
    machine_check = 0x52,
    external_interrupt = 0x60,
    nmi = 0x61,
    init = 0x63,
    virtual_interrupt = 0x64,
    idtr_write = 0x6a,
    gdtr_write = 0x6b,
    ldtr_write = 0x6c,
    tr_write = 0x6d,
    rdtsc = 0x6e,
    rdpmc = 0x6f,
    cpuid = 0x72,
    iret = 0x74,
    invd = 0x76,
    hlt = 0x78,
    invlpg = 0x79,
    invlpga = 0x7a,
    io = 0x7b,
    msr = 0x7c,
    task_switch = 0x7d,
    shutdown = 0x7f,
    vmrun = 0x80,
    vmmcall = 0x81,
    skinit = 0x86,    // and the four between them
    rdtscp = 0x87,
    wbinvd = 0x89,
    monitor = 0x8a,
    mwait = 0x8b,
    armed_mwait = 0x8c,
    xsetbv = 0x8d,
    nested_page_fault = 0x400,
    invalid = ~std::uint64_t{0},
};

/// In the order of enum hv_instruction, as far as SVM can watch them.
inline constexpr exit_code watched_instructions[] = {
    exit_code::rdtsc,  exit_code::rdtscp,  exit_code::rdpmc, exit_code::wbinvd,
    exit_code::invlpg, exit_code::monitor, exit_code::mwait};
static_assert(sizeof watched_instructions / sizeof(exit_code) == HV_INSTRUCTION_RDRAND);

/// What the VMCB says; QEMU writes "invalid" with 32 bits only.
constexpr exit_code code_of(std::uint64_t raw) {
    return static_cast<exit_code>(std::int64_t{static_cast<std::int32_t>(raw)});
}

/// SVM's own instructions but VMMCALL: #UD of a CPU that has not got them.
constexpr bool is_virtualization(exit_code why) {
    using enum exit_code;
    return why == vmrun || (why > vmmcall && why <= skinit) || why == invlpga;
}

/// Where an exit is counted: codes run up to 403H, counters only to HV_COUNTERS. The codes of DR
/// accesses make room: writes are counted with what is left over.
constexpr unsigned counter_of(std::uint64_t code, std::uint64_t info_1) {
    if (code == static_cast<std::uint64_t>(exit_code::msr) && info_1 == 1)
        return 0x32;    // a write
    if (code < 0x20 || (code >= 0x40 && code < 0x80)) return static_cast<unsigned>(code);
    if (code >= 0x80 && code < 0x90) return static_cast<unsigned>(code - 0x60);
    if (code == static_cast<std::uint64_t>(exit_code::nested_page_fault)) return 0x30;
    return code_of(code) == exit_code::invalid ? 0x31 : 0x3f;
}

}    // namespace hv::svm
