// SPDX-License-Identifier: MIT
#ifndef SHIM_KERNEL_HRTIMER_H
#define SHIM_KERNEL_HRTIMER_H

// Timers of the fake clock (fake_kernel.cpp).
#include <linux/kernel.h>
#include <linux/ktime.h>

#define CLOCK_MONOTONIC 1

enum hrtimer_restart { HRTIMER_NORESTART, HRTIMER_RESTART };
enum hrtimer_mode { HRTIMER_MODE_ABS };

struct hrtimer {
    enum hrtimer_restart (*function)(struct hrtimer* timer);
    ktime_t expires;
};

#ifdef __cplusplus
extern "C" {
#endif
void hrtimer_init(struct hrtimer* timer, int clock, enum hrtimer_mode mode);
void hrtimer_start(struct hrtimer* timer, ktime_t expires, enum hrtimer_mode mode);
int hrtimer_try_to_cancel(struct hrtimer* timer);
int hrtimer_cancel(struct hrtimer* timer);
#ifdef __cplusplus
}
#endif

#endif
