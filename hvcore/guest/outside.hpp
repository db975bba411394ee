// SPDX-License-Identifier: MIT
#pragma once
#include "arch/insn.hpp"
#include "arch/msr.hpp"
#include "arch/register.hpp"
#include "guest/vcpu.hpp"

namespace hv {

/// CPUID bits that say which of them are there.
struct outside_features {
    bool xsave{};
    bool tsc_aux{};    // RDTSCP, and with it the MSR. SDM 2A "CPUID", leaf 80000001H
    static outside_features of_this_cpu() {
        using c1 = cpuid::leaf_1_ecx;
        return {make<c1>(insn::cpuid(1, 0).ecx).get<c1::xsave>(),
                (insn::cpuid(0x80000001, 0).edx >> 27 & 1) != 0};
    }
};

/// Registers that the CPU holds while a VM runs, and its control block does not switch: those that
/// are in it go to `keep`, `load`'s come. All were the CPU's or are sound_system(), so it takes
/// them.
inline void exchange_outside(hv_vcpu_system& keep, hv_vcpu_system const& load,
                             outside_features has) {
    if (has.xsave) keep.xcr0 = insn::xgetbv();
    if (has.xsave && load.xcr0 != keep.xcr0) HV_ASSERT(insn::xsetbv_safe(0, load.xcr0));
    if (has.tsc_aux) {
        keep.tsc_aux = insn::rdmsr(msr::ia32_tsc_aux);
        insn::wrmsr(msr::ia32_tsc_aux, load.tsc_aux);
    }
    read_breakpoints(keep.dr);
    keep.dr6 = insn::read_dr6();
    write_breakpoints(load.dr);
    insn::write_dr6(load.dr6);
}

/// The MSRs of system calls, and CR2, which only VMX leaves in the CPU.
inline void exchange_call_msrs(hv_vcpu_system& keep, hv_vcpu_system const& load) {
    keep.star = insn::rdmsr(msr::ia32_star);
    keep.lstar = insn::rdmsr(msr::ia32_lstar);
    keep.cstar = insn::rdmsr(msr::ia32_cstar);
    keep.fmask = insn::rdmsr(msr::ia32_fmask);
    keep.kernel_gs_base = insn::rdmsr(msr::ia32_kernel_gs_base);
    keep.cr2 = insn::read_cr2();
    insn::wrmsr(msr::ia32_star, load.star);
    insn::wrmsr(msr::ia32_lstar, load.lstar);
    insn::wrmsr(msr::ia32_cstar, load.cstar);
    insn::wrmsr(msr::ia32_fmask, load.fmask);
    insn::wrmsr(msr::ia32_kernel_gs_base, load.kernel_gs_base);
    insn::write_cr2(load.cr2);
}

/// XCR0 for a guest: at most the states that the root VM has on, or nobody would keep them.
inline bool xcr0_is_possible(std::uint64_t value, std::uint64_t of_root) {
    return valid_xcr0(make<xcr0>(value), make<xcr0>(of_root));
}

}    // namespace hv
