// SPDX-License-Identifier: MIT
#pragma once
#include <initializer_list>

#include "abi/guest.h"

namespace fake {

/// What SDM 3A 10.1.1 "Processor State After Reset" says, for 16-bit code at 0.
inline hv_vcpu_system reset_state() {
    hv_vcpu_system s{};
    for (auto* each : {&s.es, &s.ss, &s.ds, &s.fs, &s.gs}) *each = {0, 0xffff, 0, 0x93};
    s.cs = {0, 0xffff, 0, 0x9b};
    s.ldtr = {0, 0xffff, 0, 0x82};
    s.tr = {0, 0xffff, 0, 0x8b};
    s.gdtr.limit = s.idtr.limit = 0xffff;
    s.cr0 = 0x10;
    s.xcr0 = 1;
    s.dr6 = 0xffff0ff0;
    s.dr7 = 0x400;
    s.pat = 0x0007040600070406;
    return s;
}

}    // namespace fake
