// SPDX-License-Identifier: MIT
#pragma once
#include "arch/msr.hpp"
#include "vcpu/msr_table.hpp"

// gate: list
namespace hv::vmx {

// Reads are harmless but for VMX's own MSRs. Writes are denied unless an entry of this table allows
// them: an MSR that holds a physical address, or one that a CPU of the future adds, is not a way
// around the second stage. Sorted; what is not named is {pass, deny}. Sources: SDM 4 2.1
// "Architectural MSRs" and 2.17 "MSRs in the … Processors"; the writes are those of Linux 6.1 on
// Intel CPUs.
inline constexpr msr_range msr_table[] = {
    {msr::ia32_tsc, msr::ia32_tsc, msr_decision::pass, msr_decision::pass},
    {msr::ia32_apic_base, msr::ia32_apic_base, msr_decision::pass, msr_decision::guard},
    {0x34, 0x34, msr_decision::pass, msr_decision::deny},    // SMI count
    {msr::ia32_feature_control, msr::ia32_feature_control, msr_decision::guard, msr_decision::deny},
    {msr::ia32_tsc_adjust, msr::ia32_tsc_adjust, msr_decision::pass, msr_decision::pass},
    {msr::ia32_spec_ctrl, msr::ia32_pred_cmd, msr_decision::pass, msr_decision::pass},
    {msr::ia32_bios_updt_trig, msr::ia32_bios_updt_trig, msr_decision::pass, msr_decision::ignore},
    {msr::ia32_bios_sign_id, msr::ia32_bios_sign_id, msr_decision::pass, msr_decision::pass},
    {msr::ia32_pmc0, msr::ia32_pmc0 + 7, msr_decision::pass, msr_decision::pass},
    {0xe2, 0xe2, msr_decision::pass, msr_decision::pass},    // package C-state control
    {msr::ia32_mperf, msr::ia32_aperf, msr_decision::pass, msr_decision::pass},
    {msr::ia32_flush_cmd, msr::ia32_flush_cmd, msr_decision::pass, msr_decision::pass},
    {msr::ia32_tsx_ctrl, 0x123, msr_decision::pass, msr_decision::pass},    // and MCU_OPT_CTRL
    {msr::ia32_sysenter_cs, msr::ia32_sysenter_eip, msr_decision::pass, msr_decision::pass},
    {msr::ia32_mcg_cap, 0x17b, msr_decision::pass, msr_decision::pass},    // MCG_STATUS, MCG_CTL
    {msr::ia32_perfevtsel0, msr::ia32_perfevtsel0 + 7, msr_decision::pass, msr_decision::pass},
    {0x198, 0x19c, msr_decision::pass,
     msr_decision::pass},    // frequency, clock modulation, thermal
    {msr::ia32_misc_enable, msr::ia32_misc_enable, msr_decision::pass, msr_decision::guard},
    {0x1a2, 0x1a2, msr_decision::pass, msr_decision::pass},    // temperature target
    {0x1a4, 0x1a4, msr_decision::pass, msr_decision::pass},    // prefetchers
    {0x1a6, 0x1a7, msr_decision::pass, msr_decision::pass},    // off-core response events
    {0x1ad, 0x1ad, msr_decision::pass, msr_decision::pass},    // turbo ratio limit
    {0x1b0, 0x1b2, msr_decision::pass, msr_decision::pass},    // energy bias, package thermal
    {0x1c4, 0x1c5, msr_decision::pass, msr_decision::pass},    // XFD, XFD_ERR
    {0x1c8, 0x1c9, msr_decision::pass, msr_decision::pass},    // LBR selection and top of stack
    {msr::ia32_debugctl, msr::ia32_debugctl, msr_decision::pass, msr_decision::pass},
    {0x1fc, 0x1fc, msr_decision::pass, msr_decision::pass},    // power control
    {msr::ia32_mtrr_physbase0, 0x23f, msr_decision::pass, msr_decision::guard},
    {0x250, 0x26f, msr_decision::pass, msr_decision::guard},    // fixed-range MTRRs
    {msr::ia32_pat, msr::ia32_pat, msr_decision::pass, msr_decision::pass},
    {msr::ia32_mc0_ctl2, 0x29f, msr_decision::pass, msr_decision::pass},
    {msr::ia32_mtrr_def_type, msr::ia32_mtrr_def_type, msr_decision::pass, msr_decision::guard},
    {msr::ia32_fixed_ctr0, 0x30c, msr_decision::pass, msr_decision::pass},
    {msr::ia32_fixed_ctr_ctrl, 0x391, msr_decision::pass, msr_decision::pass},    // counter control
    {0x3f6, 0x3f7, msr_decision::pass, msr_decision::pass},    // load latency, front end
    {msr::ia32_mc0_ctl, 0x47f, msr_decision::pass, msr_decision::pass},
    {msr::ia32_vmx_basic, msr::ia32_vmx_last, msr_decision::deny, msr_decision::deny},
    {0x4c1, 0x4c8, msr_decision::pass, msr_decision::pass},    // full-width counters
    {0x606, 0x63f, msr_decision::pass, msr_decision::pass},    // RAPL
    {0x6a0, 0x6a8, msr_decision::pass, msr_decision::pass},    // control-flow enforcement
    {msr::ia32_tsc_deadline, msr::ia32_tsc_deadline, msr_decision::pass, msr_decision::pass},
    {0x6e1, 0x6e1, msr_decision::pass, msr_decision::pass},    // supervisor protection keys
    {0x770, 0x777, msr_decision::pass, msr_decision::pass},    // hardware P-states
    {msr::ia32_x2apic_first, msr::ia32_x2apic_last, msr_decision::pass, msr_decision::pass},
    {msr::ia32_xss, msr::ia32_xss, msr_decision::pass, msr_decision::guard},
    {0xe01, 0xe01, msr_decision::pass, msr_decision::deny},
    {msr::ia32_efer, msr::ia32_fmask, msr_decision::pass, msr_decision::pass},
    {msr::ia32_fs_base, msr::ia32_tsc_aux, msr_decision::pass, msr_decision::pass},
    {msr::perf_evt_sel0, 0xc0011fff, msr_decision::deny, msr_decision::deny},    // AMD's range
};

static_assert(msr_list_is_sorted(msr_table), "decide_msr and the bitmap rely on it");

}    // namespace hv::vmx
