// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The PIT as the client makes it, saves it and puts it back. */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/string.h>

#include "chip.h"
#include "pit.h"

int hvk_pit_create(struct hvk_vm *vm, u32 flags)
{
	struct hvk_irqchip *chip = *hvk_irqchip_of(vm);
	unsigned long irq_flags;
	int error = 0;

	if (!chip || chip->split)
		return -ENOENT;
	if (flags & ~KVM_PIT_SPEAKER_DUMMY)
		return -EINVAL;
	irq_flags = hvk_chip_lock(chip);
	if (chip->pit.present)
		error = -EEXIST;
	chip->pit.present = true;
	if (!error)
		chip->pit.speaker = flags & KVM_PIT_SPEAKER_DUMMY;
	hvk_chip_unlock(chip, irq_flags);
	return error;
}

static struct hvk_irqchip *with_pit(struct hvk_vm *vm)
{
	struct hvk_irqchip *chip = *hvk_irqchip_of(vm);

	return chip && READ_ONCE(chip->pit.present) ? chip : NULL;
}

int hvk_get_pit(struct hvk_vm *vm, struct kvm_pit_state2 *state)
{
	struct hvk_irqchip *chip = with_pit(vm);
	unsigned long flags;

	if (!chip)
		return -ENXIO;
	memset(state, 0, sizeof(*state));
	flags = hvk_chip_lock(chip);
	memcpy(state->channels, chip->pit.channel, sizeof(state->channels));
	state->flags = chip->pit.flags;
	hvk_chip_unlock(chip, flags);
	return 0;
}

/* All channels count from their start: when the state was saved means nothing here. */
int hvk_set_pit(struct hvk_vm *vm, const struct kvm_pit_state2 *state)
{
	const u32 known = KVM_PIT_FLAGS_HPET_LEGACY | KVM_PIT_FLAGS_SPEAKER_DATA_ON;
	struct hvk_irqchip *chip = with_pit(vm);
	unsigned int which;
	unsigned long flags;

	if (!chip)
		return -ENXIO;
	flags = hvk_chip_lock(chip);
	memcpy(chip->pit.channel, state->channels, sizeof(chip->pit.channel));
	chip->pit.flags = state->flags & known;
	for (which = 0; which < HVK_PIT_CHANNELS; which++)
		hvk_pit_load(chip, which, state->channels[which].count % HVK_PIT_MAX_COUNT);
	hvk_chip_unlock(chip, flags);
	return 0;
}

int hvk_pit_reinject(struct hvk_vm *vm, bool on)
{
	struct hvk_irqchip *chip = with_pit(vm);
	unsigned long flags;

	if (!chip)
		return -ENXIO;
	flags = hvk_chip_lock(chip);
	if (on != chip->pit.reinject)
		hvk_pit_forget_ticks(&chip->pit);
	chip->pit.reinject = on;
	hvk_chip_unlock(chip, flags);
	return 0;
}
