// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Model-specific registers, one and by the thousand. */
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <linux/sched.h>
#include <asm/msr.h>

#include "hv_test.h"

#define RESCHEDULE_MASK 0xff

int hv_test_write_msr(u32 index, u64 value)
{
	return HV_FAULT_OF("wrmsr", "c" (index), "a" ((u32)value), "d" ((u32)(value >> 32)));
}

int hv_test_rdmsr(const u64 *argument, unsigned int count)
{
	u64 value = 0;
	int error = rdmsrl_safe(argument[0], &value);

	hv_tell("fault %d\nvalue 0x%llx\n", error ? 13 : 0, value);
	return 0;
}

int hv_test_wrmsr(const u64 *argument, unsigned int count)
{
	hv_tell("fault %d\n", hv_test_write_msr(argument[0], argument[1]));
	return 0;
}

/* What it had comes back at once, before an interrupt or a system call needs it. */
int hv_test_lend_msr(const u64 *argument, unsigned int count)
{
	u64 before, during = 0;
	unsigned long flags;
	int fault;

	if (rdmsrl_safe(argument[0], &before))
		return -EIO;
	local_irq_save(flags);
	fault = hv_test_write_msr(argument[0], argument[1]);
	rdmsrl_safe(argument[0], &during);
	if (!fault)
		hv_test_write_msr(argument[0], before);
	local_irq_restore(flags);
	hv_tell("fault %d\nbefore 0x%llx\nduring 0x%llx\n", fault, before, during);
	return 0;
}

/* Writes what is in the register already, so often. */
int hv_test_rewrite(const u64 *argument, unsigned int count)
{
	u64 value, left = argument[1], refused = 0;

	if (rdmsrl_safe(argument[0], &value))
		return -EIO;
	while (left--) {
		refused += hv_test_write_msr(argument[0], value) != 0;
		if (!(left & RESCHEDULE_MASK))
			cond_resched();
	}
	hv_tell("writes %llu\nrefused %llu\n", argument[1], refused);
	return 0;
}
