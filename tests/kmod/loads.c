// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A page that may be closed, read by many instructions: what they got, or that they faulted. */
#include <linux/errno.h>
#include <linux/hash.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/fpu/api.h>
#include <asm/trapnr.h>

#include "hv_test.h"

#define FILL_BITS 7
#define UNTOUCHED 0xcc /* no byte that `fill` writes */

enum view_kind {
	DIRECT_MAP,
	FRESH_ALIAS,
	HUGE_ALIAS, /* in page tables of one's own */
	VIEWS
};

struct view {
	void *alias;
	struct hv_test_huge huge;
	const u8 *page;
};

/* Where the instructions put it. */
static u8 got[PAGE_SIZE];

/* The register is as INTO was, unless the instruction changes it. */
#define LOADED(instruction, at, into) ({ \
	int fault_ = 0; \
	u64 value_; \
	memcpy(&value_, into, sizeof(value_)); \
	asm volatile(HV_ON_FAULT(instruction) \
		     : [value] "+&r" (value_), [fault] "+&r" (fault_) \
		     : [from] "r" (at) \
		     : "eax", "cc", "memory"); \
	memcpy(into, &value_, sizeof(value_)); \
	fault_; \
})

static int by_byte(const u8 *from, u8 *to, unsigned long bytes)
{
	return LOADED("movb (%[from]), %b[value]", from, to);
}

static int by_word(const u8 *from, u8 *to, unsigned long bytes)
{
	return LOADED("movw (%[from]), %w[value]", from, to);
}

static int by_double(const u8 *from, u8 *to, unsigned long bytes)
{
	return LOADED("movl (%[from]), %k[value]", from, to);
}

static int by_quad(const u8 *from, u8 *to, unsigned long bytes)
{
	return LOADED("movq (%[from]), %[value]", from, to);
}

static int pushed(const u8 *from, u8 *to, unsigned long bytes)
{
	return LOADED("pushq (%[from])\n	popq %[value]", from, to);
}

/* Adds nothing: what it reads is also written. */
static int locked(const u8 *from, u8 *to, unsigned long bytes)
{
	u64 value = 0;
	int fault = 0;

	asm volatile(HV_ON_FAULT("lock xaddq %[value], (%[from])")
		     : [value] "+&r" (value), [fault] "+&r" (fault)
		     : [from] "r" (from)
		     : "eax", "cc", "memory");
	if (value)
		memcpy(to, &value, sizeof(value));
	return fault;
}

static int by_vector(const u8 *from, u8 *to, unsigned long bytes)
{
	int fault = 0;

	kernel_fpu_begin();
	asm volatile("	movdqu (%[to]), %%xmm0\n"
		     HV_ON_FAULT("movdqu (%[from]), %%xmm0")
		     "	movdqu %%xmm0, (%[to])\n"
		     : [fault] "+&r" (fault)
		     : [from] "r" (from), [to] "r" (to)
		     : "eax", "memory");
	kernel_fpu_end();
	return fault;
}

static int by_string(const u8 *from, u8 *to, unsigned long bytes)
{
	unsigned long left = bytes / sizeof(u64);
	int fault = 0;

	asm volatile(HV_ON_FAULT("rep movsq")
		     : "+S" (from), "+D" (to), "+c" (left), [fault] "+&r" (fault)
		     :
		     : "eax", "memory");
	return fault;
}

static int downwards(const u8 *from, u8 *to, unsigned long bytes)
{
	int fault = 0;

	from += bytes - 1;
	to += bytes - 1;
	asm volatile("	std\n"
		     HV_ON_FAULT("rep movsb")
		     "	cld\n"
		     : "+S" (from), "+D" (to), "+c" (bytes), [fault] "+&r" (fault)
		     :
		     : "eax", "memory");
	return fault;
}

/*
 * As Linux reads where it expects faults. It does not say which one it was, and leaves what its
 * register held before.
 */
static int by_linux(const u8 *from, u8 *to, unsigned long bytes)
{
	u64 value;

	if (copy_from_kernel_nofault(&value, from, sizeof(value)))
		return X86_TRAP_GP;
	memcpy(to, &value, bytes);
	return 0;
}

