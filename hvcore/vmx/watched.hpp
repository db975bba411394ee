// SPDX-License-Identifier: MIT
#pragma once
#include "abi/policy.h"
#include "vmx/controls.hpp"
#include "vmx/exit_reason.hpp"

// gate: list
namespace hv::vmx {

/// What makes an instruction exit: a primary or a secondary control.
struct watched_instruction {
    exit_reason reason;
    std::uint64_t primary, secondary;
};
/// In the order of enum hv_instruction. One control is for both RDTSC and RDTSCP.
inline constexpr watched_instruction watched_instructions[] = {
    {exit_reason::rdtsc, processor::rdtsc::mask, 0},
    {exit_reason::rdtscp, processor::rdtsc::mask, 0},
    {exit_reason::rdpmc, processor::rdpmc::mask, 0},
    {exit_reason::wbinvd, 0, secondary::wbinvd::mask},
    {exit_reason::invlpg, processor::invlpg::mask, 0},
    {exit_reason::monitor, processor::monitor::mask, 0},
    {exit_reason::mwait, processor::mwait::mask, 0},
    {exit_reason::rdrand, 0, secondary::rdrand::mask},
    {exit_reason::rdseed, 0, secondary::rdseed::mask},
};
static_assert(sizeof watched_instructions / sizeof(watched_instruction) == HV_INSTRUCTION_COUNT);

}    // namespace hv::vmx
