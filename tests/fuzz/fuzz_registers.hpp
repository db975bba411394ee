// SPDX-License-Identifier: MIT
#pragma once
#include "fuzz_bytes.hpp"
#include "root_vm.hpp"

/// Values that exits look at: small numbers, MSRs of both kinds of ranges, or anything.
inline void fill_registers(fuzz_bytes& in, fake::root_vm& vm, std::uint32_t n) {
    auto& r = vm.gpr(n);
    for (auto* to : {&r.rax, &r.rcx, &r.rdx, &r.rbx}) {
        auto const how = in.take<std::uint8_t>();
        if (how < 128)
            *to = how;
        else if (how < 192)
            *to = in.take<std::uint64_t>();
        else
            *to = (how < 224 ? 0xc0000000 : 0) + (in.take<std::uint16_t>() & 0x11fffu);
    }
    if (r.rdi == fake::board::secret) r.rdi = 0;
}

/// Rules of each kind, so that there is something to decide.
inline void load_rules(fuzz_bytes& in, fake::root_vm& vm) {
    using namespace fake;
    auto const action = static_cast<std::uint16_t>(1 + in.take<std::uint8_t>() % 2);
    vm.load({cr_rule(1, 0, in.take<std::uint32_t>() | 1, action),
             cr_rule(2, 4, in.take<std::uint32_t>() | 1, action), msr_rule(3, 0, 0x1fff, action, 3),
             msr_rule(4, 0xc0000000, 0xc0001fff, HV_ACTION_LOG, 3),
             memory_rule(5, 0x100000, 0x1fffff, HV_ACTION_LOG, 6)});
}
