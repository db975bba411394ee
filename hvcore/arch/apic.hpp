// SPDX-License-Identifier: MIT
#pragma once
#include "arch/insn.hpp"
#include "arch/msr.hpp"

namespace hv {

/// The local APIC of the CPU that calls, for the one thing the core wants of it: an NMI to another
/// CPU.
/// Source   SDM 3A 11.6.1 "Interrupt Command Register (ICR)", 11.12.9 "ICR Operation in x2APIC
///          Mode".
class local_apic {
public:
    // where the core keeps it, see root/msr_guard.hpp
    static constexpr std::uint64_t base = 0xfee00000;
    local_apic() = default;
    constexpr explicit local_apic(hva page) : page_{page} {}

    void send_nmi(std::uint32_t apic_id) const {
        auto const mode = make<msr::apic_base>(insn::rdmsr(msr::ia32_apic_base));
        if (mode.get<msr::apic_base::x2apic>()) {
            insn::wrmsr(msr::ia32_x2apic_icr, std::uint64_t{apic_id} << 32 | nmi_to_one);
            return;
        }
        if (!mode.get<msr::apic_base::enable>()) return;
        // The root VM may have been between its two writes of the ICR: give it back its upper half.
        auto const upper = insn::read_mmio(page_ + icr_upper);
        wait();
        insn::write_mmio(page_ + icr_upper, apic_id << 24);
        insn::write_mmio(page_ + icr_lower, nmi_to_one);
        wait();
        insn::write_mmio(page_ + icr_upper, upper);
    }

private:
    // delivery mode NMI, level assert
    static constexpr std::uint32_t nmi_to_one = 4u << 8 | 1u << 14;
    static constexpr std::uint64_t icr_lower = 0x300, icr_upper = 0x310;
    static constexpr std::uint32_t pending = 1u << 12;
    void wait() const {
        for (unsigned i = 0; i < 100000; ++i) {
            if ((insn::read_mmio(page_ + icr_lower) & pending) == 0) return;
            insn::pause();
        }
    }
    hva page_{};
};

/// The APIC ID that this CPU was born with. SDM 2A "CPUID", leaf 1 EBX[31:24], leaf 0BH EDX.
inline std::uint32_t initial_apic_id() {
    if (insn::cpuid(0, 0).eax >= 0xb) {
        auto const topology = insn::cpuid(0xb, 0);
        if (topology.ebx != 0) return topology.edx;
    }
    return insn::cpuid(1, 0).ebx >> 24;
}

}    // namespace hv
