// SPDX-License-Identifier: GPL-2.0 OR MIT
/* From request to service to end: IRR, ISR, TMR and the priorities. SDM 3A 11.8. */
#include <linux/bitops.h>
#include <linux/compiler.h>

#include "chip.h"

#define HVK_CLASS 0xf0u /* of a vector or a priority */

bool hvk_vector_test(const struct hvk_lapic *lapic, unsigned int first, u8 vector)
{
	return lapic->reg[first + vector / 32] & BIT(vector % 32);
}

void hvk_vector_assign(struct hvk_lapic *lapic, unsigned int first, u8 vector, bool set)
{
	u32 *word = &lapic->reg[first + vector / 32];

	if (set)
		*word |= BIT(vector % 32);
	else
		*word &= ~BIT(vector % 32);
}

int hvk_vector_highest(const struct hvk_lapic *lapic, unsigned int first)
{
	int i;

	for (i = HVK_APIC_VECTORS / 32 - 1; i >= 0; i--)
		if (lapic->reg[first + i])
			return 32 * i + fls(lapic->reg[first + i]) - 1;
	return -1;
}

u32 hvk_lapic_ppr(const struct hvk_lapic *lapic)
{
	u32 tpr = lapic->reg[HVK_APIC_TPR] & 0xff;
	int in_service = hvk_vector_highest(lapic, HVK_APIC_ISR);
	u32 class = in_service < 0 ? 0 : in_service & HVK_CLASS;

	return (tpr & HVK_CLASS) >= class ? tpr : class;
}

/* The vector that the priorities let through, or -1. */
int hvk_lapic_deliverable(const struct hvk_lapic *lapic)
{
	int requested;

	if (!hvk_lapic_enabled(lapic) || !lapic->requests)
		return -1;
	requested = hvk_vector_highest(lapic, HVK_APIC_IRR);
	if (requested < 0 || (requested & HVK_CLASS) <= (hvk_lapic_ppr(lapic) & HVK_CLASS))
		return -1;
	return requested;
}

int hvk_lapic_ack(struct hvk_lapic *lapic)
{
	int vector = hvk_lapic_deliverable(lapic);

	if (vector < 0)
		return -1;
	hvk_vector_assign(lapic, HVK_APIC_IRR, vector, false);
	hvk_vector_assign(lapic, HVK_APIC_ISR, vector, true);
	WRITE_ONCE(lapic->requests, hvk_vector_highest(lapic, HVK_APIC_IRR) >= 0);
	return vector;
}

void hvk_lapic_request(struct hvk_lapic *lapic, u8 vector, bool level_triggered)
{
	bool already = hvk_vector_test(lapic, HVK_APIC_IRR, vector);

	hvk_vector_assign(lapic, HVK_APIC_TMR, vector, level_triggered);
	if (already)
		return;
	hvk_vector_assign(lapic, HVK_APIC_IRR, vector, true);
	WRITE_ONCE(lapic->requests, true);
	hvk_kick(lapic->vcpu);
}

/* Whether the client's IOAPIC, whose pins are the first GSIs, has a level entry of this vector. */
static bool client_wants_eoi(const struct hvk_irqchip *chip, u8 vector)
{
	const struct hvk_routing *routing = chip->routing;
	struct hvk_message message;
	unsigned int gsi, at;

	for (gsi = 0; gsi < chip->split_pins; gsi++) {
		for (at = routing->first[gsi]; at; at = routing->route[at - 1].next) {
			const struct hvk_route *route = &routing->route[at - 1];

			hvk_msi_decode(chip, route->address_low, route->address_high, route->data,
				       &message);
			if (message.level_triggered && message.vector == vector)
				return true;
		}
	}
	return false;
}

void hvk_lapic_eoi(struct hvk_lapic *lapic)
{
	int vector = hvk_vector_highest(lapic, HVK_APIC_ISR);

	if (vector < 0)
		return;
	hvk_vector_assign(lapic, HVK_APIC_ISR, vector, false);
	if (!lapic->chip->split)
		hvk_ioapic_eoi(lapic, vector);
	else if (client_wants_eoi(lapic->chip, vector))
		hvk_tell_eoi(lapic->vcpu, vector);
}

/* Whether the PIC's INTR reaches this CPU: as if wired past a LAPIC that is off. */
bool hvk_lapic_takes_extint(const struct hvk_lapic *lapic)
{
	u32 lint0 = lapic->reg[HVK_APIC_LVT_LINT0];

	if (!hvk_lapic_enabled(lapic))
		return true;
	return !(lint0 & HVK_LVT_MASKED) &&
	       (lint0 >> HVK_LVT_MODE_SHIFT & 7) == HVK_DELIVER_EXTINT;
}
