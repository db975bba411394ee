// SPDX-License-Identifier: GPL-2.0 OR MIT
/* From a GSI to pins of the PIC and the IOAPIC, or to an MSI. */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "chip.h"

static struct hvk_routing *create(unsigned int routes)
{
	struct hvk_routing *routing;

	routing = kvzalloc(struct_size(routing, route, routes), GFP_KERNEL_ACCOUNT);
	if (routing) {
		memset(routing->gsi_of_pic, 0xff, sizeof(routing->gsi_of_pic));
		memset(routing->gsi_of_ioapic, 0xff, sizeof(routing->gsi_of_ioapic));
	}
	return routing;
}

static int add_pin(struct hvk_routing *routing, struct hvk_route *route,
		   const struct kvm_irq_routing_entry *entry)
{
	unsigned int pin = entry->u.irqchip.pin;

	route->chip = entry->u.irqchip.irqchip;
	switch (route->chip) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		if (pin >= HVK_PIC_PINS / 2)
			return -EINVAL;
		route->pin = pin + (route->chip == KVM_IRQCHIP_PIC_SLAVE ? HVK_PIC_PINS / 2 : 0);
		routing->gsi_of_pic[route->pin] = entry->gsi;
		return 0;
	case KVM_IRQCHIP_IOAPIC:
		if (pin >= HVK_IOAPIC_PINS)
			return -EINVAL;
		route->pin = pin;
		routing->gsi_of_ioapic[pin] = entry->gsi;
		return 0;
	}
	return -EINVAL;
}

/* One GSI has either a pin of each chip, or one MSI. */
static bool is_taken(const struct hvk_routing *routing, const struct kvm_irq_routing_entry *entry)
{
	unsigned int at;

	for (at = routing->first[entry->gsi]; at; at = routing->route[at - 1].next) {
		const struct hvk_route *route = &routing->route[at - 1];

		if (route->type != KVM_IRQ_ROUTING_IRQCHIP ||
		    entry->type != KVM_IRQ_ROUTING_IRQCHIP ||
		    route->chip == entry->u.irqchip.irqchip)
			return true;
	}
	return false;
}

static int add(const struct hvk_irqchip *chip, struct hvk_routing *routing,
	       const struct kvm_irq_routing_entry *entry)
{
	struct hvk_route *route = &routing->route[routing->count];
	int error;

	if (entry->gsi >= HVK_MAX_ROUTES || is_taken(routing, entry))
		return -EINVAL;
	switch (entry->type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
		if (entry->flags || (chip && chip->split))
			return -EINVAL;
		error = add_pin(routing, route, entry);
		if (error)
			return error;
		break;
	case KVM_IRQ_ROUTING_MSI:
		if (entry->flags & ~KVM_MSI_VALID_DEVID)
			return -EINVAL;
		if (chip && chip->wide_ids && entry->u.msi.address_hi & 0xff)
			return -EINVAL;
		route->address_low = entry->u.msi.address_lo;
		route->address_high = entry->u.msi.address_hi;
		route->data = entry->u.msi.data;
		break;
	default:
		return -EINVAL;
	}
	route->type = entry->type;
	route->next = routing->first[entry->gsi];
	routing->first[entry->gsi] = ++routing->count;
	return 0;
}

/* A PC's: GSIs 0 to 15 are a pin of the PIC and one of the IOAPIC, the others the IOAPIC's. */
struct hvk_routing *hvk_routing_default(bool split)
{
	struct hvk_routing *routing = create(HVK_IOAPIC_PINS + HVK_PIC_PINS);
	struct kvm_irq_routing_entry entry = { .type = KVM_IRQ_ROUTING_IRQCHIP };
	unsigned int gsi;

	if (!routing || split)
		return routing;
	for (gsi = 0; gsi < HVK_IOAPIC_PINS; gsi++) {
		entry.gsi = gsi;
		entry.u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
		entry.u.irqchip.pin = gsi;
		add(NULL, routing, &entry);
		if (gsi >= HVK_PIC_PINS)
			continue;
		entry.u.irqchip.irqchip = gsi < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE;
		entry.u.irqchip.pin = gsi % 8;
		add(NULL, routing, &entry);
	}
	return routing;
}

int hvk_set_routing(struct hvk_vm *vm, const struct kvm_irq_routing_entry *entries,
		    unsigned int count, unsigned int flags)
{
	struct hvk_irqchip *chip = *hvk_irqchip_of(vm);
	struct hvk_routing *routing, *old;
	unsigned long irq_flags;
	unsigned int i;
	int error = 0;

	if (!chip || count > HVK_MAX_ROUTES || flags)
		return -EINVAL;
	routing = create(count);
	if (!routing)
		return -ENOMEM;
	for (i = 0; i < count && !error; i++)
		error = add(chip, routing, &entries[i]);
	if (error) {
		kvfree(routing);
		return error;
	}
	irq_flags = hvk_chip_lock(chip);
	old = chip->routing;
	chip->routing = routing;
	hvk_chip_unlock(chip, irq_flags);
	kvfree(old);
	return 0;
}

static int drive(struct hvk_irqchip *chip, const struct hvk_route *route, enum hvk_source source,
		 bool level)
{
	struct hvk_message message;

	if (route->type == KVM_IRQ_ROUTING_IRQCHIP)
		return route->chip == KVM_IRQCHIP_IOAPIC ?
			       hvk_ioapic_set(chip, route->pin, source, level) :
			       hvk_pic_set(chip, route->pin, source, level);
	if (!level)
		return -1;
	hvk_msi_decode(chip, route->address_low, route->address_high, route->data, &message);
	return hvk_deliver(chip, NULL, &message);
}

int hvk_line(struct hvk_irqchip *chip, enum hvk_source source, u32 gsi, bool level)
{
	const struct hvk_routing *routing = chip->routing;
	unsigned int at;
	int taken = -1;

	if (gsi >= HVK_MAX_ROUTES)
		return -1;
	gsi = array_index_nospec(gsi, HVK_MAX_ROUTES);
	for (at = routing->first[gsi]; at; at = routing->route[at - 1].next) {
		int by_this = drive(chip, &routing->route[at - 1], source, level);

		if (by_this >= 0)
			taken = max(taken, 0) + by_this;
	}
	return taken;
}

int hvk_set_irq(struct hvk_vm *vm, u32 gsi, int level)
{
	struct hvk_irqchip *chip = *hvk_irqchip_of(vm);
	unsigned long flags;
	int taken;

	if (!chip)
		return -ENXIO;
	flags = hvk_chip_lock(chip);
	taken = hvk_line(chip, HVK_SOURCE_CLIENT, gsi, level);
	hvk_chip_unlock(chip, flags);
	return taken;
}

/* The interrupt of a GSI was acknowledged, or the GSI's pin masked. The PIT, on GSI 0, listens. */
void hvk_routing_acked(struct hvk_irqchip *chip, int gsi)
{
	if (gsi == 0)
		hvk_pit_acked(&chip->pit);
}

void hvk_routing_mask(struct hvk_irqchip *chip, int gsi, bool masked)
{
	if (gsi == 0 && !masked)
		hvk_pit_forget_ticks(&chip->pit);
}
