// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Which LAPICs a message reaches, and what it does to them. SDM 3A 11.6 and 11.12.10. */
#include <linux/kernel.h>

#include "chip.h"

#define HVK_XAPIC_ALL 0xffu
#define HVK_X2APIC_ALL 0xffffffffu

static bool matches_physical(const struct hvk_lapic *lapic, u32 destination)
{
	/* An id that xAPIC cannot express: the LAPIC of that number, which is to be x2APIC soon. */
	if (hvk_lapic_is_x2apic(lapic) || destination > HVK_XAPIC_ALL)
		return destination == lapic->id;
	return destination == lapic->reg[HVK_APIC_ID] >> 24;
}

static bool matches_logical(const struct hvk_lapic *lapic, u32 destination)
{
	u32 ldr = lapic->reg[HVK_APIC_LDR];

	if (hvk_lapic_is_x2apic(lapic))
		return ldr >> 16 == destination >> 16 && ldr & destination & 0xffff;
	ldr >>= 24;
	if (lapic->reg[HVK_APIC_DFR] == HVK_DFR_FLAT)
		return ldr & destination;
	if (lapic->reg[HVK_APIC_DFR] == HVK_DFR_CLUSTER)
		return ldr >> 4 == destination >> 4 && ldr & destination & 0xf;
	return false;
}

static bool matches_destination(const struct hvk_lapic *lapic, const struct hvk_lapic *source,
				const struct hvk_message *message)
{
	bool x2apic = hvk_lapic_is_x2apic(lapic);
	u32 destination = message->destination;

	/* A device's broadcast has 8 bits, and means x2APICs too, unless the client objects. */
	if (x2apic && !source && destination == HVK_XAPIC_ALL &&
	    !lapic->chip->no_broadcast_quirk)
		return true;
	if (destination == (x2apic ? HVK_X2APIC_ALL : HVK_XAPIC_ALL))
		return true;
	return message->logical ? matches_logical(lapic, destination) :
				  matches_physical(lapic, destination);
}

bool hvk_lapic_matches(const struct hvk_lapic *lapic, const struct hvk_lapic *source,
		       const struct hvk_message *message)
{
	if (!hvk_lapic_enabled(lapic))
		return false;
	switch (message->shorthand) {
	case HVK_TO_SELF:
		return lapic == source;
	case HVK_TO_ALL:
		return true;
	case HVK_TO_OTHERS:
		return lapic != source;
	case HVK_TO_DESTINATION:
		break;
	}
	return matches_destination(lapic, source, message);
}

static int accept_vector(struct hvk_lapic *lapic, const struct hvk_message *message)
{
	if (message->level_triggered && !message->asserted)
		return 0;
	if (!hvk_lapic_enabled(lapic) || !hvk_lapic_software_enabled(lapic))
		return 0;
	hvk_lapic_request(lapic, message->vector, message->level_triggered);
	return 1;
}

/* How many took the message: 0 or 1. */
int hvk_lapic_accept(struct hvk_lapic *lapic, const struct hvk_message *message)
{
	switch (message->delivery) {
	case HVK_DELIVER_FIXED:
	case HVK_DELIVER_LOWEST:
		return accept_vector(lapic, message);
	case HVK_DELIVER_NMI:
		hvk_nmi(lapic->vcpu);
		return 1;
	case HVK_DELIVER_INIT:
		/* The de-assert that once followed every INIT means nothing today. */
		if (message->level_triggered && !message->asserted)
			return 0;
		hvk_init(lapic->vcpu);
		return 1;
	case HVK_DELIVER_STARTUP:
		hvk_sipi(lapic->vcpu, message->vector);
		return 1;
	case HVK_DELIVER_REMOTE_READ:
		hvk_kick(lapic->vcpu);
		return 1;
	case HVK_DELIVER_SMI:	 /* there is no SMM */
	case HVK_DELIVER_EXTINT: /* pending.c asks LINT0 itself */
		break;
	}
	return 0;
}

int hvk_lapic_local(struct hvk_lapic *lapic, unsigned int lvt)
{
	u32 value = lapic->reg[lvt];
	struct hvk_message message = {
		.vector = value & HVK_LVT_VECTOR,
		.delivery = value >> HVK_LVT_MODE_SHIFT & 7,
		.level_triggered = value & HVK_LVT_LEVEL,
		.asserted = true,
	};

	if (!hvk_lapic_enabled(lapic) || value & HVK_LVT_MASKED)
		return 0;
	return hvk_lapic_accept(lapic, &message);
}

static bool one_of_many(const struct hvk_message *message)
{
	if (message->delivery == HVK_DELIVER_LOWEST)
		return message->logical || message->destination != HVK_XAPIC_ALL ||
		       message->shorthand != HVK_TO_DESTINATION;
	return message->lowest_hint;
}

/*
 * "Lowest priority" spreads vectors over the destinations, as today's chip sets do: a vector
 * always goes to the same one.
 */
static int deliver_to_one(struct hvk_irqchip *chip, struct hvk_lapic *source,
			  const struct hvk_message *message)
{
	unsigned int i, count = 0, chosen;

	for (i = 0; i < chip->lapics; i++)
		if (hvk_lapic_matches(chip->lapic[i], source, message) &&
		    hvk_lapic_software_enabled(chip->lapic[i]))
			count++;
	if (!count)
		return -1;
	chosen = message->vector % count;
	for (i = 0; i < chip->lapics; i++)
		if (hvk_lapic_matches(chip->lapic[i], source, message) &&
		    hvk_lapic_software_enabled(chip->lapic[i]) && !chosen--)
			return hvk_lapic_accept(chip->lapic[i], message);
	return -1;
}

int hvk_deliver(struct hvk_irqchip *chip, struct hvk_lapic *source,
		const struct hvk_message *message)
{
	unsigned int i;
	int taken = -1;

	if (one_of_many(message))
		return deliver_to_one(chip, source, message);
	for (i = 0; i < chip->lapics; i++) {
		if (!hvk_lapic_matches(chip->lapic[i], source, message))
			continue;
		taken = max(taken, 0) + hvk_lapic_accept(chip->lapic[i], message);
	}
	return taken;
}
