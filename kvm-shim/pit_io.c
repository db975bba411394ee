// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The 8254's ports, and port 61, which has the speaker's gate and output. */
#include <linux/ktime.h>
#include <linux/math64.h>

#include "chip.h"
#include "pit.h"

#define PORT_CHANNEL 0x40u
#define PORT_CONTROL 0x43u
#define PORT_SPEAKER 0x61u

static u64 elapsed(const struct kvm_pit_channel_state *channel)
{
	u64 ns = ktime_to_ns(ktime_get()) - channel->count_load_time;
	u64 rest, seconds = div64_u64_rem(ns, NSEC_PER_SEC, &rest);

	return seconds * HVK_PIT_HZ + div64_u64(rest * HVK_PIT_HZ, NSEC_PER_SEC);
}

/* Modes 2 and 3 begin anew at the end of the count; the others go on from 65535. */
static u16 counter(const struct kvm_pit_channel_state *channel)
{
	u64 rest, ticks = elapsed(channel);

	switch (channel->mode) {
	case 0:
	case 1:
	case 4:
	case 5:
		return channel->count - ticks;
	case 3:
		ticks *= 2;
		break;
	}
	div64_u64_rem(ticks, channel->count, &rest);
	return channel->count - rest;
}

static bool output(const struct kvm_pit_channel_state *channel)
{
	u64 rest, ticks = elapsed(channel);

	div64_u64_rem(ticks, channel->count, &rest);
	switch (channel->mode) {
	case 1:
		return ticks < channel->count;
	case 2:
		return ticks && !rest;
	case 3:
		return rest < (channel->count + 1) / 2;
	case 4:
	case 5:
		return ticks == channel->count;
	}
	return ticks >= channel->count;
}

static void latch_count(struct kvm_pit_channel_state *channel)
{
	if (channel->count_latched)
		return;
	channel->latched_count = counter(channel);
	channel->count_latched = channel->rw_mode;
}

static void latch_status(struct kvm_pit_channel_state *channel)
{
	if (channel->status_latched)
		return;
	channel->status = output(channel) << 7 | channel->rw_mode << 4 | (channel->mode & 7) << 1 |
			  channel->bcd;
	channel->status_latched = 1;
}

/* Bit 5 clear: the counts, bit 4 clear: the status, of the channels of bits 3:1. */
static void read_back(struct hvk_pit *pit, u8 value)
{
	unsigned int which;

	for (which = 0; which < HVK_PIT_CHANNELS; which++) {
		if (!(value & BIT(which + 1)))
			continue;
		if (!(value & BIT(5)))
			latch_count(&pit->channel[which]);
		if (!(value & BIT(4)))
			latch_status(&pit->channel[which]);
	}
}

static void control(struct hvk_pit *pit, u8 value)
{
	enum hvk_pit_access access = value >> 4 & 3;
	struct kvm_pit_channel_state *channel;
	unsigned int mode = value >> 1 & 7;

	if (value >> 6 == 3) {
		read_back(pit, value);
		return;
	}
	channel = &pit->channel[value >> 6];
	if (access == HVK_PIT_LATCH) {
		latch_count(channel);
		return;
	}
	channel->rw_mode = access;
	channel->read_state = access;
	channel->write_state = access;
	channel->mode = mode > 5 ? mode - 4 : mode;
	channel->bcd = value & 1;
}

static void write_count(struct hvk_irqchip *chip, unsigned int which, u8 value)
{
	struct kvm_pit_channel_state *channel = &chip->pit.channel[which];

	switch (channel->write_state) {
	case HVK_PIT_HIGH:
		hvk_pit_load(chip, which, value << 8);
		break;
	case HVK_PIT_BOTH:
		channel->write_latch = value;
		channel->write_state = HVK_PIT_BOTH_HIGH;
		break;
	case HVK_PIT_BOTH_HIGH:
		hvk_pit_load(chip, which, channel->write_latch | value << 8);
		channel->write_state = HVK_PIT_BOTH;
		break;
	default:
		hvk_pit_load(chip, which, value);
	}
}

static u8 read_latched(struct kvm_pit_channel_state *channel)
{
	u8 access = channel->count_latched;

	channel->count_latched = access == HVK_PIT_BOTH ? HVK_PIT_BOTH_HIGH : 0;
	if (access == HVK_PIT_HIGH || access == HVK_PIT_BOTH_HIGH)
		return channel->latched_count >> 8;
	return channel->latched_count;
}

static u8 read_count(struct kvm_pit_channel_state *channel)
{
	u8 access = channel->read_state;

	if (channel->status_latched) {
		channel->status_latched = 0;
		return channel->status;
	}
	if (channel->count_latched)
		return read_latched(channel);
	if (access == HVK_PIT_BOTH)
		channel->read_state = HVK_PIT_BOTH_HIGH;
	else if (access == HVK_PIT_BOTH_HIGH)
		channel->read_state = HVK_PIT_BOTH;
	if (access == HVK_PIT_HIGH || access == HVK_PIT_BOTH_HIGH)
		return counter(channel) >> 8;
	return counter(channel);
}

/* Only a rising gate does something: all modes but 0 and 4 begin anew. */
static void set_gate(struct kvm_pit_channel_state *channel, bool gate)
{
	if (gate && !channel->gate && channel->mode != 0 && channel->mode != 4)
		channel->count_load_time = ktime_to_ns(ktime_get());
	channel->gate = gate;
}

static void speaker(struct hvk_pit *pit, u8 *value, bool write)
{
	struct kvm_pit_channel_state *channel = &pit->channel[HVK_PIT_SPEAKER_CHANNEL];
	bool refresh = ktime_to_ns(ktime_get()) >> 14 & 1; /* some 15 us, as memory's refresh */

	if (write) {
		set_gate(channel, *value & 1);
		pit->flags &= ~KVM_PIT_FLAGS_SPEAKER_DATA_ON;
		if (*value & BIT(1))
			pit->flags |= KVM_PIT_FLAGS_SPEAKER_DATA_ON;
		return;
	}
	*value = channel->gate | refresh << 4 | output(channel) << 5;
	if (pit->flags & KVM_PIT_FLAGS_SPEAKER_DATA_ON)
		*value |= BIT(1);
}

bool hvk_pit_io(struct hvk_irqchip *chip, u16 port, u8 *value, bool write)
{
	struct hvk_pit *pit = &chip->pit;
	unsigned int which = port - PORT_CHANNEL;

	if (!pit->present)
		return false;
	if (port == PORT_SPEAKER && pit->speaker) {
		speaker(pit, value, write);
		return true;
	}
	if (port < PORT_CHANNEL || port > PORT_CONTROL)
		return false;
	if (write && port == PORT_CONTROL)
		control(pit, *value);
	else if (write)
		write_count(chip, which, *value);
	else if (port != PORT_CONTROL)
		*value = read_count(&pit->channel[which]);
	return true;
}
