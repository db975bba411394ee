// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A LAPIC's registers for the client: KVM's struct kvm_lapic_state, a page of xAPIC. */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/string.h>

#include "chip.h"

static u32 stored(const struct kvm_lapic_state *state, unsigned int number)
{
	u32 value;

	memcpy(&value, state->regs + 16 * number, sizeof(value));
	return value;
}

int hvk_get_lapic(struct hvk_vcpu *vcpu, struct kvm_lapic_state *state)
{
	struct hvk_lapic *lapic = *hvk_lapic_of(vcpu);
	unsigned int number;
	unsigned long flags;

	if (!lapic)
		return -EINVAL;
	memset(state, 0, sizeof(*state));
	flags = hvk_chip_lock(lapic->chip);
	for (number = 0; number < HVK_APIC_REGISTERS; number++) {
		u32 value = lapic->reg[number];

		/* An id of 32 bits is shown as xAPIC's 8, unless the client knows x2APIC's. */
		if (number == HVK_APIC_ID && hvk_lapic_is_x2apic(lapic) && !lapic->chip->wide_ids)
			value <<= 24;
		else
			hvk_lapic_read(lapic, number, &value);
		memcpy(state->regs + 16 * number, &value, sizeof(value));
	}
	hvk_chip_unlock(lapic->chip, flags);
	return 0;
}

static void take(struct hvk_lapic *lapic, const struct kvm_lapic_state *state)
{
	unsigned int number;

	hvk_lapic_timer_stop(lapic);
	for (number = 0; number < HVK_APIC_REGISTERS; number++)
		lapic->reg[number] = stored(state, number);
	if (hvk_lapic_is_x2apic(lapic)) {
		if (!lapic->chip->wide_ids)
			lapic->reg[HVK_APIC_ID] >>= 24;
		lapic->reg[HVK_APIC_LDR] = hvk_lapic_x2apic_ldr(lapic->reg[HVK_APIC_ID]);
	}
	lapic->reg[HVK_APIC_CURRENT_COUNT] = 0;
	WRITE_ONCE(lapic->requests, hvk_vector_highest(lapic, HVK_APIC_IRR) >= 0);
	hvk_lapic_timer_resume(lapic, stored(state, HVK_APIC_CURRENT_COUNT));
}

int hvk_set_lapic(struct hvk_vcpu *vcpu, const struct kvm_lapic_state *state)
{
	struct hvk_lapic *lapic = *hvk_lapic_of(vcpu);
	unsigned long flags;
	int error = 0;

	if (!lapic)
		return -EINVAL;
	flags = hvk_chip_lock(lapic->chip);
	if (hvk_lapic_is_x2apic(lapic) && lapic->chip->wide_ids &&
	    stored(state, HVK_APIC_ID) != lapic->id)
		error = -EINVAL;
	else
		take(lapic, state);
	hvk_chip_unlock(lapic->chip, flags);
	return error;
}
