// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What a module of the root VM can take from hv.ko: its functions, and with them the handle. */
#include <linux/errno.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/string.h>

#include "hv_test.h"

#define KEPT 4u

/* What was found: Linux goes through all its names to find one. */
static struct {
	char name[32];
	void *address;
} kept[KEPT];
static unsigned int oldest;

static void *find(const char *name)
{
	struct kprobe probe = { .symbol_name = name, .flags = KPROBE_FLAG_DISABLED };
	void *address;

	if (register_kprobe(&probe))
		return NULL;
	address = probe.addr;
	unregister_kprobe(&probe);
	return address;
}

void *hv_test_symbol(const char *name)
{
	void *address;
	unsigned int i;

	for (i = 0; i < KEPT; i++)
		if (kept[i].address && !strcmp(kept[i].name, name))
			return kept[i].address;
	address = find(name);
	if (address && strscpy(kept[oldest].name, name, sizeof(kept[oldest].name)) > 0) {
		kept[oldest].address = address;
		oldest = (oldest + 1) % KEPT;
	}
	return address;
}

/* hv.ko may go, and come back elsewhere. */
static int on_module(struct notifier_block *block, unsigned long state, void *module)
{
	if (state == MODULE_STATE_GOING)
		memset(kept, 0, sizeof(kept));
	return NOTIFY_OK;
}

static struct notifier_block modules = { .notifier_call = on_module };

int hv_test_symbols_start(void)
{
	return register_module_notifier(&modules);
}

void hv_test_symbols_stop(void)
{
	unregister_module_notifier(&modules);
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
