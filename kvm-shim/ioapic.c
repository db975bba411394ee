// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The IOAPIC's registers, as a guest reaches them. Intel 82093AA data sheet. */
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/string.h>

#include "chip.h"

#define HVK_IOAPIC_PAGE 0x100u
#define HVK_IOAPIC_SELECT 0x00u
#define HVK_IOAPIC_WINDOW 0x10u

#define HVK_IOAPIC_ID 0u
#define HVK_IOAPIC_VERSION 1u
#define HVK_IOAPIC_ARBITRATION 2u
#define HVK_IOAPIC_ENTRIES 0x10u

static u32 window_read(const struct hvk_ioapic *ioapic)
{
	u32 select = ioapic->select;
	unsigned int pin = (select - HVK_IOAPIC_ENTRIES) / 2;

	switch (select) {
	case HVK_IOAPIC_VERSION:
		return (HVK_IOAPIC_PINS - 1) << 16 | 0x11;
	case HVK_IOAPIC_ID:
	case HVK_IOAPIC_ARBITRATION:
		return (ioapic->id & 0xf) << 24;
	}
	if (select < HVK_IOAPIC_ENTRIES || pin >= HVK_IOAPIC_PINS)
		return ~0u;
	pin = array_index_nospec(pin, HVK_IOAPIC_PINS);
	return ioapic->entry[pin] >> (select & 1 ? 32 : 0);
}

static void write_entry(struct hvk_irqchip *chip, unsigned int pin, bool high, u32 value)
{
	const u64 read_only = HVK_ENTRY_STATUS | HVK_ENTRY_REMOTE_IRR;
	u64 *entry = &chip->ioapic.entry[pin];
	u64 before = *entry;

	if (high)
		*entry = (u64)value << 32 | (u32)before;
	else
		*entry = (before & (~0xffffffffull | read_only)) | (value & ~read_only);
	/* An entry made edge-triggered forgets: guests clear a stuck remote IRR in this way. */
	if (!(*entry & HVK_ENTRY_LEVEL))
		*entry &= ~HVK_ENTRY_REMOTE_IRR;
	if ((before ^ *entry) & HVK_ENTRY_MASKED)
		hvk_routing_mask(chip, chip->routing->gsi_of_ioapic[pin],
				 *entry & HVK_ENTRY_MASKED);
	if (*entry & HVK_ENTRY_LEVEL && chip->ioapic.high & BIT(pin))
		hvk_ioapic_service(chip, pin);
}

static void window_write(struct hvk_irqchip *chip, u32 value)
{
	u32 select = chip->ioapic.select;
	unsigned int pin = (select - HVK_IOAPIC_ENTRIES) / 2;

	if (select == HVK_IOAPIC_ID) {
		chip->ioapic.id = value >> 24 & 0xf;
		return;
	}
	if (select < HVK_IOAPIC_ENTRIES || pin >= HVK_IOAPIC_PINS)
		return;
	write_entry(chip, array_index_nospec(pin, HVK_IOAPIC_PINS), select & 1, value);
}

static u32 read_register(const struct hvk_ioapic *ioapic, unsigned int offset)
{
	switch (offset) {
	case HVK_IOAPIC_SELECT:
		return ioapic->select;
	case HVK_IOAPIC_WINDOW:
		return window_read(ioapic);
	}
	return 0;
}

static void write_register(struct hvk_irqchip *chip, unsigned int offset, u32 value)
{
	switch (offset) {
	case HVK_IOAPIC_SELECT:
		chip->ioapic.select = value & 0xff;
		break;
	case HVK_IOAPIC_WINDOW:
		window_write(chip, value);
		break;
	}
}

bool hvk_ioapic_mmio(struct hvk_vm *vm, u64 gpa, void *data, unsigned int len, bool write)
{
	struct hvk_irqchip *chip = *hvk_irqchip_of(vm);
	unsigned int used = min_t(unsigned int, len, sizeof(u32));
	unsigned long flags;
	u64 offset;
	u32 value = 0;

	if (!chip || chip->split)
		return false;
	offset = gpa - READ_ONCE(chip->ioapic.base);
	if (offset >= HVK_IOAPIC_PAGE)
		return false;
	flags = hvk_chip_lock(chip);
	if (write) {
		memcpy(&value, data, used);
		write_register(chip, offset, value);
	} else {
		value = read_register(&chip->ioapic, offset);
		memset(data, 0, len);
		memcpy(data, &value, used);
	}
	hvk_chip_unlock(chip, flags);
	return true;
}
