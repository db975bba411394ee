// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

namespace hv {

/// What the handler of an exit leaves to its caller.
enum class after : std::uint8_t {
    resume,         // enter again where the guest stood, or with what was injected
    advance,        // the instruction is done: go behind it
    enter_guest,    // the instruction is done, and a guest runs next
    park,           // the core is broken on this CPU
};

}    // namespace hv
