// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Model-specific registers, one and by the thousand. */
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <linux/sched.h>
#include <asm/msr.h>

#include "hv_test.h"

#define RESCHEDULE_MASK 0xff

static int write_msr(u32 index, u64 value)
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
	hv_tell("fault %d\n", write_msr(argument[0], argument[1]));
	return 0;
}

/* Writes what is in the register already, so often. */
int hv_test_rewrite(const u64 *argument, unsigned int count)
{
	u64 value, left = argument[1], refused = 0;

	if (rdmsrl_safe(argument[0], &value))
		return -EIO;
	while (left--) {
		refused += write_msr(argument[0], value) != 0;
		if (!(left & RESCHEDULE_MASK))
			cond_resched();
	}
	hv_tell("writes %llu\nrefused %llu\n", argument[1], refused);
	return 0;
}

int hv_test_read_all(const u64 *argument, unsigned int count)
{
	u64 index, value, faults = 0;

	for (index = argument[0]; index <= argument[1]; index++) {
		faults += rdmsrl_safe(index, &value) != 0;
		if (!(index & RESCHEDULE_MASK))
			cond_resched();
	}
	hv_tell("reads %llu\nfaults %llu\n", argument[1] - argument[0] + 1, faults);
	return 0;
}

/* No interrupt between: it may need the register as it was. */
static int write_and_restore(u32 index, u64 value)
{
	unsigned long flags;
	u64 before;
	bool readable;
	int fault;

	local_irq_save(flags);
	readable = !rdmsrl_safe(index, &before);
	fault = write_msr(index, value);
	if (!fault && readable)
		write_msr(index, before);
	local_irq_restore(flags);
	return fault;
}

/* Each of a range of registers must refuse the value; one that takes it gets its own back. */
int hv_test_write_denied(const u64 *argument, unsigned int count)
{
	u64 index, taken = 0;

	for (index = argument[0]; index <= argument[1]; index++) {
		if (!write_and_restore(index, argument[2]) && !taken++)
			hv_tell("first_taken 0x%llx\n", index);
		if (!(index & RESCHEDULE_MASK))
			cond_resched();
	}
	hv_tell("writes %llu\ntaken %llu\n", argument[1] - argument[0] + 1, taken);
	return 0;
}
