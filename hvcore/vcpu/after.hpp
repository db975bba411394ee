// SPDX-License-Identifier: MIT
#pragma once
#include "vcpu/exception.hpp"

namespace hv {

/// What the handler of an exit leaves to its caller.
enum class after : std::uint8_t {
    resume,         // enter again where the guest stood, or with what was injected
    advance,        // the instruction is done: go behind it
    enter_guest,    // the instruction is done, and a guest runs next
    park,           // the core is broken on this CPU
};

/// An instruction that the core has done in the CPU's place, or that the CPU does not take: #GP(0).
template <typename Cpu> after advance_or_fault(Cpu& c, bool taken) {
    if (taken) return after::advance;
    c.inject(general_protection);
    return after::resume;
}

}    // namespace hv
