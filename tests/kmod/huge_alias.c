// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Page tables of one's own, for a moment: Linux's, and a huge page of any memory beside it. */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/pgtable.h>
#include <asm/special_insns.h>

#include "hv_test.h"

/* In the half of programs; nothing of theirs runs meanwhile. */
#define ALIAS_BASE PGDIR_SIZE
#define TABLES_ORDER 2 /* the top one first, where no bit of its address means "a program's" */

int hv_test_huge_map(struct hv_test_huge *huge, u64 physical, void **at)
{
	u64 *tables = (u64 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, TABLES_ORDER);
	u64 *upper = tables + PTRS_PER_PGD, *middle = upper + PTRS_PER_PUD;

	if (!tables)
		return -ENOMEM;
	huge->tables = tables;
	if (pgtable_l5_enabled())
		return -EOPNOTSUPP;
	memcpy(tables, __va(read_cr3_pa()), PAGE_SIZE);
	tables[pgd_index(ALIAS_BASE)] = __pa(upper) | _KERNPG_TABLE;
	upper[0] = __pa(middle) | _KERNPG_TABLE;
	middle[0] = (physical & PMD_MASK) | (__PAGE_KERNEL_LARGE & ~_PAGE_GLOBAL);
	middle[1] = middle[0] + PMD_SIZE;
	*at = (void *)(ALIAS_BASE + (physical & ~PMD_MASK));
	return 0;
}

/* Interrupts are off from here to hv_test_huge_leave(). */
void hv_test_huge_enter(struct hv_test_huge *huge)
{
	huge->cr3 = __read_cr3();
	if (huge->tables)
		write_cr3(__pa(huge->tables));
}

void hv_test_huge_leave(struct hv_test_huge *huge)
{
	if (huge->tables)
		write_cr3(huge->cr3);
}

void hv_test_huge_unmap(struct hv_test_huge *huge)
{
	if (huge->tables)
		free_pages((unsigned long)huge->tables, TABLES_ORDER);
}
