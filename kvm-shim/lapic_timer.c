// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The LAPIC's timer: one-shot, periodic, TSC deadline. SDM 3A 11.5.4 "APIC Timer".
 *
 * The lock may be held while the expiry waits for it on another CPU. So nothing here waits for an
 * expiry; one that finds itself disarmed, or too early for what was set meanwhile, does nothing.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "chip.h"

#define NS_PER_MS 1000000u
/* Further away than this is never: ten years. */
#define MAX_DELAY_MS (10ull * 365 * 24 * 3600 * 1000)

static u32 mode_of(const struct hvk_lapic *lapic)
{
	return lapic->reg[HVK_APIC_LVT_TIMER] & HVK_LVT_TIMER_MODE;
}

/* Bits 3, 1 and 0: 000 divides by 2, 110 by 128, and 111 by 1. */
static u32 divisor(const struct hvk_lapic *lapic)
{
	u32 divide = lapic->reg[HVK_APIC_DIVIDE];

	return 1u << (((divide & 3) | (divide & 8) >> 1) + 1) % 8;
}

static u64 count_ns(const struct hvk_lapic *lapic, u32 count)
{
	return (u64)count * HVK_APIC_BUS_NS * divisor(lapic);
}

static u64 period_ns(const struct hvk_lapic *lapic)
{
	u64 period = count_ns(lapic, lapic->reg[HVK_APIC_INITIAL_COUNT]);

	if (period && mode_of(lapic) == HVK_LVT_PERIODIC)
		period = max_t(u64, period, HVK_MIN_PERIOD_NS);
	return period;
}

static void start_at(struct hvk_lapic *lapic, ktime_t target)
{
	lapic->timer.armed = true;
	lapic->timer.target = target;
	hrtimer_start(&lapic->timer.hrtimer, target, HRTIMER_MODE_ABS);
}

void hvk_lapic_timer_stop(struct hvk_lapic *lapic)
{
	lapic->timer.armed = false;
	hrtimer_try_to_cancel(&lapic->timer.hrtimer);
}

/* Nanoseconds until the guest's TSC reaches the deadline, rounded up; 0: it has. */
static u64 deadline_delay(struct hvk_lapic *lapic)
{
	u64 now = hvk_guest_tsc(lapic->vcpu);
	u32 khz = hvk_guest_tsc_khz(lapic->vcpu);
	u64 ms, rest;

	if (lapic->timer.tsc_deadline <= now || !khz)
		return 0;
	ms = div64_u64_rem(lapic->timer.tsc_deadline - now, khz, &rest);
	return min(ms, MAX_DELAY_MS) * NS_PER_MS + div64_u64(rest * NS_PER_MS, khz) + 1;
}

static void start_deadline(struct hvk_lapic *lapic)
{
	u64 delay;

	hvk_lapic_timer_stop(lapic);
	if (!lapic->timer.tsc_deadline)
		return;
	delay = deadline_delay(lapic);
	if (delay) {
		start_at(lapic, ktime_add_ns(ktime_get(), delay));
		return;
	}
	lapic->timer.tsc_deadline = 0;
	hvk_lapic_local(lapic, HVK_APIC_LVT_TIMER);
}

/* Periods that went by unseen are one interrupt, as they are while a vector waits in IRR. */
static void expired(struct hvk_lapic *lapic, ktime_t now)
{
	struct hvk_lapic_timer *timer = &lapic->timer;
	u64 missed;

	timer->armed = false;
	if (mode_of(lapic) == HVK_LVT_TSC_DEADLINE) {
		/* Comes a little early when the host's clocks drift; then it waits for the rest. */
		start_deadline(lapic);
		return;
	}
	hvk_lapic_local(lapic, HVK_APIC_LVT_TIMER);
	if (mode_of(lapic) == HVK_LVT_PERIODIC && timer->period_ns) {
		missed = div64_u64(ktime_to_ns(ktime_sub(now, timer->target)), timer->period_ns);
		start_at(lapic, ktime_add_ns(timer->target, (missed + 1) * timer->period_ns));
	}
}

static enum hrtimer_restart on_expiry(struct hrtimer *hrtimer)
{
	struct hvk_lapic *lapic = container_of(hrtimer, struct hvk_lapic, timer.hrtimer);
	unsigned long flags = hvk_chip_lock(lapic->chip);
	ktime_t now = ktime_get();

	if (lapic->timer.armed && ktime_compare(now, lapic->timer.target) >= 0)
		expired(lapic, now);
	hvk_chip_unlock(lapic->chip, flags);
	return HRTIMER_NORESTART;
}

