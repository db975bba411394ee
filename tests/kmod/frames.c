// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The frames that the core keeps from this kernel, found as an attacker would find them: every page
 * of RAM is written with what it holds, and those that refuse by #GP are the core's.
 */
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <asm/trapnr.h>

#include "hv_test.h"

u64 hv_test_frame[HV_TEST_FRAMES];
unsigned int hv_test_frame_count;

struct page_walk {
	int (*visit)(u64 page, void *data);
	void *data;
};

static int walk_pages(struct resource *ram, void *data)
{
	struct page_walk *walk = data;
	u64 page;
	int error;

	for (page = PAGE_ALIGN(ram->start); page + PAGE_SIZE - 1 <= ram->end; page += PAGE_SIZE) {
		error = walk->visit(page, walk->data);
		if (error)
			return error;
		if (!(page & (SZ_1M - 1)))
			cond_resched();
	}
	return 0;
}

int hv_test_each_ram_page(int (*visit)(u64 page, void *data), void *data)
{
	struct page_walk walk = { visit, data };

	return walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, 0, -1,
				   &walk, walk_pages);
}

struct sweep {
	u64 pages, written, read_only, refused, other;
};

static int sweep_page(u64 page, void *data)
{
	struct sweep *s = data;
	u32 *word = __va(page);

	s->pages++;
	switch (HV_FAULT_OF("lock orl $0, %1", "m" (*word))) {
	case 0:
		s->written++;
		return 0;
	case X86_TRAP_PF: /* Linux's own page tables: its text and constants */
		s->read_only++;
		return 0;
	case X86_TRAP_GP:
		s->refused++;
		if (hv_test_frame_count == HV_TEST_FRAMES)
			return -ENOSPC;
		hv_test_frame[hv_test_frame_count++] = page;
		return 0;
	}
	s->other++;
	return 0;
}

int hv_test_sweep(const u64 *argument, unsigned int count)
{
	struct sweep s = {};
	int error;

	hv_test_frame_count = 0;
	error = hv_test_each_ram_page(sweep_page, &s);
	hv_tell("pages %llu\nwritten %llu\nread_only %llu\nrefused %llu\nother %llu\n", s.pages,
		s.written, s.read_only, s.refused, s.other);
	return error;
}

/* The runs of frames that sweep found: "run FIRST PAGES". */
int hv_test_frames(const u64 *argument, unsigned int count)
{
	unsigned int first, next;

	for (first = 0; first < hv_test_frame_count; first = next) {
		for (next = first + 1; next < hv_test_frame_count; next++)
			if (hv_test_frame[next] != hv_test_frame[next - 1] + PAGE_SIZE)
				break;
		hv_tell("run 0x%llx %u\n", hv_test_frame[first], next - first);
	}
	return 0;
}

static bool is_zero(const u64 *page)
{
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(*page); i++)
		if (READ_ONCE(page[i]))
			return false;
	return true;
}

/* Every byte of every frame that sweep found: how many pages hold anything but zeroes. */
int hv_test_read(const u64 *argument, unsigned int count)
{
	unsigned int i, zero = 0, readable = 0;

	for (i = 0; i < hv_test_frame_count; i++) {
		u64 *page = __va(hv_test_frame[i]);

		if (HV_FAULT_OF("testb $1, %1", "m" (*(u8 *)page)))
			continue;
		readable++;
		if (is_zero(page))
			zero++;
		else
			hv_tell("holds 0x%llx %llx\n", hv_test_frame[i], page[0]);
	}
	hv_tell("frames %u\nreadable %u\nzero %u\n", hv_test_frame_count, readable, zero);
	return 0;
}
