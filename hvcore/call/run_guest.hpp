// SPDX-License-Identifier: MIT
#pragma once
#include "guest/registry.hpp"

namespace hv {

/// The hypercall HV_CALL_VCPU_RUN is done as far as the root VM's registers go: now its guest is
/// entered, or the answer is an error after all.
template <typename Cpu> bool run_guest(Cpu& c) {
    auto& v = *c.guest;
    auto& answer = c.common().gpr.rax;
    answer = 0;
    auto const entered = c.enter_guest(v);
    if (entered) return true;
    c.machine().guests.give(v);
    answer = static_cast<std::uint64_t>(entered.error().negative());
    return false;
}

}    // namespace hv
