// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Debug registers. Each change is undone at once; none switches a breakpoint on that could hit. */
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>

#include "hv_test.h"

/* While CR4.DE is clear; #UD otherwise. */
#define OTHER_DR7 5

static bool known(u64 number)
{
	return number <= 3 || number == OTHER_DR7 || number == 7;
}

static u64 read_dr(u64 number)
{
	u64 value = 0;

	switch (number) {
	case 0:
		asm volatile("movq %%db0, %0" : "=r" (value));
		break;
	case 1:
		asm volatile("movq %%db1, %0" : "=r" (value));
		break;
	case 2:
		asm volatile("movq %%db2, %0" : "=r" (value));
		break;
	case 3:
		asm volatile("movq %%db3, %0" : "=r" (value));
		break;
	case OTHER_DR7:
		asm volatile("movq %%db5, %0" : "=r" (value));
		break;
	case 7:
		asm volatile("movq %%db7, %0" : "=r" (value));
		break;
	}
	return value;
}

static int write_dr(u64 number, u64 value)
{
	switch (number) {
	case 0:
		return HV_FAULT_OF("movq %1, %%db0", "r" (value));
	case 1:
		return HV_FAULT_OF("movq %1, %%db1", "r" (value));
	case 2:
		return HV_FAULT_OF("movq %1, %%db2", "r" (value));
	case 3:
		return HV_FAULT_OF("movq %1, %%db3", "r" (value));
	case OTHER_DR7:
		return HV_FAULT_OF("movq %1, %%db5", "r" (value));
	case 7:
		return HV_FAULT_OF("movq %1, %%db7", "r" (value));
	}
	return 0;
}

int hv_test_dr(const u64 *argument, unsigned int count)
{
	if (!known(argument[0]) || argument[0] == OTHER_DR7)
		return -EINVAL;
	hv_tell("value 0x%llx\n", read_dr(argument[0]));
	return 0;
}

/* Under its other name too, for which CR4.DE is off meanwhile. */
int hv_test_dr_set(const u64 *argument, unsigned int count)
{
	u64 cr4, before, during;
	unsigned long flags;
	int fault, back = 0;

	if (!known(argument[0]))
		return -EINVAL;
	local_irq_save(flags);
	cr4 = native_read_cr4();
	if (argument[0] == OTHER_DR7)
		asm volatile("movq %0, %%cr4" : : "r" (cr4 & ~X86_CR4_DE) : "memory");
	before = read_dr(argument[0]);
	fault = write_dr(argument[0], argument[1]);
	during = read_dr(argument[0]);
	if (!fault)
		back = write_dr(argument[0], before);
	if (argument[0] == OTHER_DR7)
		asm volatile("movq %0, %%cr4" : : "r" (cr4) : "memory");
	local_irq_restore(flags);
	hv_tell("fault %d\nback %d\nbefore 0x%llx\nduring 0x%llx\n", fault, back, before, during);
	return 0;
}
