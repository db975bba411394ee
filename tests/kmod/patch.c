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
	OWN_MAPPING, /* made writable; of the image a huge page */
	HUGE_ALIAS, /* a fresh huge page, in page tables of one's own */
	WAYS
};

struct mapping {
	pte_t *entry[2]; /* of the pages of the eight bytes */
	pte_t before[2];
	unsigned int level;
	int table_fault; /* when the entries were to be changed */
	void *alias;
	struct hv_test_huge huge;
	void *at;
};

static bool is_mapped(unsigned long address)
{
	unsigned int level;
	pte_t *entry = lookup_address(address, &level);

	return entry && pte_flags(*entry) & _PAGE_PRESENT;
}

/* The page behind the last one of a mapping: whatever comes next in memory. */
static struct page *page_at(unsigned long address, struct page *before)
{
	if (before && !is_mapped(address))
		return before + 1;
	return pfn_to_page(slow_virt_to_phys((void *)address) >> PAGE_SHIFT);
}

static int map_alias(struct mapping *mapping, unsigned long image)
{
	struct page *pages[2];

	pages[0] = page_at(image, NULL);
	pages[1] = page_at(image + PAGE_SIZE, pages[0]);
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

/* The tables may be watched themselves. */
static void set_entries(struct mapping *mapping, bool writable)
{
	unsigned int i;
	int fault;

	for (i = 0; i < 2 && mapping->entry[i]; i++) {
		pte_t before = mapping->before[i];
		pte_t to = writable ? pte_mkdirty(pte_mkwrite(before)) : before;

		fault = HV_FAULT_OF("movq %2, %1", "m" (*mapping->entry[i]), "r" (pte_val(to)));
		mapping->table_fault = mapping->table_fault ?: fault;
	}
	asm volatile("invlpg (%0)" : : "r" (mapping->at) : "memory");
	asm volatile("invlpg (%0)" : : "r" (mapping->at + sizeof(u64) - 1) : "memory");
}

static void write_it(struct mapping *mapping, const u64 *image, u64 change, bool keep)
{
	u64 *at = mapping->at, before = *image, during;
	unsigned long flags;
	int fault, back = 0;

	local_irq_save(flags);
	hv_test_huge_enter(&mapping->huge);
	set_entries(mapping, true);
	fault = HV_FAULT_OF("movq %2, %1", "m" (*at), "r" (before ^ change));
	during = *image;
	if (!fault && !keep)
		back = HV_FAULT_OF("movq %2, %1", "m" (*at), "r" (before));
	set_entries(mapping, false);
	hv_test_huge_leave(&mapping->huge);
	local_irq_restore(flags);
	hv_tell("fault %d\nback %d\nchanged 0x%llx\nlevel %u\ntable_fault %d\n", fault, back,
		before ^ during, mapping->level, mapping->table_fault);
}

static int map(struct mapping *mapping, enum way way, unsigned long image)
{
	u64 physical = slow_virt_to_phys((void *)image);

	switch (way) {
	case FRESH_ALIAS:
		return map_alias(mapping, image);
	case HUGE_ALIAS:
		mapping->level = PG_LEVEL_2M;
		return hv_test_huge_map(&mapping->huge, physical, &mapping->at);
	case DIRECT_MAP:
		return find_entries(mapping, __va(physical));
	default:
		return find_entries(mapping, (void *)image);
	}
}

/*
 * The eight bytes of the kernel's at ADDRESS are xored with CHANGE for a moment; with KEEP 1 they
 * stay so.
 */
int hv_test_patch(const u64 *argument, unsigned int count)
{
	unsigned long image = argument[0];
	struct mapping mapping = {};
	int error;

	if (image < TASK_SIZE_MAX || argument[1] >= WAYS || !is_mapped(image) ||
	    !is_mapped(image + sizeof(u64) - 1))
		return -EINVAL;
	error = map(&mapping, argument[1], image);
	if (!error)
		write_it(&mapping, (const u64 *)image, argument[2], argument[3]);
	if (mapping.alias)
		vunmap(mapping.alias);
	hv_test_huge_unmap(&mapping.huge);
	return error;
}
