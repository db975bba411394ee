// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What writing a LAPIC's register does, by its number. */
#include <linux/kernel.h>

#include "chip.h"

#define LVT_BASIC (HVK_LVT_VECTOR | BIT(12) | HVK_LVT_MASKED)
#define LVT_MODE (7u << HVK_LVT_MODE_SHIFT)
#define LVT_PIN (BIT(13) | BIT(14) | HVK_LVT_LEVEL)

/* What can be set in the LVT entries, from the timer's on; its mode is added where it is used. */
static const u32 lvt_writable[HVK_APIC_LVTS] = {
	LVT_BASIC,
	LVT_BASIC | LVT_MODE,
	LVT_BASIC | LVT_MODE,
	LVT_BASIC | LVT_MODE | LVT_PIN,
	LVT_BASIC | LVT_MODE | LVT_PIN,
	LVT_BASIC,
};

void hvk_lapic_write_icr(struct hvk_lapic *lapic, u32 low, u32 high)
{
	struct hvk_message message = {
		.destination = hvk_lapic_is_x2apic(lapic) ? high : high >> 24,
		.vector = low & 0xff,
		.delivery = low >> 8 & 7,
		.shorthand = low >> 18 & 3,
		.logical = low & HVK_ICR_LOGICAL,
		.level_triggered = low & HVK_ICR_LEVEL,
		.asserted = low & HVK_ICR_ASSERT,
	};

	low &= ~HVK_ICR_BUSY;
	lapic->reg[HVK_APIC_ICR] = low;
	lapic->reg[HVK_APIC_ICR_HIGH] = high;
	hvk_deliver(lapic->chip, lapic, &message);
}

static void write_lvt(struct hvk_lapic *lapic, unsigned int number, u32 value)
{
	u32 writable = lvt_writable[number - HVK_APIC_LVT_TIMER];

	if (number == HVK_APIC_LVT_TIMER)
		writable |= hvk_has_tsc_deadline(lapic->vcpu) ? HVK_LVT_TIMER_MODE :
								HVK_LVT_PERIODIC;
	value &= writable;
	if (!hvk_lapic_software_enabled(lapic))
		value |= HVK_LVT_MASKED;
	if (number == HVK_APIC_LVT_TIMER)
		hvk_lapic_timer_mode(lapic, value);
	else
		lapic->reg[number] = value;
}

static void write_svr(struct hvk_lapic *lapic, u32 value)
{
	u32 writable = 0x3ff;
	unsigned int i;

	if (hvk_lapic_version(lapic) & HVK_VERSION_NO_EOI_BROADCAST)
		writable |= HVK_SVR_NO_EOI_BROADCAST;
	lapic->reg[HVK_APIC_SVR] = value & writable;
	if (hvk_lapic_software_enabled(lapic))
		return;
	for (i = 0; i < HVK_APIC_LVTS; i++)
		lapic->reg[HVK_APIC_LVT_TIMER + i] |= HVK_LVT_MASKED;
}

static bool send_to_self(struct hvk_lapic *lapic, u32 value)
{
	struct hvk_message message = {
		.vector = value,
		.delivery = HVK_DELIVER_FIXED,
		.shorthand = HVK_TO_SELF,
	};

	if (value > 0xff)
		return false;
	hvk_deliver(lapic->chip, lapic, &message);
	return true;
}

/* Registers that only xAPIC has, or that only it can write. */
static bool write_xapic(struct hvk_lapic *lapic, unsigned int number, u32 value)
{
	if (hvk_lapic_is_x2apic(lapic))
		return false;
	switch (number) {
	case HVK_APIC_ID:
	case HVK_APIC_LDR:
	case HVK_APIC_ICR_HIGH:
		lapic->reg[number] = value & 0xff000000;
		return true;
	case HVK_APIC_DFR:
		lapic->reg[number] = value | HVK_DFR_CLUSTER;
		return true;
	case HVK_APIC_ICR:
		hvk_lapic_write_icr(lapic, value, lapic->reg[HVK_APIC_ICR_HIGH]);
		return true;
	}
	return false;
}

bool hvk_lapic_write(struct hvk_lapic *lapic, unsigned int number, u32 value)
{
	switch (number) {
	case HVK_APIC_EOI:
		hvk_lapic_eoi(lapic);
		return true;
	case HVK_APIC_INITIAL_COUNT:
		hvk_lapic_timer_count(lapic, value);
		return true;
	case HVK_APIC_TPR:
		lapic->reg[number] = value & 0xff;
		return true;
	case HVK_APIC_SVR:
		write_svr(lapic, value);
		return true;
	case HVK_APIC_ESR: /* no error is ever reported, so there is none to clear */
		return !hvk_lapic_is_x2apic(lapic) || !value;
	case HVK_APIC_LVT_TIMER ... HVK_APIC_LVT_ERROR:
		write_lvt(lapic, number, value);
		return true;
	case HVK_APIC_DIVIDE:
		hvk_lapic_timer_divide(lapic, value & 0xb);
		return true;
	case HVK_APIC_SELF_IPI:
		return hvk_lapic_is_x2apic(lapic) && send_to_self(lapic, value);
	default:
		return write_xapic(lapic, number, value);
	}
}
