// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Memory that belongs to the tests: whole 2 MiB blocks to put rules on, or nearly all there is. */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/mm.h>

#include "hv_test.h"

#define BLOCKS 64u
#define QUIET (GFP_NOWAIT | __GFP_NOWARN)
#define BLOCK_ORDER 9u
#define LEFT_ORDER 1u /* the largest blocks that hog leaves */
#define UNTOUCHED_PAGES ((48ul << 20) >> PAGE_SHIFT)

static struct page *block[BLOCKS];
static unsigned int blocks;
static LIST_HEAD(hogged);

static void free_blocks(void)
{
	while (blocks)
		__free_pages(block[--blocks], BLOCK_ORDER);
}

int hv_test_disown(const u64 *argument, unsigned int count)
{
	free_blocks();
	return 0;
}

int hv_test_own(const u64 *argument, unsigned int count)
{
	if (argument[0] > BLOCKS - blocks)
		return -E2BIG;
	for (count = 0; count < argument[0]; count++) {
		struct page *page = alloc_pages(QUIET | __GFP_ZERO, BLOCK_ORDER);

		if (!page)
			return -ENOMEM;
		block[blocks++] = page;
		hv_tell("block 0x%llx\n", (u64)page_to_phys(page));
	}
	return 0;
}

static unsigned long free_pages_now(void)
{
	struct sysinfo info;

	si_meminfo(&info);
	return info.freeram;
}

/* Down to so many free pages, or as many as there are of that order. */
static void take(unsigned int order, unsigned long rest)
{
	struct page *page;
	unsigned int taken = 0;

	while (++taken % 64 || free_pages_now() > rest) {
		page = alloc_pages(QUIET, order);
		if (!page)
			return;
		set_page_private(page, order);
		list_add(&page->lru, &hogged);
	}
}

/* Half of each aligned run of four pages goes back: no free block gets larger than two. */
static void leave(unsigned long pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &hogged, lru) {
		if (!pages)
			return;
		if (page_private(page) != LEFT_ORDER || page_to_pfn(page) & (1ul << LEFT_ORDER))
			continue;
		list_del(&page->lru);
		set_page_private(page, 0);
		__free_pages(page, LEFT_ORDER);
		pages -= min(pages, 1ul << LEFT_ORDER);
	}
}

static void free_hogged(void)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &hogged, lru) {
		unsigned int order = page_private(page);

		list_del(&page->lru);
		set_page_private(page, 0);
		__free_pages(page, order);
	}
}

/* Leaves so much memory, but only in small pieces. */
int hv_test_hog(const u64 *argument, unsigned int count)
{
	unsigned int order;

	take(LEFT_ORDER, UNTOUCHED_PAGES);
	leave(argument[0] << (20 - PAGE_SHIFT));
	/* The larger blocks among those that were not touched. */
	for (order = BLOCK_ORDER; order > LEFT_ORDER; order--)
		take(order, 0);
	return 0;
}

int hv_test_unhog(const u64 *argument, unsigned int count)
{
	free_hogged();
	return 0;
}

void hv_test_blocks_free(void)
{
	free_blocks();
	free_hogged();
}
