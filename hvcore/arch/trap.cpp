// SPDX-License-Identifier: MIT
#include "arch/trap.hpp"

extern "C" {
extern hv::fixup const hv_fixup_begin[];
extern hv::fixup const hv_fixup_end[];
}

namespace hv {

namespace {
constexpr std::uint64_t stub_bytes = 16;    // trap.S
constexpr unsigned nmi = 2, double_fault = 8, machine_check = 18;

constexpr unsigned stack_of(unsigned vector) {
    switch (vector) {
    case nmi:           return ist_nmi;
    case double_fault:  return ist_double_fault;
    case machine_check: return ist_machine_check;
    default:            return 0;
    }
}
}    // namespace

void fill_idt(array<gate, 32>& idt, char const* stubs) {
    auto const first = reinterpret_cast<std::uint64_t>(stubs);
    for (unsigned i = 0; i < idt.size(); ++i)
        idt[i] = gate::to(hva{first + i * stub_bytes}, stack_of(i));
}

std::uint64_t find_fixup(std::uint64_t rip) {
    for (auto const* f = hv_fixup_begin; f != hv_fixup_end; ++f)
        if (f->at == rip) return f->to;
    return 0;
}

}    // namespace hv
