// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What Linux maps read-only, written all the same: a hostile kernel owns its page tables. */
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>
#include <asm/pgtable.h>

#include "hv_test.h"

enum way {
	DIRECT_MAP, /* its page made writable */
	FRESH_ALIAS,
	OWN_MAPPING, /* the image's own, a huge page, made writable */
	WAYS
};

struct mapping {
	pte_t *entry[2]; /* of the pages of the eight bytes */
	pte_t before[2];
	unsigned int level;
	void *alias;
	void *at;
};

static int map_alias(struct mapping *mapping, unsigned long image)
{
	unsigned long first = __pa_symbol(image) >> PAGE_SHIFT;
	struct page *pages[] = { pfn_to_page(first), pfn_to_page(first + 1) };

	mapping->alias = vmap(pages, 2, VM_MAP, PAGE_KERNEL);
	mapping->at = mapping->alias + offset_in_page(image);
	mapping->level = PG_LEVEL_4K;
	return mapping->alias ? 0 : -ENOMEM;
}

static int find_entries(struct mapping *mapping, void *at)
{
	unsigned int i;

	mapping->at = at;
	for (i = 0; i < 2; i++) {
		unsigned long address = (unsigned long)at + i * (sizeof(u64) - 1);

		mapping->entry[i] = lookup_address(address, &mapping->level);
		if (!mapping->entry[i])
			return -EFAULT;
		mapping->before[i] = *mapping->entry[i];
	}
	return 0;
}

static void set_entries(struct mapping *mapping, bool writable)
{
	unsigned int i;

	for (i = 0; i < 2 && mapping->entry[i]; i++) {
		pte_t before = mapping->before[i];

		set_pte(mapping->entry[i], writable ? pte_mkdirty(pte_mkwrite(before)) : before);
	}
	asm volatile("invlpg (%0)" : : "r" (mapping->at) : "memory");
	asm volatile("invlpg (%0)" : : "r" (mapping->at + sizeof(u64) - 1) : "memory");
}

static void write_and_restore(struct mapping *mapping, const u64 *image, u64 change)
{
	u64 *at = mapping->at, before, during;
	unsigned long flags;
	int fault, back = 0;

	local_irq_save(flags);
	set_entries(mapping, true);
	before = *at;
	fault = HV_FAULT_OF("movq %2, %1", "m" (*at), "r" (before ^ change));
	during = *image;
	if (!fault)
		back = HV_FAULT_OF("movq %2, %1", "m" (*at), "r" (before));
	set_entries(mapping, false);
	local_irq_restore(flags);
	hv_tell("fault %d\nback %d\nchanged 0x%llx\nlevel %u\n", fault, back, before ^ during,
		mapping->level);
}

/* ADDRESS lies in the kernel image; the eight bytes there are xored with CHANGE for a moment. */
int hv_test_patch(const u64 *argument, unsigned int count)
{
	unsigned long image = argument[0];
	struct mapping mapping = {};
	int error;

	if (image < __START_KERNEL_map || argument[1] >= WAYS)
		return -EINVAL;
	if (argument[1] == FRESH_ALIAS)
		error = map_alias(&mapping, image);
	else
		error = find_entries(&mapping, argument[1] == OWN_MAPPING ?
			(void *)image : __va(__pa_symbol(image)));
	if (!error)
		write_and_restore(&mapping, (const u64 *)image, argument[2]);
	if (mapping.alias)
		vunmap(mapping.alias);
	return error;
}
