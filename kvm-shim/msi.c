// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Message-signalled interrupts. SDM 3A 11.11 "Message Signalled Interrupts". */
#include <linux/errno.h>

#include "chip.h"

void hvk_msi_decode(const struct hvk_irqchip *chip, u32 address_low, u32 address_high, u32 data,
		    struct hvk_message *message)
{
	*message = (struct hvk_message) {
		.destination = address_low >> 12 & 0xff,
		.vector = data & 0xff,
		.delivery = data >> 8 & 7,
		.shorthand = HVK_TO_DESTINATION,
		.logical = address_low & BIT(2),
		.lowest_hint = address_low & BIT(3),
		.level_triggered = data & BIT(15),
		.asserted = true,
	};
	if (chip->wide_ids)
		message->destination |= address_high & 0xffffff00;
}

int hvk_send_msi(struct hvk_vm *vm, const struct kvm_msi *msi)
{
	struct hvk_irqchip *chip = *hvk_irqchip_of(vm);
	struct hvk_message message;
	unsigned long flags;
	int taken;

	if (!chip || msi->flags)
		return -EINVAL;
	if (chip->wide_ids && msi->address_hi & 0xff)
		return -EINVAL;
	flags = hvk_chip_lock(chip);
	hvk_msi_decode(chip, msi->address_lo, msi->address_hi, msi->data, &message);
	taken = hvk_deliver(chip, NULL, &message);
	hvk_chip_unlock(chip, flags);
	return taken;
}
