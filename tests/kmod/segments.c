// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * LDTR and TR, loaded with other descriptors than Linux's: in slots of this CPU's GDT that nobody
 * needs while interrupts are off.
 */
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/desc.h>

#include "hv_test.h"

#define LDT_SLOT GDT_ENTRY_LDT
#define TSS_SLOT GDT_ENTRY_TLS_MIN

enum kind { OTHER_SELECTOR, SAME, OTHER_BASE, KINDS };

struct attempt {
	bool tr;
	enum kind kind;
	void *copy; /* of the TSS; an LDT without entries */
	struct desc_struct *gdt;
	struct ldttss_desc own, other; /* what was in the slots */
	u16 before, during;
	int fault, back;
};

static u16 store(const struct attempt *attempt)
{
	u16 selector;

	if (attempt->tr)
		asm volatile("str %0" : "=r" (selector));
	else
		asm volatile("sldt %0" : "=r" (selector));
	return selector;
}

/* LTR writes to the descriptor, and the GDT that Linux has loaded can't be written. */
static int load(const struct attempt *attempt, u16 selector)
{
	struct desc_ptr writable = { GDT_SIZE - 1, (unsigned long)attempt->gdt }, loaded;
	int fault;

	if (!attempt->tr)
		return HV_FAULT_OF("lldt %w1", "r" (selector));
	native_store_gdt(&loaded);
	native_load_gdt(&writable);
	fault = HV_FAULT_OF("ltr %w1", "r" (selector));
	native_load_gdt(&loaded);
	return fault;
}

static unsigned int other_slot(const struct attempt *attempt)
{
	return attempt->tr ? TSS_SLOT : LDT_SLOT;
}

static struct ldttss_desc *slot(const struct attempt *attempt, unsigned int number)
{
	return (struct ldttss_desc *)&attempt->gdt[number];
}

static void describe_copy(const struct attempt *attempt, unsigned int number)
{
	size_t bytes = attempt->tr ? sizeof(struct x86_hw_tss) : 8;

	set_tssldt_descriptor(slot(attempt, number), (unsigned long)attempt->copy,
			      attempt->tr ? DESC_TSS : DESC_LDT, bytes - 1);
}

static u16 prepare(struct attempt *attempt)
{
	unsigned int number = other_slot(attempt);

	attempt->own = *slot(attempt, GDT_ENTRY_TSS);
	attempt->other = *slot(attempt, number);
	if (attempt->tr)
		memcpy(attempt->copy, &get_cpu_entry_area(smp_processor_id())->tss.x86_tss,
		       sizeof(struct x86_hw_tss));
	if (attempt->kind == OTHER_SELECTOR) {
		describe_copy(attempt, number);
		return number * 8;
	}
	if (attempt->kind == OTHER_BASE)
		describe_copy(attempt, GDT_ENTRY_TSS);
	else if (attempt->tr)
		slot(attempt, GDT_ENTRY_TSS)->type = DESC_TSS; /* not busy */
	return attempt->before;
}

static void restore(struct attempt *attempt)
{
	*slot(attempt, GDT_ENTRY_TSS) = attempt->own;
	if (!attempt->fault) {
		if (attempt->tr)
			slot(attempt, GDT_ENTRY_TSS)->type = DESC_TSS;
		attempt->back = load(attempt, attempt->before);
	}
	*slot(attempt, GDT_ENTRY_TSS) = attempt->own;
	*slot(attempt, other_slot(attempt)) = attempt->other;
}

static void try(struct attempt *attempt)
{
	unsigned long flags;
	u16 wanted;

	local_irq_save(flags);
	attempt->gdt = get_current_gdt_rw();
	attempt->before = store(attempt);
	wanted = prepare(attempt);
	attempt->fault = load(attempt, wanted);
	attempt->during = store(attempt);
	restore(attempt);
	local_irq_restore(flags);
}

/* 2 is LDTR, 3 TR. KIND 0: another selector; 1: the same; 2: the same, of another TSS. */
int hv_test_segment(const u64 *argument)
{
	struct attempt attempt = { .tr = argument[0] == 3, .kind = argument[1] };

	/* Linux's own LDTR is empty: no descriptor is behind it. */
	if (argument[1] >= KINDS || (argument[1] == OTHER_BASE && !attempt.tr))
		return -EINVAL;
	attempt.copy = kzalloc(PAGE_SIZE, GFP_KERNEL);
	if (!attempt.copy)
		return -ENOMEM;
	try(&attempt);
	/* The CPU has it for good where it would not take the other again. */
	if (!attempt.back)
		kfree(attempt.copy);
	hv_tell("fault %d\nback %d\nmoved %d\n", attempt.fault, attempt.back,
		attempt.during != attempt.before);
	return 0;
}
