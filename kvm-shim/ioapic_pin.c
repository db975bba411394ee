// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The IOAPIC's pins: from a line to a message, and back by EOI. */
#include <linux/compiler.h>
#include <linux/string.h>

#include "chip.h"

#define HVK_IOAPIC_BASE 0xfec00000ull
#define HVK_RTC_PIN 8u

void hvk_ioapic_init(struct hvk_ioapic *ioapic)
{
	unsigned int pin;

	memset(ioapic, 0, sizeof(*ioapic));
	ioapic->base = HVK_IOAPIC_BASE;
	for (pin = 0; pin < HVK_IOAPIC_PINS; pin++)
		ioapic->entry[pin] = HVK_ENTRY_MASKED;
}

static struct hvk_message message_of(u64 entry)
{
	return (struct hvk_message) {
		.destination = entry >> 56,
		.vector = entry & 0xff,
		.delivery = entry >> 8 & 7,
		.shorthand = HVK_TO_DESTINATION,
		.logical = entry & HVK_ENTRY_LOGICAL,
		.level_triggered = entry & HVK_ENTRY_LEVEL,
		.asserted = true,
	};
}

int hvk_ioapic_service(struct hvk_irqchip *chip, unsigned int pin)
{
	struct hvk_ioapic *ioapic = &chip->ioapic;
	u64 entry = ioapic->entry[pin];
	struct hvk_message message = message_of(entry);
	int taken;

	if (entry & HVK_ENTRY_MASKED)
		return -1;
	if (message.level_triggered && entry & HVK_ENTRY_REMOTE_IRR)
		return -1;
	if (!message.level_triggered)
		ioapic->edge_sent |= BIT(pin);
	taken = hvk_deliver(chip, NULL, &message);
	/* What nobody took, nobody will end. */
	if (taken > 0 && message.level_triggered)
		ioapic->entry[pin] |= HVK_ENTRY_REMOTE_IRR;
	return taken;
}

/* A clock's tick that a CPU still works on is lost, and its client can make it up. */
static bool rtc_tick_is_lost(const struct hvk_irqchip *chip)
{
	struct hvk_message message = message_of(chip->ioapic.entry[HVK_RTC_PIN]);
	unsigned int i;

	for (i = 0; i < chip->lapics; i++) {
		const struct hvk_lapic *lapic = chip->lapic[i];

		if (hvk_lapic_matches(lapic, NULL, &message) &&
		    (hvk_vector_test(lapic, HVK_APIC_IRR, message.vector) ||
		     hvk_vector_test(lapic, HVK_APIC_ISR, message.vector)))
			return true;
	}
	return false;
}

static int raise(struct hvk_irqchip *chip, unsigned int pin)
{
	struct hvk_ioapic *ioapic = &chip->ioapic;
	bool level_triggered = ioapic->entry[pin] & HVK_ENTRY_LEVEL;
	bool was_high = ioapic->high & BIT(pin);

	if (pin == HVK_RTC_PIN && !level_triggered && rtc_tick_is_lost(chip))
		return 0;
	ioapic->high |= BIT(pin);
	if (!level_triggered) {
		if (was_high)
			return 0;
		ioapic->edge_sent &= ~BIT(pin);
	}
	return hvk_ioapic_service(chip, pin);
}

int hvk_ioapic_set(struct hvk_irqchip *chip, unsigned int pin, enum hvk_source source, bool level)
{
	struct hvk_ioapic *ioapic = &chip->ioapic;

	if (level)
		ioapic->source[pin] |= BIT(source);
	else
		ioapic->source[pin] &= ~BIT(source);
	if (ioapic->source[pin])
		return raise(chip, pin);
	ioapic->high &= ~BIT(pin);
	return 1;
}

static void pin_eoi(struct hvk_lapic *lapic, unsigned int pin, bool level_triggered)
{
	struct hvk_irqchip *chip = lapic->chip;

	hvk_routing_acked(chip, chip->routing->gsi_of_ioapic[pin]);
	if (!level_triggered || lapic->reg[HVK_APIC_SVR] & HVK_SVR_NO_EOI_BROADCAST)
		return;
	chip->ioapic.entry[pin] &= ~HVK_ENTRY_REMOTE_IRR;
	if (chip->ioapic.entry[pin] & HVK_ENTRY_LEVEL && chip->ioapic.high & BIT(pin))
		hvk_ioapic_service(chip, pin);
}

/* The entry may have been rewritten since: what counts is how the LAPIC got the vector. */
void hvk_ioapic_eoi(struct hvk_lapic *lapic, u8 vector)
{
	bool level_triggered = hvk_vector_test(lapic, HVK_APIC_TMR, vector);
	unsigned int pin;

	for (pin = 0; pin < HVK_IOAPIC_PINS; pin++)
		if ((lapic->chip->ioapic.entry[pin] & 0xff) == vector)
			pin_eoi(lapic, pin, level_triggered);
}

/* To a client, an edge that has become a message is over. */
void hvk_ioapic_get_state(const struct hvk_ioapic *ioapic, struct kvm_ioapic_state *state)
{
	unsigned int pin;

	state->base_address = ioapic->base;
	state->ioregsel = ioapic->select;
	state->id = ioapic->id;
	state->irr = ioapic->high & ~ioapic->edge_sent;
	for (pin = 0; pin < HVK_IOAPIC_PINS; pin++)
		state->redirtbl[pin].bits = ioapic->entry[pin];
}

/* What was high when the state was saved is raised anew. */
void hvk_ioapic_set_state(struct hvk_irqchip *chip, const struct kvm_ioapic_state *state)
{
	struct hvk_ioapic *ioapic = &chip->ioapic;
	unsigned int pin;

	WRITE_ONCE(ioapic->base, state->base_address);
	ioapic->select = state->ioregsel & 0xff;
	ioapic->id = state->id;
	ioapic->high = 0;
	ioapic->edge_sent = 0;
	for (pin = 0; pin < HVK_IOAPIC_PINS; pin++)
		ioapic->entry[pin] = state->redirtbl[pin].bits;
	for (pin = 0; pin < HVK_IOAPIC_PINS; pin++)
		if (state->irr & BIT(pin))
			raise(chip, pin);
}
