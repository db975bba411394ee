// SPDX-License-Identifier: MIT
// HV_CALL_TEST of the core that is built for tests: make something bad happen in root mode, to show
// that the core lives through it.
#include "abi/call.h"
#include "arch/insn.hpp"
#include "base/result.hpp"
#include "call/dispatch.hpp"

namespace hv {

std::int64_t run_test_hook(std::uint64_t what, std::uint64_t ticks) {
    switch (what) {
    case HV_TEST_GENERAL_PROTECTION:
        return insn::xsetbv_safe(0, 0) ? 0 : error{errc::io}.negative();    // without x87
    case HV_TEST_MACHINE_CHECK: insn::interrupt<18>(); return 0;
    case HV_TEST_NMI:           insn::interrupt<2>(); return 0;
    case HV_TEST_SPIN:
        for (auto const start = insn::rdtsc(); insn::rdtsc() - start < ticks;) insn::pause();
        return 0;
    case HV_TEST_DOUBLE_FAULT: insn::interrupt<8>(); return 0;
    default:                   return error{errc::invalid}.negative();
    }
}

}    // namespace hv
