// SPDX-License-Identifier: MIT
#pragma once
#include "arch/register.hpp"
#include <cstdint>

// gate: list
// Model-specific registers by the names of SDM 4 2.1 "Architectural MSRs"; types where fields
// matter.
namespace hv::msr {

enum index : std::uint32_t {
    ia32_tsc = 0x10,
    ia32_apic_base = 0x1b,
    ia32_feature_control = 0x3a,
    ia32_tsc_adjust = 0x3b,
    ia32_spec_ctrl = 0x48,
    ia32_pred_cmd = 0x49,
    ia32_bios_updt_trig = 0x79,
    ia32_bios_sign_id = 0x8b,
    ia32_pmc0 = 0xc1,
    ia32_mperf = 0xe7,
    ia32_aperf = 0xe8,
    ia32_mtrrcap = 0xfe,
    ia32_flush_cmd = 0x10b,
    ia32_tsx_ctrl = 0x122,
    ia32_sysenter_cs = 0x174,
    ia32_sysenter_esp = 0x175,
    ia32_sysenter_eip = 0x176,
    ia32_mcg_cap = 0x179,
    ia32_mcg_status = 0x17a,
    ia32_perfevtsel0 = 0x186,
    ia32_misc_enable = 0x1a0,
    ia32_debugctl = 0x1d9,
    ia32_mtrr_physbase0 = 0x200,
    ia32_pat = 0x277,
    ia32_mc0_ctl2 = 0x280,
    ia32_mtrr_def_type = 0x2ff,
    ia32_fixed_ctr0 = 0x309,
    ia32_fixed_ctr_ctrl = 0x38d,
    ia32_mc0_ctl = 0x400,
    ia32_vmx_basic = 0x480,
    ia32_vmx_misc = 0x485,
    ia32_vmx_cr0_fixed0 = 0x486,
    ia32_vmx_cr4_fixed0 = 0x488,
    ia32_vmx_cr4_fixed1 = 0x489,
    ia32_vmx_procbased_ctls2 = 0x48b,
    ia32_vmx_ept_vpid_cap = 0x48c,
    ia32_vmx_true_pinbased_ctls = 0x48d,
    ia32_vmx_true_procbased_ctls = 0x48e,
    ia32_vmx_true_exit_ctls = 0x48f,
    ia32_vmx_true_entry_ctls = 0x490,
    ia32_vmx_last = 0x493,
    ia32_tsc_deadline = 0x6e0,
    ia32_x2apic_first = 0x800,
    ia32_x2apic_icr = 0x830,
    ia32_x2apic_last = 0x83f,
    ia32_xss = 0xda0,
    ia32_efer = 0xc0000080,
    ia32_star = 0xc0000081,
    ia32_lstar = 0xc0000082,
    ia32_cstar = 0xc0000083,
    ia32_fmask = 0xc0000084,
    ia32_fs_base = 0xc0000100,
    ia32_gs_base = 0xc0000101,
    ia32_kernel_gs_base = 0xc0000102,
    ia32_tsc_aux = 0xc0000103,
    // AMD's, by the names of APM 2 A "MSR Cross-Reference"
    perf_evt_sel0 = 0xc0010000,
    patch_loader = 0xc0010020,
    pstate_control = 0xc0010062,
    vm_cr = 0xc0010114,
    vm_hsave_pa = 0xc0010117,
};

struct apic_base : reg<apic_base> {    // SDM 3A 11.4.4 "Local APIC Status and Location"
    using bsp = bit<apic_base, 8>;
    using x2apic = bit<apic_base, 10>;
    using enable = bit<apic_base, 11>;
    using page = field<apic_base, 51, 12>;
};

// SDM 3C 24.7 "Enabling and Entering VMX Operation"
struct feature_control : reg<feature_control> {
    using locked = bit<feature_control, 0>;
    using vmx_outside_smx = bit<feature_control, 2>;
};

struct vm_control : reg<vm_control> {    // APM 2 15.30.1 "VM_CR MSR (C001_0114h)"
    using redirect_init = bit<vm_control, 1>;
    using lock = bit<vm_control, 3>;
    using svm_disable = bit<vm_control, 4>;
};

struct misc_enable : reg<misc_enable> {    // SDM 4 2.1, IA32_MISC_ENABLE
    using xd_disable = bit<misc_enable, 34>;
};

}    // namespace hv::msr
