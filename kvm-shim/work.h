/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What Linux wants from a thread before it enters a guest again. */
#ifndef HVK_WORK_H
#define HVK_WORK_H

#include <linux/entry-kvm.h>
#include <linux/types.h>

int hvk_work_init(void);
void hvk_work_exit(void);

/* With interrupts off: whether hvk_work_do() has to be called first. */
static inline bool hvk_work_pending(void)
{
	return xfer_to_guest_mode_work_pending();
}

/* 0, or -EINTR for a signal. */
int hvk_work_do(void);

#endif
