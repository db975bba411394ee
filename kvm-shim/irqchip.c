// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A VM's interrupt controllers: made, locked, saved, put back. */
#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/barrier.h>

#include "chip.h"

unsigned long hvk_chip_lock(struct hvk_irqchip *chip)
{
	unsigned long flags;

	spin_lock_irqsave(&chip->lock, flags);
	return flags;
}

/* The CPUs that listen to the PIC have to look at it. */
static void tell_output(struct hvk_irqchip *chip)
{
	unsigned int i;

	chip->pic.rose = false;
	for (i = 0; i < chip->lapics; i++)
		if (hvk_lapic_takes_extint(chip->lapic[i]))
			hvk_kick(chip->lapic[i]->vcpu);
}

void hvk_chip_unlock(struct hvk_irqchip *chip, unsigned long flags)
{
	if (chip->pit.tick_due) {
		chip->pit.tick_due = false;
		hvk_pit_tick(chip);
	}
	if (chip->pic.rose)
		tell_output(chip);
	spin_unlock_irqrestore(&chip->lock, flags);
}

int hvk_irqchip_create(struct hvk_vm *vm, bool split, unsigned int ioapic_pins)
{
	struct hvk_irqchip *chip;

	if (*hvk_irqchip_of(vm))
		return -EEXIST;
	if (split && ioapic_pins > HVK_MAX_ROUTES)
		return -EINVAL;
	chip = kzalloc(sizeof(*chip), GFP_KERNEL_ACCOUNT);
	if (!chip)
		return -ENOMEM;
	chip->routing = hvk_routing_default(split);
	if (!chip->routing) {
		kfree(chip);
		return -ENOMEM;
	}
	spin_lock_init(&chip->lock);
	chip->split = split;
	chip->split_pins = split ? ioapic_pins : 0;
	hvk_ioapic_init(&chip->ioapic);
	hvk_pic_init(&chip->pic);
	hvk_pit_init(chip);
	/* Whoever sees the chip sees it whole. */
	smp_store_release(hvk_irqchip_of(vm), chip);
	return 0;
}

void hvk_irqchip_destroy(struct hvk_vm *vm)
{
	struct hvk_irqchip *chip = *hvk_irqchip_of(vm);

	if (!chip)
		return;
	hvk_pit_stop(chip);
	*hvk_irqchip_of(vm) = NULL;
	kvfree(chip->routing);
	kfree(chip);
}

bool hvk_irqchip_is_split(struct hvk_vm *vm)
{
	const struct hvk_irqchip *chip = *hvk_irqchip_of(vm);

	return chip && chip->split;
}

static struct hvk_irqchip *whole(struct hvk_vm *vm)
{
	struct hvk_irqchip *chip = *hvk_irqchip_of(vm);

	return chip && !chip->split ? chip : NULL;
}

int hvk_get_irqchip(struct hvk_vm *vm, struct kvm_irqchip *state)
{
	struct hvk_irqchip *chip = whole(vm);
	unsigned long flags;
	int error = 0;

	if (!chip)
		return -ENXIO;
	memset(&state->chip, 0, sizeof(state->chip));
	flags = hvk_chip_lock(chip);
	switch (state->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		state->chip.pic = chip->pic.state[state->chip_id == KVM_IRQCHIP_PIC_SLAVE];
		break;
	case KVM_IRQCHIP_IOAPIC:
		hvk_ioapic_get_state(&chip->ioapic, &state->chip.ioapic);
		break;
	default:
		error = -EINVAL;
	}
	hvk_chip_unlock(chip, flags);
	return error;
}

int hvk_set_irqchip(struct hvk_vm *vm, const struct kvm_irqchip *state)
{
	struct hvk_irqchip *chip = whole(vm);
	unsigned long flags;
	int error = 0;

	if (!chip)
		return -ENXIO;
	flags = hvk_chip_lock(chip);
	switch (state->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		chip->pic.state[state->chip_id == KVM_IRQCHIP_PIC_SLAVE] = state->chip.pic;
		hvk_pic_update(&chip->pic);
		break;
	case KVM_IRQCHIP_IOAPIC:
		hvk_ioapic_set_state(chip, &state->chip.ioapic);
		break;
	default:
		error = -EINVAL;
	}
	hvk_chip_unlock(chip, flags);
	return error;
}

int hvk_x2apic_api(struct hvk_vm *vm, u64 flags)
{
	const u64 known = KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK;
	struct hvk_irqchip *chip = *hvk_irqchip_of(vm);
	unsigned long irq_flags;

	if (!chip || flags & ~known)
		return -EINVAL;
	irq_flags = hvk_chip_lock(chip);
	chip->wide_ids |= flags & KVM_X2APIC_API_USE_32BIT_IDS;
	chip->no_broadcast_quirk |= flags & KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK;
	hvk_chip_unlock(chip, irq_flags);
	return 0;
}
