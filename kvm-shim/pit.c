// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The 8254's channel 0, which interrupts on GSI 0, and how its ticks are kept when a guest is too
 * slow for them. The timer follows the rules of lapic_timer.c.
 */
#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "chip.h"
#include "pit.h"

static void stop_timer(struct hvk_pit *pit)
{
	pit->armed = false;
	hrtimer_try_to_cancel(&pit->hrtimer);
}

static void start_timer(struct hvk_pit *pit, u32 count, bool periodic)
{
	u64 interval = div64_u64((u64)count * NSEC_PER_SEC, HVK_PIT_HZ);

	stop_timer(pit);
	hvk_pit_forget_ticks(pit);
	pit->periodic = periodic;
	pit->period_ns = periodic ? max_t(u64, interval, HVK_MIN_PERIOD_NS) : interval;
	pit->armed = true;
	pit->target = ktime_add_ns(ktime_get(), interval);
	hrtimer_start(&pit->hrtimer, pit->target, HRTIMER_MODE_ABS);
}

/* A count is written, 0 for 65536: the channel counts from it at once. */
void hvk_pit_load(struct hvk_irqchip *chip, unsigned int which, u32 count)
{
	struct hvk_pit *pit = &chip->pit;
	struct kvm_pit_channel_state *channel = &pit->channel[which];

	channel->count = count ? count : HVK_PIT_MAX_COUNT;
	channel->count_load_time = ktime_to_ns(ktime_get());
	if (which)
		return;
	/* In the HPET's legacy mode the interrupt is the HPET's. */
	if (pit->flags & KVM_PIT_FLAGS_HPET_LEGACY) {
		stop_timer(pit);
		return;
	}
	switch (channel->mode) {
	case 0:
	case 1:
	case 4:
		start_timer(pit, channel->count, false);
		break;
	case 2:
	case 3:
		start_timer(pit, channel->count, true);
		break;
	default:
		stop_timer(pit);
	}
}

/* A guest that wired LINT0 for NMIs uses the PIT as a watchdog. */
static void tick_lint0(struct hvk_irqchip *chip)
{
	unsigned int i;

	for (i = 0; i < chip->lapics; i++) {
		u32 lint0 = chip->lapic[i]->reg[HVK_APIC_LVT_LINT0];

		if ((lint0 >> HVK_LVT_MODE_SHIFT & 7) == HVK_DELIVER_NMI)
			hvk_lapic_local(chip->lapic[i], HVK_APIC_LVT_LINT0);
	}
}

void hvk_pit_tick(struct hvk_irqchip *chip)
{
	struct hvk_pit *pit = &chip->pit;

	if (pit->reinject) {
		if (!pit->acked)
			return;
		pit->acked = false;
	}
	hvk_line(chip, HVK_SOURCE_PIT, 0, true);
	hvk_line(chip, HVK_SOURCE_PIT, 0, false);
	tick_lint0(chip);
}

void hvk_pit_acked(struct hvk_pit *pit)
{
	pit->acked = true;
	if (pit->pending && --pit->pending)
		pit->tick_due = true;
}

/* Ticks from before the guest cared are not made up. */
void hvk_pit_forget_ticks(struct hvk_pit *pit)
{
	pit->pending = 0;
	pit->tick_due = false;
	pit->acked = true;
}

static void expired(struct hvk_irqchip *chip, ktime_t now)
{
	struct hvk_pit *pit = &chip->pit;
	u64 ticks = 1;

	pit->armed = false;
	if (pit->periodic) {
		ticks += div64_u64(ktime_to_ns(ktime_sub(now, pit->target)), pit->period_ns);
		pit->armed = true;
		pit->target = ktime_add_ns(pit->target, ticks * pit->period_ns);
		hrtimer_start(&pit->hrtimer, pit->target, HRTIMER_MODE_ABS);
	}
	if (pit->reinject)
		pit->pending += min_t(u64, ticks, HVK_PIT_MAX_PENDING - pit->pending);
	hvk_pit_tick(chip);
}

static enum hrtimer_restart on_expiry(struct hrtimer *hrtimer)
{
	struct hvk_irqchip *chip = container_of(hrtimer, struct hvk_irqchip, pit.hrtimer);
	unsigned long flags = hvk_chip_lock(chip);
	ktime_t now = ktime_get();

	if (chip->pit.armed && ktime_compare(now, chip->pit.target) >= 0)
		expired(chip, now);
	hvk_chip_unlock(chip, flags);
	return HRTIMER_NORESTART;
}

void hvk_pit_init(struct hvk_irqchip *chip)
{
	struct hvk_pit *pit = &chip->pit;
	unsigned int which;

	hrtimer_init(&pit->hrtimer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	pit->hrtimer.function = on_expiry;
	pit->reinject = true;
	hvk_pit_forget_ticks(pit);
	for (which = 0; which < HVK_PIT_CHANNELS; which++) {
		pit->channel[which].mode = HVK_PIT_MODE_NONE;
		pit->channel[which].gate = which != HVK_PIT_SPEAKER_CHANNEL;
		hvk_pit_load(chip, which, 0);
	}
}

/* Without the lock: waits for an expiry that runs. */
void hvk_pit_stop(struct hvk_irqchip *chip)
{
	unsigned long flags = hvk_chip_lock(chip);

	stop_timer(&chip->pit);
	hvk_chip_unlock(chip, flags);
	hrtimer_cancel(&chip->pit.hrtimer);
}
