// SPDX-License-Identifier: GPL-2.0 OR MIT
/* MSRs that are only kept: MTRRs, machine check, TSC, and what identifies or tunes a processor. */
#include <linux/nospec.h>
#include <asm/apicdef.h>
#include <asm/msr-index.h>

#include "ioctl.h"
#include "irqchip.h"
#include "msrs.h"
#include "registers.h"

#define MTRR_CAP (HVK_MTRR_VARIABLE | BIT(8) | BIT(10))	/* fixed ranges, write-combining */
#define MTRR_DEFAULT_BITS 0xcffull
/* KVM's: what Linux takes for a revision without errata. */
#define MICROCODE_AMD 0x01000065ull
#define MICROCODE_INTEL 0x100000000ull
#define MCE_STATUS_MODEL 1	/* of four registers of a bank */
#define HWCR_STATUS_WRITABLE BIT(18)
#define HWCR_IGNORED (BIT(3) | BIT(6) | BIT(8) | HWCR_STATUS_WRITABLE | BIT(24))

static u64 *mtrr_fixed(struct hvk_msrs *msrs, u32 index)
{
	switch (index) {
	case MSR_MTRRfix64K_00000:
		return &msrs->mtrr_fixed[0];
	case MSR_MTRRfix16K_80000:
	case MSR_MTRRfix16K_A0000:
		return &msrs->mtrr_fixed[1 + index - MSR_MTRRfix16K_80000];
	case MSR_MTRRfix4K_C0000 ... MSR_MTRRfix4K_F8000:
		return &msrs->mtrr_fixed[3 + index - MSR_MTRRfix4K_C0000];
	}
	return NULL;
}

static bool mtrr_type(u8 type)
{
	return type < 7 && type != 2 && type != 3;
}

static bool mtrr_valid(struct hvk_vcpu *vcpu, u32 index, u64 value)
{
	unsigned int i;

	if (index == MSR_MTRRdefType)
		return !(value & ~MTRR_DEFAULT_BITS) && mtrr_type(value);
	if (mtrr_fixed(&vcpu->msrs, index)) {
		for (i = 0; i < 64; i += 8)
			if (!mtrr_type(value >> i))
				return false;
		return true;
	}
	if (index & 1)
		return !(value & (hvk_reserved_gpa_bits(vcpu) | 0x7ff));
	return !(value & (hvk_reserved_gpa_bits(vcpu) | 0xf00)) && mtrr_type(value);
}

/* They are kept for the guest's own use: the memory types of its pages do not follow them. */
bool hvk_msr_mtrr(struct hvk_vcpu *vcpu, struct hvk_msr_access *access)
{
	struct hvk_msrs *msrs = &vcpu->msrs;
	u32 index = access->index;
	u64 *at = mtrr_fixed(msrs, index);

	if (index == MSR_MTRRcap) {
		access->value = MTRR_CAP;
		access->fault = access->write;
		return true;
	}
	if (index == MSR_MTRRdefType)
		at = &msrs->mtrr_default;
	else if (index >= 0x200 && index < 0x200 + 2 * HVK_MTRR_VARIABLE)
		at = &msrs->mtrr_variable[array_index_nospec(index - 0x200, 2 * HVK_MTRR_VARIABLE)];
	if (!at)
		return false;
	if (access->write && !mtrr_valid(vcpu, index, access->value)) {
		access->fault = 1;
		return true;
	}
	return hvk_msr_plain(access, at);
}

static int bank_fault(const struct hvk_msrs *msrs, u32 offset, const struct hvk_msr_access *access)
{
	u64 value = access->value;

	if (!access->write)
		return 0;
	/* Control registers are all ones or zero; some write all but bits 0 and 10. */
	if (offset % 4 == 0)
		return value && (value | BIT(10) | 1) != ~0ull;
	if (offset % 4 == MCE_STATUS_MODEL && !access->host && value)
		return !(msrs->hwcr & HWCR_STATUS_WRITABLE);
	return 0;
}

bool hvk_msr_machine_check(struct hvk_vcpu *vcpu, struct hvk_msr_access *access)
{
	struct hvk_msrs *msrs = &vcpu->msrs;
	u32 banks = min_t(u32, msrs->mcg_cap & 0xff, HVK_MCE_BANKS);
	u32 offset = access->index - MSR_IA32_MC0_CTL;

	switch (access->index) {
	case MSR_IA32_P5_MC_ADDR:
	case MSR_IA32_P5_MC_TYPE:
		access->value = 0;
		access->fault = access->write;
		return true;
	case MSR_IA32_MCG_CAP:
		access->fault = access->write;
		access->value = msrs->mcg_cap;
		return true;
	case MSR_IA32_MCG_STATUS:
		return hvk_msr_plain(access, &msrs->mcg_status);
	case MSR_IA32_MCG_CTL:
		access->fault = !(msrs->mcg_cap & MCG_CTL_P) &&
				(!access->host || (access->write && access->value));
		if (access->write && access->value && ~access->value)
			access->fault = 1;
		return access->fault || hvk_msr_plain(access, &msrs->mcg_ctl);
	}
	if (access->index < MSR_IA32_MC0_CTL || offset >= 4 * banks)
		return false;
	offset = array_index_nospec(offset, 4 * HVK_MCE_BANKS);
	access->fault = bank_fault(msrs, offset, access);
	return access->fault || hvk_msr_plain(access, &msrs->mce_bank[offset]);
}

