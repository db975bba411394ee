// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Writes to the core's frames, by every kind of instruction, and to single addresses. */
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <asm/trapnr.h>

#include "hv_test.h"

#define PLANTED 0x5aa55aa55aa55aa5ull

static int by_byte(u8 *at)
{
	return HV_FAULT_OF("movb %b2, %1", "m" (*at), "c" (PLANTED));
}

static int by_word(u8 *at)
{
	return HV_FAULT_OF("movw %w2, %1", "m" (at[2]), "c" (PLANTED));
}

static int by_double(u8 *at)
{
	return HV_FAULT_OF("movl %k2, %1", "m" (at[64]), "c" (PLANTED));
}

static int by_quad(u8 *at)
{
	return HV_FAULT_OF("movq %2, %1", "m" (at[PAGE_SIZE - 8]), "c" (PLANTED));
}

static int unaligned(u8 *at)
{
	return HV_FAULT_OF("movq %2, %1", "m" (at[1021]), "c" (PLANTED));
}

static int locked(u8 *at)
{
	return HV_FAULT_OF("lock addq %2, %1", "m" (at[128]), "c" (PLANTED));
}

static int by_bit(u8 *at)
{
	return HV_FAULT_OF("lock btsq $3, %1", "m" (at[256]));
}

static int past_caches(u8 *at)
{
	return HV_FAULT_OF("movnti %2, %1", "m" (at[512]), "c" (PLANTED));
}

/*
 * The first half lies in the page before; ORing with nothing leaves that as it is in any case.
 * Where Linux itself has that read-only, a module's text, nobody gets as far as the core: the
 * other end then.
 */
static int across_pages(u8 *at)
{
	if (HV_FAULT_OF("lock orb $0, %1", "m" (at[-1])) == X86_TRAP_PF)
		at += PAGE_SIZE;
	return HV_FAULT_OF("orq $0, %1", "m" (at[-4]));
}

static int by_string(u8 *at)
{
	u64 left = PAGE_SIZE, fault = PLANTED & 0xff;

	asm volatile("1:	rep stosb\n"
		     "	xorl %%eax, %%eax\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE(1b, 2b, EX_TYPE_FAULT)
		     : "+a" (fault), "+D" (at), "+c" (left)
		     :
		     : "cc", "memory");
	return fault;
}

static const struct {
	const char *name;
	int (*write)(u8 *at);
} ways[] = {
	{ "byte", by_byte },	    { "word", by_word },	{ "double", by_double },
	{ "quad", by_quad },	    { "unaligned", unaligned }, { "locked", locked },
	{ "bit", by_bit },	    { "nontemporal", past_caches }, { "string", by_string },
	{ "crossing", across_pages },
};

/* To each frame that sweep found, in each way: "way refused other". */
int hv_test_write(const u64 *argument, unsigned int count)
{
	unsigned int way, i;

	for (way = 0; way < ARRAY_SIZE(ways); way++) {
		unsigned int refused = 0;

		for (i = 0; i < hv_test_frame_count; i++)
			refused += ways[way].write(__va(hv_test_frame[i])) == X86_TRAP_GP;
		hv_tell("%s %u %u\n", ways[way].name, refused, hv_test_frame_count - refused);
		cond_resched();
	}
	return 0;
}

int hv_test_peek(const u64 *argument, unsigned int count)
{
	u64 *at = __va(argument[0]);
	u64 value = 0;
	int fault;

	asm volatile("1:	movq %[at], %[value]\n"
		     "	xorl %%eax, %%eax\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE(1b, 2b, EX_TYPE_FAULT)
		     : "=a" (fault), [value] "+r" (value)
		     : [at] "m" (*at)
		     : "cc");
	hv_tell("fault %d\nvalue 0x%llx\n", fault, value);
	return 0;
}

int hv_test_poke(const u64 *argument, unsigned int count)
{
	u64 *at = __va(argument[0]);
	int fault = HV_FAULT_OF("movq %2, %1", "m" (*at), "r" (argument[1]));

	hv_tell("fault %d\n", fault);
	return 0;
}
