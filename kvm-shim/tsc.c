// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The guest's TSC: the CPU's plus an offset; vcpus that are set at the same time stay in step. */
#include <linux/uaccess.h>
#include <asm/tsc.h>

#include "ioctl.h"
#include "irqchip.h"
#include "msrs.h"
#include "registers.h"

#define TOLERANCE_PPM 250

u64 hvk_guest_tsc(struct hvk_vcpu *vcpu)
{
	return rdtsc() + READ_ONCE(vcpu->tsc_offset);
}

static void set_offset(struct hvk_vcpu *vcpu, u64 offset)
{
	struct hv_vcpu_system *system = hvk_system_changed(vcpu);

	WRITE_ONCE(vcpu->tsc_offset, offset);
	if (system)
		system->tsc_offset = offset;
	hvk_request(vcpu, HVK_REQUEST_CLOCK);
	if (vcpu->lapic)
		hvk_lapic_tsc_changed(vcpu);
}

/*
 * A client sets each vcpu's TSC in turn, and means them to be equal: a value that lies within a
 * second of what the last one has become takes over its offset, as 0 always does.
 */
static void set_by_client(struct hvk_vcpu *vcpu, u64 value)
{
	struct hvk_vm *vm = vcpu->vm;
	u64 offset = value - rdtsc();

	spin_lock(&vm->tsc_lock);
	if (!value || abs((s64)(offset - vm->tsc_offset)) < (s64)tsc_khz * 1000)
		offset = vm->tsc_offset;
	else
		vm->tsc_offset = offset;
	spin_unlock(&vm->tsc_lock);
	set_offset(vcpu, offset);
}

static void write_tsc(struct hvk_vcpu *vcpu, const struct hvk_msr_access *access)
{
	u64 change = access->value - hvk_guest_tsc(vcpu);

	if (access->host) {
		set_by_client(vcpu, access->value);
		return;
	}
	vcpu->msrs.tsc_adjust += change;
	set_offset(vcpu, vcpu->tsc_offset + change);
}

bool hvk_msr_tsc(struct hvk_vcpu *vcpu, struct hvk_msr_access *access)
{
	switch (access->index) {
	case MSR_IA32_TSC:
		if (access->write)
			write_tsc(vcpu, access);
		else
			access->value = hvk_guest_tsc(vcpu);
		return true;
	case MSR_IA32_TSC_ADJUST:
		/* The client restores the register alone; the TSC it sets by itself. */
		if (access->write && !access->host)
			set_offset(vcpu, vcpu->tsc_offset + access->value - vcpu->msrs.tsc_adjust);
		return hvk_msr_plain(access, &vcpu->msrs.tsc_adjust);
	}
	return false;
}

long hvk_get_tsc_khz(struct hvk_vcpu *vcpu, unsigned long argument)
{
	return tsc_khz;
}

/* Without scaling there is one frequency; 0 asks for it. */
long hvk_set_tsc_khz(struct hvk_vcpu *vcpu, unsigned long argument)
{
	u64 difference = argument > tsc_khz ? argument - tsc_khz : tsc_khz - argument;

	if (!argument)
		return 0;
	return difference * 1000000 <= (u64)tsc_khz * TOLERANCE_PPM ? 0 : -EINVAL;
}
