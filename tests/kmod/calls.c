// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Hypercalls from ring 0, without the handle. */
#include <linux/errno.h>
#include <linux/sched.h>
#include <asm/processor.h>
#include <asm/traps.h>

#include "abi/call.h"
#include "hv_test.h"

#define NO_CALL (-38) /* -errno in abi/call.h, for numbers that are no call */

/* xorshift64*: repeatable from a seed. */
u64 hv_test_random(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

struct tally {
	u64 done, no_call, bad_handle, other, fault;
	u64 first_other_number, first_other_result;
};

static void count(struct tally *t, u64 number, int fault, u64 result)
{
	if (fault)
		t->fault++;
	else if (!result && number == HV_CALL_NOP)
		t->done++;
	else if ((s64)result == NO_CALL)
		t->no_call++;
	else if ((s64)result == -EBADF)
		t->bad_handle++;
	else if (!t->other++) {
		t->first_other_number = number;
		t->first_other_result = result;
	}
}

/* Mostly small numbers and edges, so that each call is met often. */
static u64 interesting(u64 *state)
{
	u64 r = hv_test_random(state);

	switch (r >> 61) {
	case 0:
	case 1:
	case 2:
		return r % (HV_CALL_COUNT + 3);
	case 3:
		return 1ull << (r & 63);
	case 4:
		return -(r & 0xffff);
	case 5:
		return (r & 0xfffff) << PAGE_SHIFT;
	default:
		return hv_test_random(state);
	}
}

int hv_test_calls(const u64 *argument, unsigned int arguments)
{
	u64 state = argument[1] ?: 1, left = argument[0], given[5], result;
	struct tally t = {};
	unsigned int i;

	while (left--) {
		u64 number = interesting(&state);
		int fault;

		for (i = 0; i < ARRAY_SIZE(given); i++)
			given[i] = interesting(&state);
		fault = hv_call(number, given, &result);
		count(&t, number, fault, result);
		if (!(left & 0xfff))
			cond_resched();
	}
	hv_tell("calls %llu\nnop %llu\nenosys %llu\nebadf %llu\nfault %llu\nother %llu\n",
		argument[0], t.done, t.no_call, t.bad_handle, t.fault, t.other);
	if (t.other)
		hv_tell("first_other %llx %lld\n", t.first_other_number, (s64)t.first_other_result);
	return 0;
}

int hv_test_call(const u64 *argument, unsigned int arguments)
{
	u64 result;
	int fault = hv_call(argument[0], argument + 1, &result);

	hv_tell("fault %d\nresult %lld\n", fault, (s64)result);
	return 0;
}

struct registers {
	u64 rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15, rax;
};

/* Loads all general registers but rsp, makes a hypercall, stores them back. */
static noinline void call_with(struct registers *r)
{
	asm volatile("push %%rbp; push %%rbx; push %%rax\n"
		     "mov 0(%%rax), %%rbx; mov 8(%%rax), %%rcx; mov 16(%%rax), %%rdx\n"
		     "mov 24(%%rax), %%rsi; mov 32(%%rax), %%rdi; mov 40(%%rax), %%rbp\n"
		     "mov 48(%%rax), %%r8; mov 56(%%rax), %%r9; mov 64(%%rax), %%r10\n"
		     "mov 72(%%rax), %%r11; mov 80(%%rax), %%r12; mov 88(%%rax), %%r13\n"
		     "mov 96(%%rax), %%r14; mov 104(%%rax), %%r15; mov 112(%%rax), %%rax\n"
		     "1: " HV_CALL_INSTRUCTION "\n"
		     "2: push %%rax; mov 8(%%rsp), %%rax\n"
		     "mov %%rbx, 0(%%rax); mov %%rcx, 8(%%rax); mov %%rdx, 16(%%rax)\n"
		     "mov %%rsi, 24(%%rax); mov %%rdi, 32(%%rax); mov %%rbp, 40(%%rax)\n"
		     "mov %%r8, 48(%%rax); mov %%r9, 56(%%rax); mov %%r10, 64(%%rax)\n"
		     "mov %%r11, 72(%%rax); mov %%r12, 80(%%rax); mov %%r13, 88(%%rax)\n"
		     "mov %%r14, 96(%%rax); mov %%r15, 104(%%rax)\n"
		     "mov %%rax, %%rcx; pop %%rdx; mov %%rdx, 112(%%rcx)\n"
		     "pop %%rax; pop %%rbx; pop %%rbp\n"
		     _ASM_EXTABLE_TYPE(1b, 2b, EX_TYPE_FAULT)
		     : "+a" (r)
		     :
		     : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
		       "r15", "cc", "memory");
}

/* Every register but rax is as it was, whatever the answer. */
int hv_test_keeps(const u64 *argument, unsigned int arguments)
{
	u64 state = 88172645463325252ull, left = argument[0], lost = 0;
	struct registers before, after;
	unsigned int i;

	while (left--) {
		for (i = 0; i < sizeof(before) / sizeof(u64); i++)
			((u64 *)&before)[i] = hv_test_random(&state);
		before.rax %= HV_CALL_COUNT + 1;
		after = before;
		call_with(&after);
		after.rax = before.rax;
		lost += memcmp(&before, &after, sizeof(before)) != 0;
	}
	hv_tell("calls %llu\nlost %llu\n", argument[0], lost);
	return 0;
}
