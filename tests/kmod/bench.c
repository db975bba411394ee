// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What leaves guest operation, and interrupts between CPUs, timed in ring 0; answers in ticks. */
#include <linux/cpu.h>
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <linux/sort.h>
#include <asm/msr.h>

#include "abi/call.h"
#include "hv_test.h"

#define LEAST_ROUNDS 16u
#define MOST_SAMPLES 256u

static u64 sample[MOST_SAMPLES];

static int by_size(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static void tell_samples(u64 count)
{
	sort(sample, count, sizeof(*sample), by_size, NULL);
	hv_tell("least %llu\nmedian %llu\nmost %llu\n", sample[0], sample[count / 2],
		sample[count - 1]);
}

static u64 time_nops(u64 count)
{
	u64 begin = rdtsc();

	asm volatile("1:	xorl %%eax, %%eax\n"
		     "	" HV_CALL_INSTRUCTION "\n"
		     "	decq %0\n"
		     "	jnz 1b\n"
		     : "+r" (count)
		     :
		     : "rax", "cc", "memory");
	return rdtsc() - begin;
}

/* HV_CALL_NOP in a tight loop; faults where no core is there to answer. */
int hv_test_time_nop(const u64 *argument, unsigned int arguments)
{
	u64 none[5] = {}, result, least = U64_MAX;
	unsigned long flags;
	unsigned int i;

	if (!argument[0] || hv_call(HV_CALL_NOP, none, &result))
		return -EINVAL;
	for (i = 0; i < LEAST_ROUNDS; i++) {
		local_irq_save(flags);
		least = min(least, time_nops(argument[0]));
		local_irq_restore(flags);
	}
	hv_tell("calls %llu\nleast %llu\n", argument[0], least);
	return 0;
}

/* A write that faults, on a CPU without a core or by its rules: each one alone. */
int hv_test_time_wrmsr(const u64 *argument, unsigned int arguments)
{
	u64 i, begin, taken = 0, count = argument[2];
	unsigned long flags;

	if (!count || count > MOST_SAMPLES)
		return -EINVAL;
	local_irq_save(flags);
	for (i = 0; i < count; i++) {
		begin = rdtsc();
		taken += !HV_FAULT_OF("wrmsr", "c" ((u32)argument[0]), "a" ((u32)argument[1]),
				      "d" ((u32)(argument[1] >> 32)));
		sample[i] = rdtsc() - begin;
	}
	local_irq_restore(flags);
	hv_tell("taken %llu\n", taken);
	tell_samples(count);
	return 0;
}

/* The same with a byte of a frame, through the direct map. */
int hv_test_time_write(const u64 *argument, unsigned int arguments)
{
	u64 i, begin, taken = 0, count = argument[1];
	unsigned long flags;
	u8 *at;

	if (!count || count > MOST_SAMPLES || !pfn_valid(argument[0] >> PAGE_SHIFT))
		return -EINVAL;
	at = __va(argument[0]);
	local_irq_save(flags);
	for (i = 0; i < count; i++) {
		begin = rdtsc();
		taken += !HV_FAULT_OF("movb $0, %1", "m" (*at));
		sample[i] = rdtsc() - begin;
	}
	local_irq_restore(flags);
	hv_tell("taken %llu\n", taken);
	tell_samples(count);
	return 0;
}

static void nothing(void *data)
{
}

/* An interrupt to another CPU, and its answer. */
int hv_test_time_ipi(const u64 *argument, unsigned int arguments)
{
	u64 i, begin, count = argument[1];
	int error = 0;

	if (!count || count > MOST_SAMPLES || argument[0] >= nr_cpu_ids)
		return -EINVAL;
	cpus_read_lock();
	preempt_disable();
	for (i = 0; i < count && !error; i++) {
		begin = rdtsc();
		error = smp_call_function_single(argument[0], nothing, NULL, 1);
		sample[i] = rdtsc() - begin;
	}
	preempt_enable();
	cpus_read_unlock();
	if (!error)
		tell_samples(count);
	return error;
}
