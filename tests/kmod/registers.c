// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Control registers, XCR0, caches and interrupts between CPUs. Each change is undone at once. */
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <asm/apic.h>
#include <asm/fpu/xcr.h>
#include <asm/processor-flags.h>
#include <asm/smp.h>
#include <asm/special_insns.h>

#include "hv_test.h"

static u64 read_cr(u64 number)
{
	return number == 4 ? native_read_cr4() : native_read_cr0();
}

static int write_cr(u64 number, u64 value)
{
	if (number == 4)
		return HV_FAULT_OF("movq %1, %%cr4", "r" (value));
	return HV_FAULT_OF("movq %1, %%cr0", "r" (value));
}

int hv_test_cr(const u64 *argument, unsigned int count)
{
	hv_tell("value 0x%llx\n", read_cr(argument[0]));
	return 0;
}

/* STAY: it is not undone. */
int hv_test_cr_set(const u64 *argument, unsigned int count)
{
	u64 before, during;
	unsigned long flags;
	int fault, back = 0;

	if (argument[0] != 0 && argument[0] != 4)
		return -EINVAL;
	local_irq_save(flags);
	before = read_cr(argument[0]);
	fault = write_cr(argument[0], (before & ~argument[1]) | argument[2]);
	during = read_cr(argument[0]);
	if (!fault && !argument[3])
		back = write_cr(argument[0], before);
	local_irq_restore(flags);
	hv_tell("fault %d\nback %d\nbefore 0x%llx\nduring 0x%llx\n", fault, back, before, during);
	return 0;
}

/* The other ways to CR0.TS and CR0.EM than MOV. */
int hv_test_cr0_instructions(const u64 *argument, unsigned int count)
{
	u64 before, after;
	unsigned long flags;
	int ts, em, clts;

	local_irq_save(flags);
	before = native_read_cr0();
	ts = HV_FAULT_OF("lmsw %w1", "r" (before | X86_CR0_TS));
	em = HV_FAULT_OF("lmsw %w1", "r" (before | X86_CR0_EM));
	after = native_read_cr0();
	clts = HV_FAULT_OF("clts", "i" (0));
	HV_FAULT_OF("lmsw %w1", "r" (before));
	local_irq_restore(flags);
	hv_tell("lmsw_ts %d\nlmsw_em %d\nclts %d\nchanged 0x%llx\n", ts, em, clts, before ^ after);
	return 0;
}

static int write_xcr(u32 index, u64 value)
{
	return HV_FAULT_OF("xsetbv", "c" (index), "a" ((u32)value), "d" ((u32)(value >> 32)));
}

/* Linux leaves CR4.OSXSAVE off where it does not trust the CPU's XSAVE: lent for the moment. */
int hv_test_xsetbv(const u64 *argument, unsigned int count)
{
	u64 cr4, before, during;
	unsigned long flags;
	int fault;

	local_irq_save(flags);
	cr4 = native_read_cr4();
	write_cr(4, cr4 | X86_CR4_OSXSAVE);
	before = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	fault = write_xcr(argument[0], argument[1]);
	during = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	if (!fault)
		write_xcr(XCR_XFEATURE_ENABLED_MASK, before);
	write_cr(4, cr4);
	local_irq_restore(flags);
	hv_tell("fault %d\nbefore 0x%llx\nduring 0x%llx\n", fault, before, during);
	return 0;
}

int hv_test_invd(const u64 *argument, unsigned int count)
{
	unsigned long flags;
	int fault;

	local_irq_save(flags);
	fault = HV_FAULT_OF("invd", "i" (0));
	local_irq_restore(flags);
	hv_tell("fault %d\n", fault);
	return 0;
}

/* An interrupt command as it is: 0x500 INIT, 0x600 | page SIPI, 0x400 NMI. */
int hv_test_ipi(const u64 *argument, unsigned int count)
{
	unsigned long flags;

	if (argument[0] >= nr_cpu_ids || !cpu_present(argument[0]))
		return -EINVAL;
	local_irq_save(flags);
	apic->icr_write(argument[1], cpu_physical_id(argument[0]));
	apic->safe_wait_icr_idle();
	local_irq_restore(flags);
	return 0;
}
