// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Debug traps around instructions that leave guest operation. What arrives, and where, must be the
 * same with and without the core.
 */
#include <linux/err.h>
#include <linux/hw_breakpoint.h>
#include <linux/irqflags.h>
#include <linux/kdebug.h>
#include <linux/notifier.h>
#include <linux/perf_event.h>
#include <linux/preempt.h>
#include <linux/string.h>
#include <asm/processor-flags.h>
#include <asm/ptrace.h>

#include "hv_test.h"

#define EVENTS 24u
#define WATCHED_DATA 0 /* beside DIE_DEBUG and DIE_INT3 */

struct watch {
	struct notifier_block notifier;
	unsigned long from; /* the case's first byte */
	unsigned int count;
	struct {
		unsigned long event, offset, dr6;
	} seen[EVENTS];
};

/* The case that runs; a breakpoint's handler gets no argument of its own. */
static struct watch *running;

static void note(struct watch *watch, unsigned long event, const struct pt_regs *regs,
		 unsigned long dr6)
{
	if (watch->count < EVENTS) {
		watch->seen[watch->count].event = event;
		watch->seen[watch->count].offset = regs->ip - watch->from;
		watch->seen[watch->count].dr6 = dr6;
	}
	watch->count++;
}

static int on_trap(struct notifier_block *block, unsigned long event, void *data)
{
	struct watch *watch = container_of(block, struct watch, notifier);
	struct die_args *arguments = data;
	const unsigned long *dr6 = (unsigned long *)arguments->err;

	if (event != DIE_DEBUG && event != DIE_INT3)
		return NOTIFY_DONE;
	note(watch, event, arguments->regs, event == DIE_DEBUG ? *dr6 : 0);
	if (watch->count >= EVENTS)
		arguments->regs->flags &= ~X86_EFLAGS_TF;
	return NOTIFY_STOP;
}

static void on_watched(struct perf_event *event, struct perf_sample_data *data,
		       struct pt_regs *regs)
{
	if (running)
		note(running, WATCHED_DATA, regs, 0);
}

static const char *name_of(unsigned long event)
{
	if (event == WATCHED_DATA)
		return "data";
	return event == DIE_INT3 ? "bp" : "db";
}

static void tell(const char *name, const struct watch *watch)
{
	unsigned int i;

	hv_tell("%s", name);
	for (i = 0; i < min(watch->count, EVENTS); i++)
		hv_tell(" %s+%lu/%lx", name_of(watch->seen[i].event), watch->seen[i].offset,
			watch->seen[i].dr6);
	hv_tell("%s\n", watch->count ? "" : " nothing");
}

static void run_case(const struct hv_test_trap_case *test)
{
	struct watch watch = { .notifier = { .notifier_call = on_trap, .priority = INT_MAX } };
	unsigned long flags;

	watch.from = (unsigned long)test->run;
	register_die_notifier(&watch.notifier);
	local_irq_save(flags);
	running = &watch;
	test->run();
	running = NULL;
	local_irq_restore(flags);
	unregister_die_notifier(&watch.notifier);
	tell(test->name, &watch);
}

/* 1: without ICEBP, which some emulated CPUs do not know. */
int hv_test_traps(const u64 *argument, unsigned int count)
{
	struct perf_event * __percpu *breakpoint;
	struct perf_event_attr attributes;
	unsigned int i;

	hw_breakpoint_init(&attributes);
	attributes.bp_addr = (unsigned long)&hv_test_watched;
	attributes.bp_len = HW_BREAKPOINT_LEN_8;
	attributes.bp_type = HW_BREAKPOINT_RW;
	breakpoint = register_wide_hw_breakpoint(&attributes, on_watched, NULL);
	if (IS_ERR((void __force *)breakpoint))
		return PTR_ERR((void __force *)breakpoint);
	for (i = 0; i < hv_test_trap_case_count; i++)
		if (!argument[0] || !strstr(hv_test_trap_cases[i].name, "icebp"))
			run_case(&hv_test_trap_cases[i]);
	unregister_wide_hw_breakpoint(breakpoint);
	return 0;
}
