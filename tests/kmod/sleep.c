// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A machine that nothing wakes can still be sent to sleep as far as this: devices suspended, all
 * other
 * CPUs offline. The very last step is refused then, and Linux takes everything back.
 */
#include <linux/errno.h>
#include <linux/syscore_ops.h>

#include "hv_test.h"

static bool refusing;
static unsigned int refused;

static int refuse(void)
{
	refused++;
	return -EBUSY;
}

static struct syscore_ops operations = { .suspend = refuse };

void hv_test_sleep_allow(void)
{
	if (refusing)
		unregister_syscore_ops(&operations);
	refusing = false;
}

/* 1: the last step of going to sleep fails from now on; 0: no more. Tells how often it did. */
int hv_test_sleepless(const u64 *argument, unsigned int count)
{
	hv_test_sleep_allow();
	if (argument[0]) {
		register_syscore_ops(&operations);
		refusing = true;
	}
	hv_tell("refused %u\n", refused);
	return 0;
}
