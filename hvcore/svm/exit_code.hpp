// SPDX-License-Identifier: MIT
#pragma once
#include "abi/record.h"
#include <cstdint>

// gate: list
namespace hv::svm {

/// Those that this core's intercepts can bring about. APM 2 C "SVM Intercept Exit Codes".
enum class exit_code : std::uint64_t {
    cr0_write = 0x10,
    cr4_write = 0x14,
    exception = 0x40,    // and 31 more
    debug_exception = 0x41,
    last_exception = 0x5f,
    nmi = 0x61,
    init = 0x63,
    iret = 0x74,
    invd = 0x76,
    invlpga = 0x7a,
    msr = 0x7c,
    shutdown = 0x7f,
    vmrun = 0x80,
    vmmcall = 0x81,
    vmload = 0x82,
    vmsave = 0x83,
    stgi = 0x84,
    clgi = 0x85,
    skinit = 0x86,
    nested_page_fault = 0x400,
    invalid = ~std::uint64_t{0},
};

/// Where an exit is counted: codes run up to 403H, counters only to HV_COUNTERS. The codes of DR
/// accesses, which nothing intercepts, make room.
constexpr unsigned counter_of(std::uint64_t code, std::uint64_t info_1) {
    if (code == static_cast<std::uint64_t>(exit_code::msr) && info_1 == 1)
        return 0x32;    // a write
    if (code < 0x20 || (code >= 0x40 && code < 0x80)) return static_cast<unsigned>(code);
    if (code >= 0x80 && code < 0x90) return static_cast<unsigned>(code - 0x60);
    if (code == static_cast<std::uint64_t>(exit_code::nested_page_fault)) return 0x30;
    return code == static_cast<std::uint64_t>(exit_code::invalid) ? 0x31 : 0x3f;
}
static_assert(counter_of(0x81, 0) == 0x21 && counter_of(0x7f, 0) < HV_COUNTERS);

}    // namespace hv::svm
