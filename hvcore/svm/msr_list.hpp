// SPDX-License-Identifier: MIT
#pragma once
#include "arch/msr.hpp"
#include "vcpu/msr_table.hpp"

// gate: list
namespace hv::svm {

// Reads are harmless but for SVM's own MSRs. Writes are denied unless an entry of this table allows
// them: top of memory, IORRs, the base of configuration space and others of AMD's range decide what
// a physical address leads to. Sorted; what is not named is {pass, deny}. Sources: APM 2 A "MSR
// Cross-Reference"; the writes are those of Linux 6.1 on AMD CPUs.
inline constexpr msr_range msr_table[] = {
    {msr::ia32_tsc, msr::ia32_tsc, msr_decision::pass, msr_decision::pass},
    {msr::ia32_apic_base, msr::ia32_apic_base, msr_decision::pass, msr_decision::guard},
    {msr::ia32_tsc_adjust, msr::ia32_tsc_adjust, msr_decision::pass, msr_decision::pass},
    {msr::ia32_spec_ctrl, msr::ia32_pred_cmd, msr_decision::pass, msr_decision::pass},
    {msr::ia32_mperf, msr::ia32_aperf, msr_decision::pass, msr_decision::pass},
    {msr::ia32_flush_cmd, msr::ia32_flush_cmd, msr_decision::pass, msr_decision::pass},
    {msr::ia32_sysenter_cs, msr::ia32_sysenter_eip, msr_decision::pass, msr_decision::pass},
    {msr::ia32_mcg_cap, 0x17b, msr_decision::pass, msr_decision::pass},    // MCG_STATUS, MCG_CTL
    {msr::ia32_debugctl, msr::ia32_debugctl, msr_decision::pass, msr_decision::pass},
    {msr::ia32_mtrr_physbase0, 0x23f, msr_decision::pass, msr_decision::guard},
    {0x250, 0x26f, msr_decision::pass, msr_decision::guard},                   // fixed-range MTRRs
    {msr::ia32_pat, msr::ia32_pat, msr_decision::pass, msr_decision::pass},    // the guest's own
    {msr::ia32_mtrr_def_type, msr::ia32_mtrr_def_type, msr_decision::pass, msr_decision::guard},
    {msr::ia32_mc0_ctl, 0x47f, msr_decision::pass, msr_decision::pass},
    {0x6a0, 0x6a8, msr_decision::pass, msr_decision::pass},    // control-flow enforcement
    {msr::ia32_tsc_deadline, msr::ia32_tsc_deadline, msr_decision::pass, msr_decision::pass},
    {msr::ia32_x2apic_first, msr::ia32_x2apic_last, msr_decision::pass, msr_decision::pass},
    {msr::ia32_xss, msr::ia32_xss, msr_decision::pass, msr_decision::guard},
    {msr::ia32_efer, msr::ia32_efer, msr_decision::pass, msr_decision::guard},
    {msr::ia32_star, msr::ia32_fmask, msr_decision::pass, msr_decision::pass},
    {msr::ia32_fs_base, msr::ia32_tsc_aux, msr_decision::pass, msr_decision::pass},
    {0xc0000108, 0xc0000108, msr_decision::pass, msr_decision::pass},            // prefetchers
    {0xc0000300, 0xc0000303, msr_decision::pass, msr_decision::pass},            // all counters
    {0xc0000410, 0xc0000410, msr_decision::pass, msr_decision::pass},            // MCA interrupts
    {0xc0002000, 0xc0002fff, msr_decision::pass, msr_decision::pass},            // MCA banks
    {msr::perf_evt_sel0, 0xc0010007, msr_decision::pass, msr_decision::pass},    // and counters
    {msr::patch_loader, msr::patch_loader, msr_decision::pass, msr_decision::ignore},
    {msr::pstate_control, msr::pstate_control, msr_decision::pass, msr_decision::pass},
    {msr::vm_cr, msr::vm_cr, msr_decision::guard, msr_decision::deny},
    // Linux writes 0 there when it stops its CPUs, and cannot live with a fault.
    {msr::vm_hsave_pa, msr::vm_hsave_pa, msr_decision::ignore, msr_decision::ignore},
    {0xc001011f, 0xc001011f, msr_decision::pass,
     msr_decision::pass},    // speculation, as SPEC_CTRL
    {0xc0010200, 0xc001020b, msr_decision::pass, msr_decision::pass},    // six counters
    {0xc0010230, 0xc001023b, msr_decision::pass, msr_decision::pass},    // of the L3 cache
    {0xc00102b1, 0xc00102b4, msr_decision::pass, msr_decision::pass},    // P-states by CPPC
    {0xc0011019, 0xc001101b, msr_decision::pass, msr_decision::pass},    // masks of DR1 to DR3
    {0xc0011027, 0xc0011027, msr_decision::pass, msr_decision::pass},    // and DR0
};
static_assert(msr_list_is_sorted(msr_table), "decide_msr and the map rely on it");

}    // namespace hv::svm
