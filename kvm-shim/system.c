// SPDX-License-Identifier: GPL-2.0 OR MIT
/* System registers. Source: SDM 3A 10.1.1 "Processor State After Reset". */
#include <linux/string.h>

#include "registers.h"

#define DPL_SHIFT 5
#define CS_LONG BIT(9)
#define CS_DEFAULT_32 BIT(10)
#define RESET_CR0 0x60000010ull
#define KEPT_BY_INIT (X86_CR0_CD | X86_CR0_NW)
#define RESET_PAT 0x0007040600070406ull
#define RESET_DR6 0xffff0ff0ull
#define RESET_DR7 0x400ull
#define RESET_SIGNATURE 0x600u

/* Attributes of hv_segment: present, and the type. */
#define CODE_16 0x9b
#define DATA_16 0x93
#define LDT 0x82
#define BUSY_TSS 0x8b
#define TABLE 0

struct hv_vcpu_system *hvk_system(struct hvk_vcpu *vcpu)
{
	if (!vcpu->system_here && hv_guest_call(HV_CALL_VCPU_READ, vcpu->handle, 0, 0, 0))
		return NULL;
	vcpu->system_here = true;
	return &vcpu->exchange->system;
}

struct hv_vcpu_system *hvk_system_changed(struct hvk_vcpu *vcpu)
{
	struct hv_vcpu_system *system = hvk_system(vcpu);

	if (system)
		vcpu->exchange->flags |= HV_RUN_SYSTEM;
	return system;
}

unsigned int hvk_cpl(struct hvk_vcpu *vcpu)
{
	struct hv_vcpu_system *system = hvk_system(vcpu);

	if (!system || !(system->cr0 & X86_CR0_PE))
		return 0;
	if (vcpu->exchange->rflags & X86_EFLAGS_VM)
		return 3;
	return system->ss.attributes >> DPL_SHIFT & 3;
}

enum hvk_mode hvk_code_mode(struct hvk_vcpu *vcpu)
{
	struct hv_vcpu_system *system = hvk_system(vcpu);

	if (!system || !(system->cr0 & X86_CR0_PE) || vcpu->exchange->rflags & X86_EFLAGS_VM)
		return HVK_MODE_16;
	return hvk_mode_of(system->efer & EFER_LMA, system->cs.attributes & CS_LONG,
			   system->cs.attributes & CS_DEFAULT_32);
}

u64 hvk_segment_base(struct hvk_vcpu *vcpu, unsigned int segment)
{
	struct hv_vcpu_system *system = hvk_system(vcpu);

	if (!system)
		return 0;
	switch (segment) {
	case HVK_FS:
		return system->fs.base;
	case HVK_GS:
		return system->gs.base;
	}
	if (hvk_code_mode(vcpu) == HVK_MODE_64)
		return 0;
	switch (segment) {
	case HVK_ES:
		return system->es.base;
	case HVK_CS:
		return system->cs.base;
	case HVK_SS:
		return system->ss.base;
	}
	return system->ds.base;
}

void hvk_advance(struct hvk_vcpu *vcpu, unsigned int bytes)
{
	struct hv_vcpu_exchange *exchange = vcpu->exchange;
	u64 rip = exchange->rip + bytes;

	/* Only a carry can tell 64-bit code from other code, and asking costs a hypercall. */
	if ((exchange->rip ^ rip) >> 32 && hvk_code_mode(vcpu) != HVK_MODE_64)
		rip = (u32)rip;
	exchange->rip = rip;
	exchange->state &= ~HV_VCPU_SHADOW;
}

static void reset_segments(struct hv_vcpu_system *system)
{
	const struct hv_segment data = { .limit = 0xffff, .attributes = DATA_16 };
	const struct hv_segment table = { .limit = 0xffff, .attributes = TABLE };

	system->cs = (struct hv_segment){ 0xffff0000, 0xffff, 0xf000, CODE_16 };
	system->es = data;
	system->ss = data;
	system->ds = data;
	system->fs = data;
	system->gs = data;
	system->ldtr = (struct hv_segment){ .limit = 0xffff, .attributes = LDT };
	system->tr = (struct hv_segment){ .limit = 0xffff, .attributes = BUSY_TSS };
	system->gdtr = table;
	system->idtr = table;
}

static void reset_system(struct hv_vcpu_system *system, bool init)
{
	u64 kept = init ? system->cr0 & KEPT_BY_INIT : 0;

	reset_segments(system);
	system->cr0 = init ? (RESET_CR0 & ~KEPT_BY_INIT) | kept : RESET_CR0;
	system->cr2 = 0;
	system->cr3 = 0;
	system->cr4 = 0;
	system->cr8 = 0;
	system->efer = 0;
	memset(system->dr, 0, sizeof(system->dr));
	system->dr6 = RESET_DR6;
	system->dr7 = RESET_DR7;
}

void hvk_reset_registers(struct hvk_vcpu *vcpu, bool init)
{
	struct hv_vcpu_exchange *exchange = vcpu->exchange;
	const struct kvm_cpuid_entry2 *signature = hvk_cpuid(vcpu, 1, 0);
	struct hv_vcpu_system *system = &exchange->system;

	if (!init) {
		memset(system, 0, sizeof(*system));
		system->xcr0 = 1;
		system->pat = RESET_PAT;
		system->tsc_offset = vcpu->tsc_offset;
		vcpu->system_here = true;
	} else if (!hvk_system(vcpu)) {
		return;
	}
	reset_system(system, init);
	exchange->flags |= HV_RUN_SYSTEM;
	memset(exchange->gpr, 0, sizeof(exchange->gpr));
	exchange->gpr[2] = signature ? signature->eax : RESET_SIGNATURE;
	exchange->rip = 0xfff0;
	exchange->rflags = X86_EFLAGS_FIXED;
	exchange->state = 0;
	vcpu->cr8 = 0;
	vcpu->exception.pending = false;
	vcpu->interrupt = HVK_NO_VECTOR;
	vcpu->nmis = 0;
}
