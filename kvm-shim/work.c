// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Signals, rescheduling, task work. Linux does it all in one function, which takes KVM's vcpu to
 * note there that a signal came; it gets one that nobody looks at.
 */
#include <linux/kvm_host.h>
#include <linux/slab.h>

#include "work.h"

static struct kvm_vcpu *unread;

int hvk_work_init(void)
{
	unread = kvzalloc(sizeof(*unread), GFP_KERNEL);
	if (!unread)
		return -ENOMEM;
	unread->run = (struct kvm_run *)get_zeroed_page(GFP_KERNEL);
	if (unread->run)
		return 0;
	kvfree(unread);
	return -ENOMEM;
}

void hvk_work_exit(void)
{
	free_page((unsigned long)unread->run);
	kvfree(unread);
}

int hvk_work_do(void)
{
	return __xfer_to_guest_mode_work_pending() ? xfer_to_guest_mode_handle_work(unread) : 0;
}