/* Where a guest may write what it likes, for nothing. */
static bool ignores_writes(u32 index)
{
	switch (index) {
	case MSR_AMD64_NB_CFG:
	case MSR_AMD64_BU_CFG2:
	case MSR_AMD64_DC_CFG:
	case MSR_AMD64_PATCH_LOADER:
	case MSR_IA32_UCODE_WRITE:
	case MSR_F15H_EX_CFG:
	case MSR_VM_HSAVE_PA:
		return true;
	}
	return false;
}

static bool known_zero(u32 index)
{
	switch (index) {
	case HVK_MSR_SMI_COUNT:
	case MSR_IA32_EBL_CR_POWERON:
	case MSR_IA32_DEBUGCTLMSR:
	case MSR_IA32_PERF_CTL:
	case MSR_IA32_POWER_CTL:
	case MSR_RAPL_POWER_UNIT:
	case MSR_AMD64_SYSCFG:
	case MSR_K8_INT_PENDING_MSG:
	case MSR_K8_TSEG_ADDR:
	case MSR_K8_TSEG_MASK:
	case MSR_FAM10H_MMIO_CONF_BASE:
		return true;
	}
	return ignores_writes(index);
}

static u64 *paravirtual(struct hvk_msrs *msrs, u32 index)
{
	if (index >= 0x4b564d02 && index <= 0x4b564d06)
		return &msrs->pv[index - 0x4b564d02];
	return NULL;
}

/* CPUID faulting is not there, so neither is its switch. */
static bool access_platform(struct hvk_vcpu *vcpu, struct hvk_msr_access *access)
{
	struct hvk_msrs *msrs = &vcpu->msrs;

	if (access->index == MSR_PLATFORM_INFO) {
		access->fault = !access->host &&
				(access->write || vcpu->vm->hide_platform_info);
		return access->fault || hvk_msr_plain(access, &msrs->platform_info);
	}
	if (access->index != MSR_MISC_FEATURES_ENABLES)
		return false;
	access->fault = access->write && access->value;
	return access->fault || hvk_msr_plain(access, &msrs->misc_features);
}

/* CPUID's MWAIT follows a bit here, where the client has switched off that it does not. */
static bool misc_enable(struct hvk_vcpu *vcpu, struct hvk_msr_access *access)
{
	if (access->index != MSR_IA32_MISC_ENABLE)
		return false;
	hvk_msr_plain(access, &vcpu->msrs.misc_enable);
	if (access->write && READ_ONCE(vcpu->vm->quirks_off) & KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT)
		hvk_give_cpuid(vcpu);
	return true;
}

static bool access_kept(struct hvk_msrs *msrs, struct hvk_msr_access *access)
{
	u64 *pv = paravirtual(msrs, access->index);

	if (pv) {
		access->fault = !access->host;
		return access->fault || hvk_msr_plain(access, pv);
	}
	switch (access->index) {
	case MSR_IA32_UCODE_REV:
		if (access->write && !access->host)
			return true;
		return hvk_msr_plain(access, &msrs->microcode);
	case MSR_IA32_FEAT_CTL:
		access->fault = access->write && !access->host;
		return access->fault || hvk_msr_plain(access, &msrs->feature_control);
	case MSR_K7_HWCR:
		access->fault = access->write && access->value & ~(u64)HWCR_IGNORED;
		if (access->write)
			access->value &= HWCR_STATUS_WRITABLE;
		return access->fault || hvk_msr_plain(access, &msrs->hwcr);
	}
	return false;
}

bool hvk_msr_identity(struct hvk_vcpu *vcpu, struct hvk_msr_access *access)
{
	u64 feature;

	if (access_platform(vcpu, access) || misc_enable(vcpu, access) ||
	    access_kept(&vcpu->msrs, access))
		return true;
	if (hvk_feature_msr(access->index, &feature)) {
		access->fault = access->write && !access->host;
		access->value = feature;
		return true;
	}
	if (!known_zero(access->index))
		return false;
	access->fault = access->write && access->value && !access->host &&
			!ignores_writes(access->index);
	access->value = 0;
	return true;
}

void hvk_reset_msrs(struct hvk_vcpu *vcpu)
{
	struct hvk_msrs *msrs = &vcpu->msrs;

	*msrs = (struct hvk_msrs){
		.apic_base = APIC_DEFAULT_PHYS_BASE | MSR_IA32_APICBASE_ENABLE |
			     (hvk_is_boot_cpu(vcpu) ? MSR_IA32_APICBASE_BSP : 0),
		.misc_enable = MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL |
			       MSR_IA32_MISC_ENABLE_BTS_UNAVAIL,
		.mcg_cap = HVK_MCE_BANKS,
		.microcode = boot_cpu_data.x86_vendor == X86_VENDOR_AMD ? MICROCODE_AMD
									: MICROCODE_INTEL,
	};
}
