// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The ports of the two 8259s. Intel 8259A data sheet, "Programming the 8259A". */
#include <linux/compiler.h>
#include <linux/string.h>

#include "chip.h"

/* Operation command word 2, bits 7:5: rotate, specific, end of interrupt. */
enum ocw2 {
	OCW2_AUTO_EOI_ROTATES_NOT = 0,
	OCW2_EOI = 1,
	OCW2_SPECIFIC_EOI = 3,
	OCW2_AUTO_EOI_ROTATES = 4,
	OCW2_EOI_ROTATE = 5,
	OCW2_SET_PRIORITY = 6,
	OCW2_SPECIFIC_EOI_ROTATE = 7,
};

/* kvm_pic_state.init_state: which initialization command word comes next. */
enum next_word {
	NEXT_OCW1,
	NEXT_ICW2,
	NEXT_ICW3,
	NEXT_ICW4,
};

static void icw1(struct kvm_pic_state *state, u8 value)
{
	state->init4 = value & 1;
	state->last_irr = 0;
	state->irr &= state->elcr;
	state->imr = 0;
	state->isr = 0;
	state->priority_add = 0;
	state->special_mask = 0;
	state->read_reg_select = 0;
	if (!state->init4) {
		state->special_fully_nested_mode = 0;
		state->auto_eoi = 0;
	}
	state->init_state = NEXT_ICW2;
}

static void end_of_interrupt(struct hvk_irqchip *chip, unsigned int which, unsigned int pin,
			     bool rotate)
{
	if (rotate)
		chip->pic.state[which].priority_add = (pin + 1) & 7;
	hvk_pic_clear_isr(chip, which, pin);
}

static void ocw2(struct hvk_irqchip *chip, unsigned int which, u8 value)
{
	struct kvm_pic_state *state = &chip->pic.state[which];
	enum ocw2 command = value >> 5;
	unsigned int priority;

	switch (command) {
	case OCW2_AUTO_EOI_ROTATES_NOT:
	case OCW2_AUTO_EOI_ROTATES:
		state->rotate_on_auto_eoi = command == OCW2_AUTO_EOI_ROTATES;
		break;
	case OCW2_EOI:
	case OCW2_EOI_ROTATE:
		priority = hvk_pic_priority(state, state->isr);
		if (priority < 8)
			end_of_interrupt(chip, which, (priority + state->priority_add) & 7,
					 command == OCW2_EOI_ROTATE);
		break;
	case OCW2_SPECIFIC_EOI:
	case OCW2_SPECIFIC_EOI_ROTATE:
		end_of_interrupt(chip, which, value & 7, command == OCW2_SPECIFIC_EOI_ROTATE);
		break;
	case OCW2_SET_PRIORITY:
		state->priority_add = (value + 1) & 7;
		break;
	}
}

static void ocw3(struct kvm_pic_state *state, u8 value)
{
	if (value & BIT(2))
		state->poll = 1;
	if (value & BIT(1))
		state->read_reg_select = value & 1;
	if (value & BIT(6))
		state->special_mask = value >> 5 & 1;
}

static void set_mask(struct hvk_irqchip *chip, unsigned int which, u8 mask)
{
	struct kvm_pic_state *state = &chip->pic.state[which];
	u8 changed = state->imr ^ mask;
	unsigned int pin;

	state->imr = mask;
	for (pin = 0; pin < 8; pin++)
		if (changed & BIT(pin))
			hvk_routing_mask(chip, chip->routing->gsi_of_pic[8 * which + pin],
					 mask & BIT(pin));
}

static void write_odd(struct hvk_irqchip *chip, unsigned int which, u8 value)
{
	struct kvm_pic_state *state = &chip->pic.state[which];

	switch (state->init_state) {
	case NEXT_ICW2:
		state->irq_base = value & 0xf8;
		state->init_state = NEXT_ICW3;
		break;
	case NEXT_ICW3: /* how the two are wired cannot be changed */
		state->init_state = state->init4 ? NEXT_ICW4 : NEXT_OCW1;
		break;
	case NEXT_ICW4:
		state->special_fully_nested_mode = value >> 4 & 1;
		state->auto_eoi = value >> 1 & 1;
		state->init_state = NEXT_OCW1;
		break;
	default:
		set_mask(chip, which, value);
	}
}

static void write_port(struct hvk_irqchip *chip, unsigned int which, bool odd, u8 value)
{
	if (odd)
		write_odd(chip, which, value);
	else if (value & BIT(4))
		icw1(&chip->pic.state[which], value);
	else if (value & BIT(3))
		ocw3(&chip->pic.state[which], value);
	else
		ocw2(chip, which, value);
	hvk_pic_update(&chip->pic);
}

static u8 read_port(struct hvk_irqchip *chip, unsigned int which, bool odd)
{
	struct kvm_pic_state *state = &chip->pic.state[which];

	if (state->poll) {
		state->poll = 0;
		return hvk_pic_poll(chip, which);
	}
	if (odd)
		return state->imr;
	return state->read_reg_select ? state->isr : state->irr;
}

static void edge_level(struct kvm_pic_state *state, u8 *value, bool write)
{
	if (write)
		state->elcr = *value & state->elcr_mask;
	else
		*value = state->elcr;
}

bool hvk_pic_io(struct hvk_irqchip *chip, u16 port, u8 *value, bool write)
{
	unsigned int which = port >= 0xa0;

	switch (port) {
	case 0x20:
	case 0x21:
	case 0xa0:
	case 0xa1:
		if (write)
			write_port(chip, which, port & 1, *value);
		else
			*value = read_port(chip, which, port & 1);
		return true;
	case 0x4d0:
	case 0x4d1:
		edge_level(&chip->pic.state[port & 1], value, write);
		return true;
	}
	return false;
}

bool hvk_pic_pit_io(struct hvk_vm *vm, u16 port, void *data, unsigned int len, bool write)
{
	struct hvk_irqchip *chip = *hvk_irqchip_of(vm);
	u8 value = write ? *(u8 *)data : 0;
	unsigned long flags;
	bool ours;

	if (!chip || chip->split)
		return false;
	flags = hvk_chip_lock(chip);
	ours = hvk_pic_io(chip, port, &value, write) || hvk_pit_io(chip, port, &value, write);
	hvk_chip_unlock(chip, flags);
	if (ours && !write) {
		memset(data, 0, len);
		*(u8 *)data = value;
	}
	return ours;
}
