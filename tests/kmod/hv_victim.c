// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A module that is attacked: code, a constant, and a variable that is written once. */
#include <linux/cache.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#define ANSWER 42
#define MOV_TO_EAX 0xb8

/* The answer lies in the bytes 1 to 4; a page without use follows, and one more. */
static noinline notrace int victim_code(void)
{
	int code;

	asm volatile("movl $42, %0\n"
		     "	jmp 1f\n"
		     "	.skip 8192, 0xcc\n"
		     "1:\n"
		     : "=a" (code));
	return code;
}

const u64 hv_victim_constant = ANSWER;
u64 hv_victim_setting __ro_after_init;

static int get_answer(char *buffer, const struct kernel_param *parameter)
{
	return sysfs_emit(buffer, "%d %llu %llu\n", victim_code(),
			  READ_ONCE(hv_victim_constant), READ_ONCE(hv_victim_setting));
}

static const struct kernel_param_ops answer = { .get = get_answer };

module_param_cb(answer, &answer, NULL, 0400);

/* Where all three lie: to look for them among all symbols takes an emulated machine minutes. */
static int get_places(char *buffer, const struct kernel_param *parameter)
{
	return sysfs_emit(buffer, "0x%lx 0x%lx 0x%lx\n", (unsigned long)victim_code,
			  (unsigned long)&hv_victim_constant, (unsigned long)&hv_victim_setting);
}

static const struct kernel_param_ops places = { .get = get_places };

module_param_cb(places, &places, NULL, 0400);

static int __init hv_victim_init(void)
{
	hv_victim_setting = ANSWER;
	/* Nothing of the compiler's goes before it. */
	return *(const u8 *)victim_code == MOV_TO_EAX ? 0 : -ENOEXEC;
}

static void __exit hv_victim_exit(void)
{
}

module_init(hv_victim_init);
module_exit(hv_victim_exit);
MODULE_DESCRIPTION("What an attack on a module's memory is aimed at");
MODULE_AUTHOR("The Hoist authors");
MODULE_LICENSE("Dual MIT/GPL");
