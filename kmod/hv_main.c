// SPDX-License-Identifier: GPL-2.0 OR MIT
/* hv.ko: puts the running Linux under the core and takes it off again. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/printk.h>
#include <asm/processor.h>

#include "hv.h"

#define HV_MESSAGES 16
#define HV_MESSAGE_BYTES 240

struct hv hv = {
	.lock = __MUTEX_INITIALIZER(hv.lock),
	.donations = LIST_HEAD_INIT(hv.donations),
	.exchange_blocks = LIST_HEAD_INIT(hv.exchange_blocks),
};

/*
 * Netlink reads the message of a request after hv.lock was given back, so the requests that follow
 * write theirs elsewhere.
 */
static __printf(1, 0) void set_message(const char *format, va_list arguments)
{
	static char messages[HV_MESSAGES][HV_MESSAGE_BYTES];
	static unsigned int next;
	char *message = messages[next++ % HV_MESSAGES];

	vsnprintf(message, HV_MESSAGE_BYTES, format, arguments);
	hv.message = message;
}

/* The request was wrong: its sender learns why. */
int hv_refuse(int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set_message(format, arguments);
	va_end(arguments);
	return error;
}

/* The machine could not do it: the log learns why, too. */
int hv_fail(int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set_message(format, arguments);
	va_end(arguments);
	pr_err("%s\n", hv.message);
	return error;
}

int hv_need_hoisted(void)
{
	return hv_hoisted() ? 0 : hv_refuse(-ENODEV, "Linux is not hoisted: start first");
}

static int __init hv_init(void)
{
	int error = hv_image_parse(&hv.image);
	u8 vendor = boot_cpu_data.x86_vendor;

	hv.backend = vendor == X86_VENDOR_AMD || vendor == X86_VENDOR_HYGON ? &hv_svm : &hv_vmx;
	if (error)
		return error;
	error = hv_records_init();
	if (error)
		goto forget_image;
	error = hv_lifecycle_register();
	if (error)
		goto exit_records;
	error = hv_netlink_register();
	if (error)
		goto unregister_lifecycle;
	return 0;

unregister_lifecycle:
	hv_lifecycle_unregister();
exit_records:
	hv_records_exit();
forget_image:
	hv_image_forget(&hv.image);
	return error;
}

/* Only a forced rmmod comes here while held: the core stays then, and keeps its frames. */
static void __exit hv_exit(void)
{
	hv_netlink_unregister();
	mutex_lock(&hv.lock);
	if (hv_hoisted() && hv_stop())
		pr_err("hv.ko goes, the core stays: only a reboot ends it\n");
	mutex_unlock(&hv.lock);
	hv_lifecycle_unregister();
	hv_records_exit();
	hv_policy_forget();
	hv_image_forget(&hv.image);
}

module_init(hv_init);
module_exit(hv_exit);
MODULE_DESCRIPTION("Puts the running Linux under the hv core");
MODULE_AUTHOR("The Hoist authors");
MODULE_VERSION(HV_VERSION);
MODULE_LICENSE("Dual MIT/GPL");
