// SPDX-License-Identifier: GPL-2.0 OR MIT
/* GDTR and IDTR: a copy of the table that the CPU has, and the table itself again; LDTR and TR. */
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/desc.h>

#include "hv_test.h"

/* As in policies: 0 is the GDT, 1 the IDT, 2 and 3 are LDTR and TR. */
static int load(u64 table, const struct desc_ptr *to)
{
	if (table)
		return HV_FAULT_OF("lidt %1", "m" (*to));
	return HV_FAULT_OF("lgdt %1", "m" (*to));
}

static void store(u64 table, struct desc_ptr *to)
{
	if (table)
		store_idt(to);
	else
		native_store_gdt(to);
}

/* KIND 0: the copy; 1: the same table; 2: the same, one byte shorter. */
int hv_test_table(const u64 *argument, unsigned int count)
{
	struct desc_ptr before, wanted, during;
	unsigned long flags;
	int fault, back = 0;
	void *copy;

	if (argument[0] == 2 || argument[0] == 3)
		return hv_test_segment(argument);
	if (argument[0] > 3 || argument[1] > 2)
		return -EINVAL;
	copy = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	local_irq_save(flags);
	store(argument[0], &before);
	memcpy(copy, (void *)before.address, min_t(size_t, before.size + 1, PAGE_SIZE));
	wanted = before;
	if (!argument[1])
		wanted.address = (unsigned long)copy;
	if (argument[1] == 2)
		wanted.size--;
	fault = load(argument[0], &wanted);
	store(argument[0], &during);
	if (!fault)
		back = load(argument[0], &before);
	local_irq_restore(flags);
	kfree(copy);
	hv_tell("fault %d\nback %d\nmoved %d\n", fault, back,
		during.address != before.address || during.size != before.size);
	return 0;
}
