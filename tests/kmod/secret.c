// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What a module of the root VM can take from hv.ko: its functions, and with them the handle. */
#include <linux/errno.h>
#include <linux/kprobes.h>

#include "hv_test.h"

void *hv_test_symbol(const char *name)
{
	struct kprobe probe = { .symbol_name = name, .flags = KPROBE_FLAG_DISABLED };
	void *address;

	if (register_kprobe(&probe))
		return NULL;
	address = probe.addr;
	unregister_kprobe(&probe);
	return address;
}

/* A hypercall with the right handle. */
int hv_test_core(const u64 *argument, unsigned int count)
{
	long (*hypercall)(u64 number, u64 first, u64 second) = hv_test_symbol("hv_hypercall");

	if (!hypercall)
		return -ENOENT;
	hv_tell("result %ld\n", hypercall(argument[0], argument[1], argument[2]));
	return 0;
}
