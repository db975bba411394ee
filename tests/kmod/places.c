// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Linear addresses that rules are about, for scripts that cannot know them. */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>
#include <asm/desc.h>
#include <asm/pgtable.h>

#include "hv_test.h"

#define AREA_BYTES (64u << 10)

static void *area;

/* Pages of vmalloc's, and the same of the direct map where they lie. */
int hv_test_places(const u64 *argument, unsigned int count)
{
	if (!area)
		area = vzalloc(AREA_BYTES);
	if (!area)
		return -ENOMEM;
	hv_tell("area 0x%lx\nbytes %u\ndirect 0x%lx\n", (unsigned long)area, AREA_BYTES,
		(unsigned long)__va(slow_virt_to_phys(area)));
	return 0;
}

void hv_test_places_free(void)
{
	vfree(area);
}

/* The GDT of a CPU as Linux writes it, and as the CPU has it loaded. */
int hv_test_gdt(const u64 *argument, unsigned int count)
{
	if (argument[0] >= nr_cpu_ids || !cpu_possible(argument[0]))
		return -EINVAL;
	hv_tell("written 0x%lx\nloaded 0x%lx\n", (unsigned long)get_cpu_gdt_rw(argument[0]),
		(unsigned long)get_cpu_gdt_ro(argument[0]));
	return 0;
}
