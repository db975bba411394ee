// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What a vcpu is to be interrupted by: the PIC's vector goes before the LAPIC's, as in KVM. */
#include <linux/compiler.h>
#include <linux/errno.h>

#include "chip.h"

/* Without the lock. What comes after this look kicks the vcpu, so nothing is missed. */
static bool may_have_any(const struct hvk_lapic *lapic)
{
	return READ_ONCE(lapic->requests) || READ_ONCE(*hvk_external_of(lapic->vcpu)) >= 0 ||
	       READ_ONCE(lapic->chip->pic.output);
}

static bool has_extint(const struct hvk_lapic *lapic)
{
	if (lapic->chip->split)
		return *hvk_external_of(lapic->vcpu) >= 0;
	return lapic->chip->pic.output;
}

int hvk_pending_interrupt(struct hvk_vcpu *vcpu)
{
	struct hvk_lapic *lapic = *hvk_lapic_of(vcpu);
	unsigned long flags;
	int vector;

	if (!lapic || !may_have_any(lapic))
		return -1;
	flags = hvk_chip_lock(lapic->chip);
	if (!has_extint(lapic) || !hvk_lapic_takes_extint(lapic))
		vector = hvk_lapic_deliverable(lapic);
	else if (lapic->chip->split)
		vector = *hvk_external_of(vcpu);
	else
		vector = hvk_pic_peek(&lapic->chip->pic);
	hvk_chip_unlock(lapic->chip, flags);
	return vector;
}

int hvk_ack_interrupt(struct hvk_vcpu *vcpu)
{
	struct hvk_lapic *lapic = *hvk_lapic_of(vcpu);
	unsigned long flags;
	int vector;

	if (!lapic || !may_have_any(lapic))
		return -1;
	flags = hvk_chip_lock(lapic->chip);
	if (!has_extint(lapic) || !hvk_lapic_takes_extint(lapic)) {
		vector = hvk_lapic_ack(lapic);
	} else if (lapic->chip->split) {
		vector = *hvk_external_of(vcpu);
		WRITE_ONCE(*hvk_external_of(vcpu), -1);
	} else {
		vector = hvk_pic_ack(lapic->chip);
	}
	hvk_chip_unlock(lapic->chip, flags);
	return vector;
}

int hvk_highest_requested(struct hvk_vcpu *vcpu)
{
	struct hvk_lapic *lapic = *hvk_lapic_of(vcpu);
	unsigned long flags;
	int vector;

	if (!lapic || !READ_ONCE(lapic->requests))
		return -1;
	flags = hvk_chip_lock(lapic->chip);
	vector = hvk_vector_highest(lapic, HVK_APIC_IRR);
	hvk_chip_unlock(lapic->chip, flags);
	return vector;
}

int hvk_queue_extint(struct hvk_vcpu *vcpu, u8 vector)
{
	struct hvk_lapic *lapic = *hvk_lapic_of(vcpu);
	unsigned long flags;
	int error = 0;

	if (!lapic || !lapic->chip->split)
		return -ENXIO;
	flags = hvk_chip_lock(lapic->chip);
	if (*hvk_external_of(vcpu) >= 0)
		error = -EEXIST;
	else
		WRITE_ONCE(*hvk_external_of(vcpu), vector);
	hvk_chip_unlock(lapic->chip, flags);
	return error;
}

bool hvk_accepts_extint(struct hvk_vcpu *vcpu)
{
	const struct hvk_lapic *lapic = *hvk_lapic_of(vcpu);

	return lapic && lapic->chip->split && hvk_lapic_takes_extint(lapic) &&
	       READ_ONCE(*hvk_external_of(vcpu)) < 0;
}