void hvk_lapic_timer_init(struct hvk_lapic *lapic)
{
	hrtimer_init(&lapic->timer.hrtimer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	lapic->timer.hrtimer.function = on_expiry;
}

/* A write of the initial count starts the countdown; 0 stops it. */
void hvk_lapic_timer_count(struct hvk_lapic *lapic, u32 initial)
{
	if (mode_of(lapic) == HVK_LVT_TSC_DEADLINE)
		return;
	hvk_lapic_timer_stop(lapic);
	lapic->reg[HVK_APIC_INITIAL_COUNT] = initial;
	lapic->timer.period_ns = period_ns(lapic);
	if (initial)
		start_at(lapic, ktime_add_ns(ktime_get(), lapic->timer.period_ns));
}

/* After a client put the registers back: goes on from the count that they were saved with. */
void hvk_lapic_timer_resume(struct hvk_lapic *lapic, u32 current_count)
{
	u64 left;

	hvk_lapic_timer_stop(lapic);
	lapic->timer.period_ns = period_ns(lapic);
	if (mode_of(lapic) == HVK_LVT_TSC_DEADLINE) {
		start_deadline(lapic);
		return;
	}
	if (!lapic->timer.period_ns || (!current_count && mode_of(lapic) == HVK_LVT_ONE_SHOT))
		return;
	left = min(count_ns(lapic, current_count), lapic->timer.period_ns);
	start_at(lapic, ktime_add_ns(ktime_get(), left ? left : lapic->timer.period_ns));
}

/* Between counting and deadline nothing is carried over. */
void hvk_lapic_timer_mode(struct hvk_lapic *lapic, u32 lvt)
{
	bool was_deadline = mode_of(lapic) == HVK_LVT_TSC_DEADLINE;

	lapic->reg[HVK_APIC_LVT_TIMER] = lvt;
	if (was_deadline != (mode_of(lapic) == HVK_LVT_TSC_DEADLINE)) {
		hvk_lapic_timer_stop(lapic);
		lapic->reg[HVK_APIC_INITIAL_COUNT] = 0;
		lapic->timer.tsc_deadline = 0;
	}
	lapic->timer.period_ns = period_ns(lapic);
}

/* What is left of the countdown is counted at the new speed. */
void hvk_lapic_timer_divide(struct hvk_lapic *lapic, u32 divide)
{
	u32 before = divisor(lapic);
	s64 left;

	lapic->reg[HVK_APIC_DIVIDE] = divide;
	if (before == divisor(lapic) || mode_of(lapic) == HVK_LVT_TSC_DEADLINE)
		return;
	lapic->timer.period_ns = period_ns(lapic);
	if (!lapic->timer.armed)
		return;
	left = max_t(s64, ktime_to_ns(ktime_sub(lapic->timer.target, ktime_get())), 0);
	hvk_lapic_timer_stop(lapic);
	start_at(lapic, ktime_add_ns(ktime_get(), div64_u64(left, before) * divisor(lapic)));
}

u32 hvk_lapic_timer_current(const struct hvk_lapic *lapic)
{
	const struct hvk_lapic_timer *timer = &lapic->timer;
	s64 left;

	if (!timer->armed || !timer->period_ns || mode_of(lapic) == HVK_LVT_TSC_DEADLINE)
		return 0;
	left = ktime_to_ns(ktime_sub(timer->target, ktime_get()));
	if (left <= 0)
		return 0;
	return div64_u64(left, HVK_APIC_BUS_NS * divisor(lapic));
}

u64 hvk_lapic_deadline(const struct hvk_lapic *lapic)
{
	return lapic->timer.tsc_deadline;
}

void hvk_lapic_set_deadline(struct hvk_lapic *lapic, u64 tsc)
{
	if (mode_of(lapic) != HVK_LVT_TSC_DEADLINE)
		return;
	lapic->timer.tsc_deadline = tsc;
	start_deadline(lapic);
}

void hvk_lapic_tsc_changed(struct hvk_vcpu *vcpu)
{
	struct hvk_lapic *lapic = *hvk_lapic_of(vcpu);
	unsigned long flags;

	if (!lapic)
		return;
	flags = hvk_chip_lock(lapic->chip);
	if (mode_of(lapic) == HVK_LVT_TSC_DEADLINE)
		start_deadline(lapic);
	hvk_chip_unlock(lapic->chip, flags);
}