/* What each reads, from the page's first byte on. */
static const struct way {
	const char *name;
	int (*load)(const u8 *from, u8 *to, unsigned long bytes);
	long offset;
	unsigned long bytes;
} ways[] = {
	{ "byte", by_byte, 17, 1 },
	{ "word", by_word, 258, 2 },
	{ "double", by_double, 516, 4 },
	{ "first", by_quad, 0, 8 },
	{ "last", by_quad, PAGE_SIZE - 8, 8 },
	{ "unaligned", by_quad, 1021, 8 },
	{ "into", by_quad, -3, 8 },
	{ "out", by_quad, PAGE_SIZE - 4, 8 },
	{ "pushed", pushed, 256, 8 },
	{ "vector", by_vector, 515, 16 },
	{ "locked", locked, 128, 8 },
	{ "string", by_string, 0, PAGE_SIZE },
	{ "string_into", by_string, -64, 128 },
	{ "string_down", downwards, PAGE_SIZE - 64, 128 },
	{ "linux", by_linux, 512, 8 }, /* only in the kernel's half: not of HUGE_ALIAS */
};

static u8 filled(u64 at)
{
	return hash_64(at, FILL_BITS);
}

/* all: it is what `fill` wrote; nothing: no byte of the page came; else some. */
static const char *what_came(const struct way *way, u64 page)
{
	bool all = true, nothing = true;
	unsigned long i;

	for (i = 0; i < way->bytes; i++) {
		u64 at = page + way->offset + i;

		all &= got[i] == filled(at);
		if (at - page < PAGE_SIZE)
			nothing &= got[i] == UNTOUCHED;
	}
	return all ? "all" : nothing ? "nothing" : "some";
}

static void try(struct view *view, const struct way *way, u64 page)
{
	unsigned long flags;
	int fault;

	memset(got, UNTOUCHED, sizeof(got));
	local_irq_save(flags);
	hv_test_huge_enter(&view->huge);
	fault = way->load(view->page + way->offset, got, way->bytes);
	hv_test_huge_leave(&view->huge);
	local_irq_restore(flags);
	hv_tell("%s %d %s\n", way->name, fault, what_came(way, page));
}

static int map_pages(struct view *view, u64 page)
{
	struct page *middle = pfn_to_page(page >> PAGE_SHIFT);
	struct page *pages[] = { middle - 1, middle, middle + 1 };

	view->alias = vmap(pages, ARRAY_SIZE(pages), VM_MAP, PAGE_KERNEL);
	view->page = view->alias + PAGE_SIZE;
	return view->alias ? 0 : -ENOMEM;
}

static int map(struct view *view, enum view_kind kind, u64 page)
{
	void *at;
	int error;

	switch (kind) {
	case FRESH_ALIAS:
		return map_pages(view, page);
	case HUGE_ALIAS:
		error = hv_test_huge_map(&view->huge, page, &at);
		view->page = at;
		return error;
	default:
		view->page = __va(page);
		return 0;
	}
}

/* Its neighbours lie in the same huge page. */
static bool is_inner_page(u64 page)
{
	return PAGE_ALIGNED(page) && pfn_valid(page >> PAGE_SHIFT) &&
	       (page & ~PMD_MASK) >= PAGE_SIZE && (page & ~PMD_MASK) < PMD_SIZE - PAGE_SIZE;
}

/* A page and its neighbours with bytes that tell where they are. */
int hv_test_fill(const u64 *argument, unsigned int count)
{
	u64 page = argument[0], at;

	if (!is_inner_page(page))
		return -EINVAL;
	for (at = page - PAGE_SIZE; at < page + 2 * PAGE_SIZE; at++)
		*(u8 *)__va(at) = filled(at);
	return 0;
}

/* Each way, or the one of that number: "NAME FAULT all|nothing|some". */
int hv_test_load(const u64 *argument, unsigned int count)
{
	unsigned int way = 0, end = ARRAY_SIZE(ways) - (argument[1] == HUGE_ALIAS);
	struct view view = {};
	int error;

	if (!is_inner_page(argument[0]) || argument[1] >= VIEWS || argument[2] >= end)
		return -EINVAL;
	if (count > 2) {
		way = argument[2];
		end = way + 1;
	}
	error = map(&view, argument[1], argument[0]);
	for (; !error && way < end; way++)
		try(&view, &ways[way], argument[0]);
	vunmap(view.alias);
	hv_test_huge_unmap(&view.huge);
	return error;
}
