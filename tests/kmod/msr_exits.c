// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Whether reads and writes of MSRs leave guest operation: each beside the core's own counters. */
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <linux/sched.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/trapnr.h>

#include "abi/record.h"
#include "hv_test.h"

#define RESCHEDULE_MASK 0x3f

enum expected { NONE, EXIT, DENY, SKIP };

struct seen {
	const struct hv_cpu_shared *shared;
	u64 forbidden; /* what a write that must be denied writes */
	u64 tried, differ;
};

/* What the core counts reads and writes of MSRs under. */
struct counters {
	unsigned int read, write;
};
static const struct counters vmx_counters = { 31, 32 }, svm_counters = { 0x7c, 0x32 };

static u64 exits_of(const struct hv_cpu_shared *shared)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < HV_COUNTERS; i++)
		sum += READ_ONCE(shared->counter[i]);
	return sum;
}

/* Of MSRs alone: behind a record there are those of its NMI, too. */
static u64 msr_exits_of(const struct hv_cpu_shared *shared, bool write)
{
	bool svm = boot_cpu_data.x86_vendor == X86_VENDOR_AMD;
	const struct counters *of = svm ? &svm_counters : &vmx_counters;

	return READ_ONCE(shared->counter[write ? of->write : of->read]);
}

/* Whose counters they are the caller sees to: it must not move from its CPU. */
static const struct hv_cpu_shared *counters_of(unsigned int cpu)
{
	int (*ring_of_cpu)(unsigned int cpu) = hv_test_symbol("hv_ring_of_cpu");
	const struct hv_cpu_shared *(*shared)(unsigned int ring) = hv_test_symbol("hv_ring_shared");
	int ring;

	if (!ring_of_cpu || !shared)
		return NULL;
	ring = ring_of_cpu(cpu);
	return ring < 0 ? NULL : shared(ring);
}

/* all, exits: before it, of all kinds and of this one */
static void compare(struct seen *s, u64 expected, u64 all, u64 exits, int fault, u64 index,
		    bool write)
{
	bool right;

	all = exits_of(s->shared) - all;
	exits = msr_exits_of(s->shared, write) - exits;
	right = expected == NONE ? !all : exits == 1;
	if (expected == DENY && fault != X86_TRAP_GP)
		right = false;
	s->tried++;
	if (!right && !s->differ++)
		hv_tell("first_differing 0x%llx %s: %llu exits, fault %d\n", index,
			write ? "write" : "read", exits, fault);
}

/* A write that may succeed is of what the register has, or of 0 where it can't be read. */
static void try_msr(struct seen *s, u32 index, u64 read, u64 write)
{
	u64 all, exits, value = 0;
	int fault;

	all = exits_of(s->shared);
	exits = msr_exits_of(s->shared, false);
	fault = rdmsrl_safe(index, &value) ? X86_TRAP_GP : 0;
	if (fault)
		value = 0;
	if (read != SKIP)
		compare(s, read, all, exits, fault, index, false);
	if (write == SKIP)
		return;
	all = exits_of(s->shared);
	exits = msr_exits_of(s->shared, true);
	fault = hv_test_write_msr(index, write == DENY ? s->forbidden : value);
	compare(s, write, all, exits, fault, index, true);
	if (write == DENY && !fault)
		hv_test_write_msr(index, value);
}

/* FIRST LAST READ WRITE FORBIDDEN: READ and WRITE are of enum expected. On CPU 0. */
int hv_test_msr_exits(const u64 *argument, unsigned int count)
{
	struct seen s = { .shared = counters_of(0), .forbidden = argument[4] };
	unsigned long flags;
	u64 index;

	if (!s.shared || set_cpus_allowed_ptr(current, cpumask_of(0)))
		return -EIO;
	for (index = argument[0]; index <= argument[1]; index++) {
		/* Nothing else leaves guest operation then, and no interrupt needs the register. */
		local_irq_save(flags);
		try_msr(&s, index, argument[2], argument[3]);
		local_irq_restore(flags);
		if (!(index & RESCHEDULE_MASK))
			cond_resched();
	}
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	hv_tell("tried %llu\ndiffer %llu\n", s.tried, s.differ);
	return 0;
}
