// SPDX-License-Identifier: GPL-2.0 OR MIT
/* MSRs that the core does not answer itself, for the guest and for the client. */
#include <asm/msr-index.h>

#include "irqchip.h"
#include "msrs.h"
#include "registers.h"

#define EFER_POSSIBLE (EFER_SCE | EFER_LME | EFER_LMA | EFER_NX | EFER_FFXSR)

static bool canonical(u64 address)
{
	return (u64)((s64)address << 16 >> 16) == address;
}

/* Types 0, 1 and 4 to 7 in each of eight bytes: bit 1 only with bit 2. */
static bool valid_pat(u64 pat)
{
	return !(pat & 0xf8f8f8f8f8f8f8f8ull) && !((pat & 0x0202020202020202ull) << 1 & ~pat);
}

static int set_efer(struct hvk_vcpu *vcpu, struct hv_vcpu_system *system,
		    const struct hvk_msr_access *access)
{
	const struct kvm_cpuid_entry2 *features = hvk_cpuid(vcpu, 0x80000001, 0);
	u64 value = access->value, possible = EFER_POSSIBLE;

	if (!access->host) {
		if (!features || !(features->edx & BIT(11)))
			possible &= ~(u64)EFER_SCE;
		if (!features || !(features->edx & BIT(20)))
			possible &= ~(u64)EFER_NX;
		if (!features || !(features->edx & BIT(29)))
			possible &= ~(u64)(EFER_LME | EFER_LMA);
		if ((system->efer ^ value) & EFER_LME && system->cr0 & X86_CR0_PG)
			return 1;
	}
	if (value & ~possible)
		return 1;
	system->efer = (value & ~(u64)EFER_LMA) | (system->efer & EFER_LMA);
	return 0;
}

static u64 *system_field(struct hv_vcpu_system *system, u32 index)
{
	switch (index) {
	case MSR_STAR:
		return &system->star;
	case MSR_LSTAR:
		return &system->lstar;
	case MSR_CSTAR:
		return &system->cstar;
	case MSR_SYSCALL_MASK:
		return &system->fmask;
	case MSR_KERNEL_GS_BASE:
		return &system->kernel_gs_base;
	case MSR_FS_BASE:
		return &system->fs.base;
	case MSR_GS_BASE:
		return &system->gs.base;
	case MSR_IA32_SYSENTER_CS:
		return &system->sysenter_cs;
	case MSR_IA32_SYSENTER_ESP:
		return &system->sysenter_esp;
	case MSR_IA32_SYSENTER_EIP:
		return &system->sysenter_eip;
	case MSR_IA32_CR_PAT:
		return &system->pat;
	case MSR_TSC_AUX:
		return &system->tsc_aux;
	case MSR_EFER:
		return &system->efer;
	}
	return NULL;
}

static bool wants_canonical(u32 index)
{
	switch (index) {
	case MSR_LSTAR:
	case MSR_CSTAR:
	case MSR_KERNEL_GS_BASE:
	case MSR_FS_BASE:
	case MSR_GS_BASE:
		return true;
	}
	return false;
}

static int write_field(struct hvk_vcpu *vcpu, u64 *field, const struct hvk_msr_access *access)
{
	u64 value = access->value;

	if (access->index == MSR_EFER)
		return set_efer(vcpu, &vcpu->exchange->system, access);
	if (wants_canonical(access->index) && !canonical(value))
		return 1;
	if (access->index == MSR_IA32_CR_PAT && !valid_pat(value))
		return 1;
	if (access->index == MSR_TSC_AUX || access->index == MSR_SYSCALL_MASK)
		value = (u32)value;
	*field = value;
	return 0;
}

/* Those that the processor has: in the exchange area. */
bool hvk_msr_system(struct hvk_vcpu *vcpu, struct hvk_msr_access *access)
{
	struct hv_vcpu_system *system = &vcpu->exchange->system;
	u64 *field = system_field(system, access->index);

	if (!field)
		return false;
	if (!(access->write ? hvk_system_changed(vcpu) : hvk_system(vcpu))) {
		access->fault = 1;
		return true;
	}
	if (access->write)
		access->fault = write_field(vcpu, field, access);
	else
		access->value = *field;
	return true;
}

static bool is_apic(u32 index)
{
	return index == MSR_IA32_APICBASE || index == MSR_IA32_TSC_DEADLINE ||
	       (index >= 0x800 && index <= 0x8ff);
}

static bool access_apic(struct hvk_vcpu *vcpu, struct hvk_msr_access *access)
{
	if (!is_apic(access->index))
		return false;
	if (access->index == MSR_IA32_APICBASE && access->write)
		access->fault = hvk_set_apic_base(vcpu, access->value, access->host);
	else if (access->index == MSR_IA32_APICBASE)
		access->value = hvk_get_apic_base(vcpu);
	else
		access->fault = hvk_lapic_msr(vcpu, access->index, &access->value, access->write);
	if (access->index == MSR_IA32_APICBASE && access->write)
		hvk_give_cpuid(vcpu);
	return true;
}

static int access_msr(struct hvk_vcpu *vcpu, struct hvk_msr_access *access)
{
	if (hvk_msr_system(vcpu, access) || access_apic(vcpu, access) ||
	    hvk_msr_tsc(vcpu, access) || hvk_msr_clock(vcpu, access) ||
	    hvk_msr_mtrr(vcpu, access) || hvk_msr_machine_check(vcpu, access) ||
	    hvk_msr_identity(vcpu, access))
		return access->fault;
	return 1;
}

int hvk_read_msr(struct hvk_vcpu *vcpu, u32 index, u64 *value, bool host)
{
	struct hvk_msr_access access = { .index = index, .host = host };
	int fault = access_msr(vcpu, &access);

	*value = access.value;
	return fault;
}

int hvk_write_msr(struct hvk_vcpu *vcpu, u32 index, u64 value, bool host)
{
	struct hvk_msr_access access = {
		.index = index, .host = host, .write = true, .value = value,
	};

	return access_msr(vcpu, &access);
}
