// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Second mappings of a frame: what the direct map may not, they may not either. */
#include <linux/errno.h>
#include <linux/kdebug.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/preempt.h>
#include <linux/vmalloc.h>
#include <asm/nospec-branch.h>
#include <asm/ptrace.h>
#include <asm/trapnr.h>

#include "hv_test.h"

#define RETURN_OPCODE 0xc3

static void *map_page(u64 address, pgprot_t rights)
{
	struct page *page = pfn_to_page(address >> PAGE_SHIFT);

	if (!pfn_valid(address >> PAGE_SHIFT))
		return NULL;
	return vmap(&page, 1, VM_MAP, rights);
}

/* vmap() itself never gives the right to execute. */
static bool make_executable(void *mapped)
{
	unsigned int level;
	pte_t *entry = lookup_address((unsigned long)mapped, &level);

	if (!entry || level != PG_LEVEL_4K)
		return false;
	set_pte(entry, pte_mkexec(*entry));
	asm volatile("invlpg (%0)" : : "r" (mapped) : "memory");
	return true;
}

int hv_test_alias(const u64 *argument, unsigned int count)
{
	void *mapped = map_page(argument[0], PAGE_KERNEL);
	u64 *at = mapped + offset_in_page(argument[0]);

	if (!mapped)
		return -EINVAL;
	hv_tell("fault %d\n", HV_FAULT_OF("movq %2, %1", "m" (*at), "r" (argument[1])));
	vunmap(mapped);
	return 0;
}

struct jump {
	struct notifier_block notifier;
	unsigned long to;
	int fault;
};

/* The call's target could not be fetched: go back to where the call came from. */
static int on_fault(struct notifier_block *block, unsigned long event, void *data)
{
	struct jump *jump = container_of(block, struct jump, notifier);
	struct die_args *arguments = data;
	struct pt_regs *regs = arguments->regs;

	if (event != DIE_GPF || regs->ip != jump->to)
		return NOTIFY_DONE;
	jump->fault = arguments->trapnr;
	regs->ip = *(unsigned long *)regs->sp;
	regs->sp += sizeof(unsigned long);
	return NOTIFY_STOP;
}

static int call_mapped(struct jump *jump, void *mapped)
{
	int error = -EIO;
	u64 scratch;

	preempt_disable();
	if (make_executable(mapped)) {
		/* Zeroes, should they be executed, add to what rax points to. */
		asm volatile(ANNOTATE_RETPOLINE_SAFE
			     "call *%[to]"
			     : ASM_CALL_CONSTRAINT
			     : [to] "c" (jump->to), "a" (&scratch)
			     : "cc", "memory");
		error = 0;
	}
	preempt_enable();
	return error;
}

/* Calls the frame through an executable mapping. A frame that can be written gets a RET first. */
int hv_test_execute(const u64 *argument, unsigned int count)
{
	struct jump jump = { .notifier = { .notifier_call = on_fault, .priority = INT_MAX } };
	void *mapped = map_page(argument[0], PAGE_KERNEL);
	u8 *direct = __va(argument[0]);
	int error;

	if (!mapped)
		return -EINVAL;
	hv_tell("write_fault %d\n",
		HV_FAULT_OF("movb %b2, %1", "m" (*direct), "c" (RETURN_OPCODE)));
	jump.to = (unsigned long)mapped + offset_in_page(argument[0]);
	register_die_notifier(&jump.notifier);
	error = call_mapped(&jump, mapped);
	unregister_die_notifier(&jump.notifier);
	hv_tell("fault %d\n", jump.fault);
	vunmap(mapped);
	return error;
}
