// SPDX-License-Identifier: MIT
#pragma once
#include "arch/insn.hpp"
#include "arch/msr.hpp"
#include "arch/register.hpp"
#include "guest/vcpu.hpp"
#include "vcpu/xcr0.hpp"

namespace hv {

/// Registers of the root VM that the CPU holds while it runs, put aside while a guest does. What
/// the guest's control block does not switch; all values were the CPU's, so it takes them again.
struct outside_registers {
    std::uint64_t xcr0{}, tsc_aux{};
    std::uint64_t dr[4]{}, dr6{};
    std::uint64_t star{}, lstar{}, cstar{}, fmask{}, kernel_gs_base{};
};

/// CPUID bits that say which of them are there.
struct outside_features {
    bool xsave{};
    bool tsc_aux{};
};

/// RDTSCP, and with it the MSR. SDM 2A "CPUID", leaf 80000001H.
inline bool has_tsc_aux() { return (insn::cpuid(0x80000001, 0).edx >> 27 & 1) != 0; }

inline void read_debug_registers(std::uint64_t (&dr)[4], std::uint64_t& dr6) {
    dr[0] = insn::read_dr0();
    dr[1] = insn::read_dr1();
    dr[2] = insn::read_dr2();
    dr[3] = insn::read_dr3();
    dr6 = insn::read_dr6();
}
inline void write_debug_registers(std::uint64_t const (&dr)[4], std::uint64_t dr6) {
    insn::write_dr0(dr[0]);
    insn::write_dr1(dr[1]);
    insn::write_dr2(dr[2]);
    insn::write_dr3(dr[3]);
    insn::write_dr6(dr6);
}

/// The ones that both backends have to switch. The guest's are loaded, the root VM's kept.
inline void enter_outside(outside_registers& root, guest_vcpu const& v, outside_features has) {
    if (has.xsave) root.xcr0 = insn::xgetbv();
    if (has.xsave && v.xcr0 != root.xcr0) HV_ASSERT(insn::xsetbv_safe(0, v.xcr0));
    if (has.tsc_aux) {
        root.tsc_aux = insn::rdmsr(msr::ia32_tsc_aux);
        insn::wrmsr(msr::ia32_tsc_aux, v.tsc_aux);
    }
    read_debug_registers(root.dr, root.dr6);
    write_debug_registers(v.dr, v.dr6);
}
inline void leave_outside(outside_registers const& root, guest_vcpu& v, outside_features has) {
    read_debug_registers(v.dr, v.dr6);
    write_debug_registers(root.dr, root.dr6);
    if (has.tsc_aux) {
        v.tsc_aux = insn::rdmsr(msr::ia32_tsc_aux);
        insn::wrmsr(msr::ia32_tsc_aux, root.tsc_aux);
    }
    if (has.xsave && v.xcr0 != root.xcr0) HV_ASSERT(insn::xsetbv_safe(0, root.xcr0));
}

/// The MSRs of system calls, which only VMX leaves in the CPU.
inline void exchange_call_msrs(outside_registers& keep, std::uint64_t star, std::uint64_t lstar,
                               std::uint64_t cstar, std::uint64_t fmask, std::uint64_t gs) {
    keep.star = insn::rdmsr(msr::ia32_star);
    keep.lstar = insn::rdmsr(msr::ia32_lstar);
    keep.cstar = insn::rdmsr(msr::ia32_cstar);
    keep.fmask = insn::rdmsr(msr::ia32_fmask);
    keep.kernel_gs_base = insn::rdmsr(msr::ia32_kernel_gs_base);
    insn::wrmsr(msr::ia32_star, star);
    insn::wrmsr(msr::ia32_lstar, lstar);
    insn::wrmsr(msr::ia32_cstar, cstar);
    insn::wrmsr(msr::ia32_fmask, fmask);
    insn::wrmsr(msr::ia32_kernel_gs_base, gs);
}

/// XCR0 for a guest: at most the states that the root VM has on, or nobody would keep them.
inline bool xcr0_is_possible(std::uint64_t value, std::uint64_t of_root) {
    return valid_xcr0(make<xcr0>(value), make<xcr0>(of_root));
}

}    // namespace hv
