// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Another CPU changes what the core reads while it reads it. */
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "hv_test.h"

static struct {
	struct task_struct *task;
	void (*write)(size_t offset, const void *from, size_t bytes);
	size_t offset;
	u64 value[2];
	u64 writes;
} scribble;

static int keep_writing(void *unused)
{
	while (!kthread_should_stop()) {
		scribble.write(scribble.offset, &scribble.value[scribble.writes++ & 1],
			       sizeof(u64));
		if (!(scribble.writes & 0xffff))
			cond_resched();
	}
	return 0;
}

void hv_test_scribble_stop(void)
{
	if (scribble.task)
		kthread_stop(scribble.task);
	scribble.task = NULL;
}

/* The eight bytes at OFFSET of the mailbox become A, B, A, B, ... until rest. */
int hv_test_scribble(const u64 *argument, unsigned int count)
{
	struct task_struct *task;

	scribble.write = hv_test_symbol("hv_mailbox_write");
	if (scribble.task || !scribble.write || argument[0] >= nr_cpu_ids)
		return -EINVAL;
	scribble.offset = argument[1];
	scribble.value[0] = argument[2];
	scribble.value[1] = argument[3];
	scribble.writes = 0;
	task = kthread_create_on_cpu(keep_writing, NULL, argument[0], "hv_scribble");
	if (IS_ERR(task))
		return PTR_ERR(task);
	scribble.task = task;
	wake_up_process(task);
	return 0;
}

int hv_test_rest(const u64 *argument, unsigned int count)
{
	hv_test_scribble_stop();
	hv_tell("writes %llu\n", scribble.writes);
	return 0;
}
