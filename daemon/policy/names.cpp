// SPDX-License-Identifier: MIT
#include "daemon/policy/names.hpp"

#include <array>
#include <vector>

#include "abi/policy.h"
#include "daemon/text/nearest.hpp"
#include "daemon/text/number.hpp"

namespace hv {
namespace {

constexpr std::array msrs{
    named_number{"ia32_time_stamp_counter", 0x10},
    named_number{"ia32_platform_id", 0x17},
    named_number{"ia32_apic_base", 0x1b},
    named_number{"ia32_feature_control", 0x3a},
    named_number{"ia32_tsc_adjust", 0x3b},
    named_number{"ia32_spec_ctrl", 0x48},
    named_number{"ia32_pred_cmd", 0x49},
    named_number{"ia32_bios_updt_trig", 0x79},
    named_number{"ia32_bios_sign_id", 0x8b},
    named_number{"ia32_smm_monitor_ctl", 0x9b},
    named_number{"ia32_pmc0", 0xc1},
    named_number{"ia32_mperf", 0xe7},
    named_number{"ia32_aperf", 0xe8},
    named_number{"ia32_mtrrcap", 0xfe},
    named_number{"ia32_arch_capabilities", 0x10a},
    named_number{"ia32_flush_cmd", 0x10b},
    named_number{"ia32_tsx_ctrl", 0x122},
    named_number{"ia32_sysenter_cs", 0x174},
    named_number{"ia32_sysenter_esp", 0x175},
    named_number{"ia32_sysenter_eip", 0x176},
    named_number{"ia32_mcg_cap", 0x179},
    named_number{"ia32_mcg_status", 0x17a},
    named_number{"ia32_mcg_ctl", 0x17b},
    named_number{"ia32_perfevtsel0", 0x186},
    named_number{"ia32_perf_status", 0x198},
    named_number{"ia32_perf_ctl", 0x199},
    named_number{"ia32_clock_modulation", 0x19a},
    named_number{"ia32_therm_interrupt", 0x19b},
    named_number{"ia32_therm_status", 0x19c},
    named_number{"ia32_misc_enable", 0x1a0},
    named_number{"ia32_energy_perf_bias", 0x1b0},
    named_number{"ia32_debugctl", 0x1d9},
    named_number{"ia32_smrr_physbase", 0x1f2},
    named_number{"ia32_smrr_physmask", 0x1f3},
    named_number{"ia32_mtrr_physbase0", 0x200},
    named_number{"ia32_mtrr_physmask0", 0x201},
    named_number{"ia32_mtrr_fix64k_00000", 0x250},
    named_number{"ia32_pat", 0x277},
    named_number{"ia32_mtrr_def_type", 0x2ff},
    named_number{"ia32_fixed_ctr0", 0x309},
    named_number{"ia32_perf_capabilities", 0x345},
    named_number{"ia32_fixed_ctr_ctrl", 0x38d},
    named_number{"ia32_perf_global_status", 0x38e},
    named_number{"ia32_perf_global_ctrl", 0x38f},
    named_number{"ia32_pebs_enable", 0x3f1},
    named_number{"ia32_mc0_ctl", 0x400},
    named_number{"ia32_vmx_basic", 0x480},
    named_number{"ia32_rtit_output_base", 0x560},
    named_number{"ia32_rtit_ctl", 0x570},
    named_number{"ia32_ds_area", 0x600},
    named_number{"ia32_u_cet", 0x6a0},
    named_number{"ia32_s_cet", 0x6a2},
    named_number{"ia32_pl0_ssp", 0x6a4},
    named_number{"ia32_interrupt_ssp_table_addr", 0x6a8},
    named_number{"ia32_tsc_deadline", 0x6e0},
    named_number{"ia32_pkrs", 0x6e1},
    named_number{"ia32_pm_enable", 0x770},
    named_number{"ia32_hwp_request", 0x774},
    named_number{"ia32_x2apic_apicid", 0x802},
    named_number{"ia32_x2apic_icr", 0x830},
    named_number{"ia32_xss", 0xda0},
    named_number{"ia32_efer", 0xc0000080},
    named_number{"ia32_star", 0xc0000081},
    named_number{"ia32_lstar", 0xc0000082},
    named_number{"ia32_cstar", 0xc0000083},
    named_number{"ia32_fmask", 0xc0000084},
    named_number{"ia32_fs_base", 0xc0000100},
    named_number{"ia32_gs_base", 0xc0000101},
    named_number{"ia32_kernel_gs_base", 0xc0000102},
    named_number{"ia32_tsc_aux", 0xc0000103},
    // Only AMD CPUs have these: APM 2 A "MSR Cross-Reference".
    named_number{"tsc_ratio", 0xc0000104},
    named_number{"perf_evt_sel0", 0xc0010000},
    named_number{"perf_evt_sel1", 0xc0010001},
    named_number{"perf_evt_sel2", 0xc0010002},
    named_number{"perf_evt_sel3", 0xc0010003},
    named_number{"perf_ctr0", 0xc0010004},
    named_number{"syscfg", 0xc0010010},
    named_number{"hwcr", 0xc0010015},
    named_number{"iorr_base0", 0xc0010016},
    named_number{"iorr_mask0", 0xc0010017},
    named_number{"iorr_base1", 0xc0010018},
    named_number{"iorr_mask1", 0xc0010019},
    named_number{"top_mem", 0xc001001a},
    named_number{"top_mem2", 0xc001001d},
    named_number{"nb_cfg", 0xc001001f},
    named_number{"patch_loader", 0xc0010020},
    named_number{"mmio_cfg_base", 0xc0010058},
    named_number{"pstate_current_limit", 0xc0010061},
    named_number{"pstate_control", 0xc0010062},
    named_number{"pstate_status", 0xc0010063},
    named_number{"smbase", 0xc0010111},
    named_number{"smm_addr", 0xc0010112},
    named_number{"smm_mask", 0xc0010113},
    named_number{"vm_cr", 0xc0010114},
    named_number{"ignne", 0xc0010115},
    named_number{"smm_ctl", 0xc0010116},
    named_number{"vm_hsave_pa", 0xc0010117},
    named_number{"svm_lock_key", 0xc0010118},
    named_number{"smm_key", 0xc0010119},
    named_number{"virt_spec_ctrl", 0xc001011f},
    named_number{"ghcb", 0xc0010130},
    named_number{"sev_status", 0xc0010131},
    named_number{"rmp_base", 0xc0010132},
    named_number{"rmp_end", 0xc0010133},
    named_number{"osvw_id_length", 0xc0010140},
    named_number{"osvw_status", 0xc0010141},
    named_number{"perf_ctl0", 0xc0010200},
    named_number{"dr1_addr_mask", 0xc0011019},
    named_number{"dr2_addr_mask", 0xc001101a},
    named_number{"dr3_addr_mask", 0xc001101b},
    named_number{"ls_cfg", 0xc0011020},
    named_number{"dr0_addr_mask", 0xc0011027},
    named_number{"de_cfg", 0xc0011029},
    named_number{"ibs_fetch_ctl", 0xc0011030},
    named_number{"ibs_op_ctl", 0xc0011033},
    named_number{"ibs_control", 0xc001103a},
};

constexpr named_number bit(std::string_view name, unsigned number) {
    return {name, 1ull << number};
}

constexpr std::array cr0{
    bit("pe", 0),  bit("mp", 1),  bit("em", 2),  bit("ts", 3),  bit("et", 4),  bit("ne", 5),
    bit("wp", 16), bit("am", 18), bit("nw", 29), bit("cd", 30), bit("pg", 31),
};

// vmxe is not here: the core owns it, and what the root VM reads of it is the core's invention.
constexpr std::array cr4{
    bit("vme", 0),      bit("pvi", 1),    bit("tsd", 2),         bit("de", 3),
    bit("pse", 4),      bit("pae", 5),    bit("mce", 6),         bit("pge", 7),
    bit("pce", 8),      bit("osfxsr", 9), bit("osxmmexcpt", 10), bit("umip", 11),
    bit("la57", 12),    bit("smxe", 14),  bit("fsgsbase", 16),   bit("pcide", 17),
    bit("osxsave", 18), bit("kl", 19),    bit("smep", 20),       bit("smap", 21),
    bit("pke", 22),     bit("cet", 23),   bit("pks", 24),        bit("uintr", 25),
};

constexpr std::array xcr0{
    bit("x87", 0),    bit("sse", 1),       bit("avx", 2),        bit("bndregs", 3),
    bit("bndcsr", 4), bit("opmask", 5),    bit("zmm_hi256", 6),  bit("hi16_zmm", 7),
    bit("pkru", 9),   bit("xtilecfg", 17), bit("xtiledata", 18),
};

constexpr std::array instructions{
    bit("rdtsc", HV_INSTRUCTION_RDTSC),   bit("rdtscp", HV_INSTRUCTION_RDTSCP),
    bit("rdpmc", HV_INSTRUCTION_RDPMC),   bit("wbinvd", HV_INSTRUCTION_WBINVD),
    bit("invlpg", HV_INSTRUCTION_INVLPG), bit("monitor", HV_INSTRUCTION_MONITOR),
    bit("mwait", HV_INSTRUCTION_MWAIT),   bit("rdrand", HV_INSTRUCTION_RDRAND),
    bit("rdseed", HV_INSTRUCTION_RDSEED),
};

constexpr named_number two_bits(std::string_view name, unsigned lowest) {
    return {name, 3ull << lowest};
}

// gd is not here: the CPU clears it by itself with each debug exception.
constexpr std::array dr7{
    bit("l0", 0),        bit("g0", 1),         bit("l1", 2),        bit("g1", 3),
    bit("l2", 4),        bit("g2", 5),         bit("l3", 6),        bit("g3", 7),
    bit("le", 8),        bit("ge", 9),         two_bits("rw0", 16), two_bits("len0", 18),
    two_bits("rw1", 20), two_bits("len1", 22), two_bits("rw2", 24), two_bits("len2", 26),
    two_bits("rw3", 28), two_bits("len3", 30),
};

constexpr std::array tables{bit("gdt", HV_TABLE_GDT), bit("idt", HV_TABLE_IDT),
                            bit("ldt", HV_TABLE_LDT), bit("tr", HV_TABLE_TR)};

}

std::span<named_number const> msr_names() { return msrs; }
std::span<named_number const> cr0_bits() { return cr0; }
std::span<named_number const> cr4_bits() { return cr4; }
std::span<named_number const> xcr0_bits() { return xcr0; }
std::span<named_number const> instruction_bits() { return instructions; }
std::span<named_number const> dr7_bits() { return dr7; }
std::span<named_number const> table_bits() { return tables; }

std::optional<std::uint64_t> number_of(std::span<named_number const> names, std::string_view name) {
    for (auto const& each : names) {
        if (each.name == name) return each.number;
    }
    return std::nullopt;
}

std::string hint_of(std::span<named_number const> names, std::string_view name) {
    std::vector<std::string_view> candidates;
    for (auto const& each : names) {
        candidates.push_back(each.name);
    }
    return nearest_hint(name, candidates);
}

std::string msr_text(std::uint64_t index) {
    for (auto const& each : msrs) {
        if (each.number == index) return std::string{each.name};
    }
    return "msr " + hex(index);
}

std::string bits_text(std::span<named_number const> names, std::uint64_t mask) {
    std::string out;
    for (auto const& each : names) {
        if (each.number == 0 || (mask & each.number) != each.number) continue;
        out += (out.empty() ? "" : " ") + std::string{each.name};
        mask &= ~each.number;
    }
    if (mask != 0) out += (out.empty() ? "" : " ") + hex(mask);
    return out;
}

std::uint64_t whole_fields(std::span<named_number const> names, std::uint64_t mask) {
    auto out = mask;
    for (auto const& each : names) {
        if ((mask & each.number) != 0) out |= each.number;
    }
    return out;
}

std::string debug_text(std::uint64_t mask) {
    std::string out;
    for (unsigned i = 0; i < debug_addresses; ++i) {
        if ((mask >> (first_debug_bit + i) & 1) == 0) continue;
        out += (out.empty() ? "dr" : " dr") + std::to_string(i);
    }
    auto const control = mask & 0xffffffff;
    if (control != 0) out += out.empty() ? "dr7" : " dr7";
    if (control != 0 && control != dr7_mask) out += " " + bits_text(dr7_bits(), control);
    return out;
}

std::string cr_bits_text(std::uint64_t which, std::uint64_t mask) {
    return bits_text(which == 0 ? cr0_bits() : cr4_bits(), mask);
}

}
