// SPDX-License-Identifier: GPL-2.0 OR MIT
/* /proc/hv_test: commands in, answers out. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "hv_test.h"

#define ANSWER_BYTES (128u << 10)
#define COMMAND_BYTES 512u

static const struct hv_test_command commands[] = {
	{ "snapshot", "", 0, hv_test_snapshot },
	{ "calls", "COUNT SEED", 2, hv_test_calls },
	{ "call", "NUMBER HANDLE [A B C D]", 2, hv_test_call },
	{ "vmx", "", 0, hv_test_vmx },
	{ "svm", "", 0, hv_test_svm },
	{ "nops", "", 0, hv_test_nops },
	{ "keeps", "COUNT", 1, hv_test_keeps },
	{ "core", "NUMBER A B", 3, hv_test_core },
	{ "sweep", "", 0, hv_test_sweep },
	{ "frames", "", 0, hv_test_frames },
	{ "read", "", 0, hv_test_read },
	{ "write", "", 0, hv_test_write },
	{ "peek", "ADDRESS", 1, hv_test_peek },
	{ "poke", "ADDRESS VALUE", 2, hv_test_poke },
	{ "fill", "PAGE", 1, hv_test_fill },
	{ "load", "PAGE 0|1|2 [WAY]", 2, hv_test_load },
	{ "alias", "ADDRESS VALUE", 2, hv_test_alias },
	{ "execute", "ADDRESS", 1, hv_test_execute },
	{ "patch", "ADDRESS 0|1|2|3 CHANGE [KEEP]", 3, hv_test_patch },
	{ "places", "", 0, hv_test_places },
	{ "gdt", "CPU", 1, hv_test_gdt },
	{ "find", "KEY WORD... (each xor KEY)", 2, hv_test_find },
	{ "own", "BLOCKS", 1, hv_test_own },
	{ "disown", "", 0, hv_test_disown },
	{ "hog", "LEAVE_MIB", 1, hv_test_hog },
	{ "unhog", "", 0, hv_test_unhog },
	{ "cr", "NUMBER", 1, hv_test_cr },
	{ "cr_set", "NUMBER CLEAR SET [STAY]", 3, hv_test_cr_set },
	{ "cr0_instructions", "", 0, hv_test_cr0_instructions },
	{ "xsetbv", "INDEX VALUE", 2, hv_test_xsetbv },
	{ "dr", "NUMBER", 1, hv_test_dr },
	{ "dr_set", "NUMBER VALUE", 2, hv_test_dr_set },
	{ "table", "0|1|2|3 KIND", 2, hv_test_table },
	{ "port", "PORT KIND VALUE", 3, hv_test_port },
	{ "instruction", "WHICH", 1, hv_test_instruction },
	{ "cpuid", "LEAF SUBLEAF", 2, hv_test_cpuid },
	{ "invd", "", 0, hv_test_invd },
	{ "ipi", "CPU ICR_LOW", 2, hv_test_ipi },
	{ "rdmsr", "INDEX", 1, hv_test_rdmsr },
	{ "wrmsr", "INDEX VALUE", 2, hv_test_wrmsr },
	{ "lend_msr", "INDEX VALUE", 2, hv_test_lend_msr },
	{ "rewrite", "INDEX COUNT", 2, hv_test_rewrite },
	{ "msr_exits", "FIRST LAST READ WRITE FORBIDDEN", 5, hv_test_msr_exits },
	{ "traps", "[WITHOUT_ICEBP]", 0, hv_test_traps },
	{ "nmi", "CPU NMIS EXITS KIND", 4, hv_test_nmi },
	{ "time_nop", "COUNT", 1, hv_test_time_nop },
	{ "time_wrmsr", "INDEX VALUE COUNT", 3, hv_test_time_wrmsr },
	{ "time_write", "ADDRESS COUNT", 2, hv_test_time_write },
	{ "time_ipi", "CPU COUNT", 2, hv_test_time_ipi },
	{ "scribble", "CPU OFFSET A B", 4, hv_test_scribble },
	{ "rest", "", 0, hv_test_rest },
	{ "sleepless", "0|1", 1, hv_test_sleepless },
};

static DEFINE_MUTEX(lock);
static char *answer;
static size_t answer_bytes;

void hv_tell(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	answer_bytes += vscnprintf(answer + answer_bytes, ANSWER_BYTES - answer_bytes, format,
				   arguments);
	va_end(arguments);
}

static const struct hv_test_command *find_command(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int run(char *line)
{
	const struct hv_test_command *command;
	u64 argument[HV_TEST_ARGUMENTS] = {};
	unsigned int count = 0;
	char *word;

	command = find_command(strsep(&line, " ") ?: "");
	if (!command)
		return -EINVAL;
	while ((word = strsep(&line, " "))) {
		if (!*word)
			continue;
		if (count == HV_TEST_ARGUMENTS || kstrtoull(word, 0, &argument[count++]))
			return -EINVAL;
	}
	if (count < command->least) {
		hv_tell("usage: %s %s\n", command->name, command->arguments);
		return -EINVAL;
	}
	return command->run(argument, count);
}

static ssize_t write_command(struct file *file, const char __user *from, size_t bytes,
			     loff_t *offset)
{
	char *line;
	int error;

	if (bytes >= COMMAND_BYTES)
		return -E2BIG;
	line = memdup_user_nul(from, bytes);
	if (IS_ERR(line))
		return PTR_ERR(line);
	mutex_lock(&lock);
	answer_bytes = 0;
	error = run(strim(line));
	mutex_unlock(&lock);
	kfree(line);
	return error ?: bytes;
}

static ssize_t read_answer(struct file *file, char __user *to, size_t bytes, loff_t *offset)
{
	ssize_t read;

	mutex_lock(&lock);
	read = simple_read_from_buffer(to, bytes, offset, answer, answer_bytes);
	mutex_unlock(&lock);
	return read;
}

static const struct proc_ops operations = {
	.proc_write = write_command,
	.proc_read = read_answer,
	.proc_lseek = default_llseek,
};

static int __init hv_test_init(void)
{
	int error;

	answer = vzalloc(ANSWER_BYTES);
	if (!answer)
		return -ENOMEM;
	error = hv_test_symbols_start();
	if (error)
		goto no_symbols;
	error = -ENOMEM;
	if (!proc_create("hv_test", 0600, NULL, &operations))
		goto no_file;
	return 0;

no_file:
	hv_test_symbols_stop();
no_symbols:
	vfree(answer);
	return error;
}

static void __exit hv_test_exit(void)
{
	remove_proc_entry("hv_test", NULL);
	hv_test_symbols_stop();
	hv_test_scribble_stop();
	hv_test_sleep_allow();
	hv_test_blocks_free();
	hv_test_places_free();
	vfree(answer);
}

module_init(hv_test_init);
module_exit(hv_test_exit);
MODULE_DESCRIPTION("What a hostile or unlucky kernel does under hv");
MODULE_AUTHOR("The Hoist authors");
MODULE_LICENSE("Dual MIT/GPL");
