// SPDX-License-Identifier: MIT
#pragma once
#include "arch/insn.hpp"

namespace hv {

/// What a PC does when a CPU shuts down: the whole machine is reset.
[[noreturn]] inline void reset_machine() {
    insn::outb(0xcf9, 0x06);    // reset control register of the chipset
    insn::outb(0x64, 0xfe);     // keyboard controller
    insn::lidt({0, 0});         // and if neither is there: shut down outside the guest
    for (;;) insn::interrupt<3>();
}

}    // namespace hv
