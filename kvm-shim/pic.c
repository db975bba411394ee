// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The two 8259s: requests, priorities, acknowledgment. Intel 8259A data sheet. */
#include <linux/compiler.h>
#include <linux/string.h>

#include "chip.h"

#define MASTER 0u
#define SLAVE 1u
#define CASCADE 2u /* the master's pin that the slave drives */
#define SPURIOUS 7

/* The PIIX's: IRQs 0 to 2, 8 and 13 are edge-triggered for good. */
void hvk_pic_init(struct hvk_pic *pic)
{
	memset(pic, 0, sizeof(*pic));
	pic->state[MASTER].elcr_mask = 0xf8;
	pic->state[SLAVE].elcr_mask = 0xde;
}

/* Distance of the first of the pins from the pin of highest priority; 8: there is none. */
unsigned int hvk_pic_priority(const struct kvm_pic_state *state, u8 pins)
{
	unsigned int distance;

	for (distance = 0; distance < 8; distance++)
		if (pins & BIT((distance + state->priority_add) & 7))
			break;
	return distance;
}

/* The pin that is to be served before what is in service, or -1. */
static int first(const struct hvk_pic *pic, unsigned int which)
{
	const struct kvm_pic_state *state = &pic->state[which];
	unsigned int request = hvk_pic_priority(state, state->irr & ~state->imr);
	u8 serving = state->isr;

	if (state->special_mask)
		serving &= ~state->imr;
	if (which == MASTER && state->special_fully_nested_mode)
		serving &= ~BIT(CASCADE);
	if (request == 8 || request >= hvk_pic_priority(state, serving))
		return -1;
	return (request + state->priority_add) & 7;
}

/* The slave's output is one of the master's inputs; the master's goes to the CPUs. */
void hvk_pic_update(struct hvk_pic *pic)
{
	bool output;

	if (first(pic, SLAVE) >= 0)
		pic->state[MASTER].irr |= BIT(CASCADE);
	else
		pic->state[MASTER].irr &= ~BIT(CASCADE);
	output = first(pic, MASTER) >= 0;
	if (output && !pic->output)
		pic->rose = true;
	WRITE_ONCE(pic->output, output);
}

/* < 0: masked, 0: one was already waiting, 1: a new one. */
static int drive(struct kvm_pic_state *state, u8 bit, bool level)
{
	bool was_high = state->last_irr & bit, was_waiting = state->irr & bit;
	bool level_triggered = state->elcr & bit;
	int taken = 1;

	if (level) {
		if (level_triggered || !was_high) {
			taken = !was_waiting;
			state->irr |= bit;
		}
		state->last_irr |= bit;
	} else {
		if (level_triggered)
			state->irr &= ~bit;
		state->last_irr &= ~bit;
	}
	return state->imr & bit ? -1 : taken;
}

int hvk_pic_set(struct hvk_irqchip *chip, unsigned int pin, enum hvk_source source, bool level)
{
	struct hvk_pic *pic = &chip->pic;
	int taken;

	if (level)
		pic->source[pin] |= BIT(source);
	else
		pic->source[pin] &= ~BIT(source);
	taken = drive(&pic->state[pin / 8], BIT(pin % 8), pic->source[pin]);
	hvk_pic_update(pic);
	return taken;
}

void hvk_pic_clear_isr(struct hvk_irqchip *chip, unsigned int which, unsigned int pin)
{
	chip->pic.state[which].isr &= ~BIT(pin);
	hvk_routing_acked(chip, chip->routing->gsi_of_pic[8 * which + pin]);
}

static void acknowledge(struct hvk_irqchip *chip, unsigned int which, unsigned int pin)
{
	struct kvm_pic_state *state = &chip->pic.state[which];

	state->isr |= BIT(pin);
	if (!(state->elcr & BIT(pin)))
		state->irr &= ~BIT(pin);
	if (!state->auto_eoi)
		return;
	if (state->rotate_on_auto_eoi)
		state->priority_add = (pin + 1) & 7;
	hvk_pic_clear_isr(chip, which, pin);
}

/* The vector that an acknowledgment would get now. */
int hvk_pic_peek(const struct hvk_pic *pic)
{
	int pin = first(pic, MASTER);

	if (pin != CASCADE)
		return pic->state[MASTER].irq_base + (pin < 0 ? SPURIOUS : pin);
	pin = first(pic, SLAVE);
	return pic->state[SLAVE].irq_base + (pin < 0 ? SPURIOUS : pin);
}

int hvk_pic_ack(struct hvk_irqchip *chip)
{
	int vector = hvk_pic_peek(&chip->pic);
	int pin = first(&chip->pic, MASTER);

	if (pin >= 0)
		acknowledge(chip, MASTER, pin);
	if (pin == CASCADE) {
		pin = first(&chip->pic, SLAVE);
		if (pin >= 0)
			acknowledge(chip, SLAVE, pin);
	}
	hvk_pic_update(&chip->pic);
	return vector;
}

/* A read after the poll command acknowledges, and tells the pin: bit 7 says that there is one. */
int hvk_pic_poll(struct hvk_irqchip *chip, unsigned int which)
{
	int pin = first(&chip->pic, which);

	if (pin < 0)
		return SPURIOUS;
	acknowledge(chip, which, pin);
	hvk_pic_update(&chip->pic);
	return 0x80 | pin;
}
