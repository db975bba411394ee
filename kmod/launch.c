// SPDX-License-Identifier: GPL-2.0 OR MIT
/* One CPU after the other goes under the core, or comes out: all of them, or none. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/ioport.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>

#include "hv.h"

#ifdef HV_TEST_HOOKS
static int fail_cpu = -1;
module_param(fail_cpu, int, 0644);
MODULE_PARM_DESC(fail_cpu, "CPU whose launch shall fail (tests)");

static int fail_step;
module_param(fail_step, int, 0644);
MODULE_PARM_DESC(fail_step, "number of the launch step at which it shall fail (tests)");
#endif

static const char *const step_names[] = {
#define HV_X(name, text) text,
	HV_LAUNCH_STEPS(HV_X)
#undef HV_X
};

struct launcher {
	struct hv_launch *launch;
	unsigned long *table;
	long error;
};

static int ram_end(struct resource *ram, void *top)
{
	*(u64 *)top = max_t(u64, *(u64 *)top, ram->end + 1);
	return 0;
}

static void fill_launch(struct hv_launch *launch)
{
	unsigned int i;

	launch->version = HV_ABI_VERSION;
	launch->size = sizeof(*launch);
	launch->cpus = hv.cpus;
	launch->chunks = hv.frames.chunks;
	launch->table_pages = hv.frames.table_pages;
	launch->handle = hv.handle;
	walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, 0, -1,
			    &launch->top_of_ram, ram_end);
	for (i = 0; i < hv.frames.chunks; i++) {
		launch->chunk[i].hpa = __pa(hv.frames.chunk[i].address);
		launch->chunk[i].pages = hv.frames.chunk[i].pages;
	}
}

/*
 * What CR3 holds while a CPU changes sides: Linux's half and the core. Two pages, of which the
 * first is used: bit 12 of a CR3 tells the NMI entry code under page table isolation that user page
 * tables are loaded.
 */
static unsigned long *make_table(void)
{
	const unsigned long *now = __va(read_cr3_pa());
	unsigned long *table = (unsigned long *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, 1);

	if (!table) {
		hv_fail(-ENOMEM, "no memory for a page table: free some");
		return NULL;
	}
	table[0] = hv_frames_root_entry(&hv.frames);
	memcpy(table + PTRS_PER_PGD / 2, now + PTRS_PER_PGD / 2, PAGE_SIZE / 2);
	return table;
}

static void free_table(unsigned long *table)
{
	free_pages((unsigned long)table, 1);
}

/* The core's addresses are forgotten, under the PCID that the table used. */
static void go_on(unsigned long linux_cr3, bool was_in_core)
{
	native_write_cr3(linux_cr3);
	__flush_tlb_all();
	if (was_in_core && hv.backend->finish)
		hv.backend->finish();
}

static void launch_this_cpu(void *data)
{
	struct launcher *launcher = data;
	struct hv_launch *launch = launcher->launch;
	unsigned long linux_cr3 = __read_cr3();
	struct hv_linux_state state;

	hv_linux_state_save(&state);
	launch->debugctl = state.debugctl;
	launcher->error = hv_launch_here(launch, hv.image.header.entry, __pa(launcher->table));
	if (!launcher->error)
		return;
	if (launch->root_state)
		hv_linux_state_restore(&state);
	go_on(linux_cr3, launch->root_state);
}

static int launch_failed(const struct hv_launch *launch, int error)
{
	const char *step = launch->step < HV_STEP_COUNT ? step_names[launch->step] : "?";

	return hv_fail(error, "CPU %u: launch step %s failed: reason 0x%llx, error %d: all undone",
		       launch->cpu_id, step, launch->detail, error);
}

static int launch_cpu(struct launcher *launcher, unsigned int cpu, unsigned int ring)
{
	struct hv_launch *launch = launcher->launch;
	int error;

	launch->cpu = ring;
	launch->cpu_id = cpu;
	launch->flags = HV_LAUNCH_NMI_PER_RECORD;
	launch->step = HV_STEP_NONE;
	launch->root_state = 0;
	launch->detail = 0;
#ifdef HV_TEST_HOOKS
	launch->fail_step = cpu == fail_cpu ? fail_step : HV_STEP_NONE;
#endif
	error = smp_call_function_single(cpu, launch_this_cpu, launcher, 1);
	if (error)
		return hv_fail(error, "CPU %u does not answer (error %d)", cpu, error);
	if (launcher->error)
		return launch_failed(launch, launcher->error);
	cpumask_set_cpu(cpu, &hv.hoisted);
	return 0;
}

static int launcher_open(struct launcher *launcher)
{
	launcher->launch = kzalloc(sizeof(*launcher->launch), GFP_KERNEL);
	if (!launcher->launch)
		return hv_fail(-ENOMEM, "no memory for the launch: free some");
	fill_launch(launcher->launch);
	launcher->table = make_table();
	return launcher->table ? 0 : -ENOMEM;
}

static void launcher_close(struct launcher *launcher)
{
	kfree_sensitive(launcher->launch);
	free_table(launcher->table);
}

/* Under cpus_read_lock(). */
int hv_launch_all(void)
{
	struct launcher launcher = {};
	int error = launcher_open(&launcher);
	unsigned int ring;

	for (ring = 0; !error && ring < hv.cpus; ring++)
		error = launch_cpu(&launcher, hv.cpu_of_ring[ring], ring);
	if (error)
		hv_unhoist_all();
	launcher_close(&launcher);
	return error;
}

/* A CPU that was hoisted before, with the others still under the core. Hotplug is locked. */
int hv_launch_again(unsigned int cpu)
{
	struct launcher launcher = {};
	int ring = hv_ring_of_cpu(cpu);
	int error = ring < 0 ? -ENOENT : launcher_open(&launcher);

	if (!error)
		error = launch_cpu(&launcher, cpu, ring);
	launcher_close(&launcher);
	return error;
}

struct leaver {
	unsigned long *table;
	int error;
};

static void unhoist_this_cpu(void *data)
{
	unsigned long linux_cr3 = __read_cr3();
	struct hv_linux_state state;
	struct leaver *leaver = data;

	hv_linux_state_save(&state);
	leaver->error = hv.backend->unhoist(hv.handle, __pa(leaver->table));
	if (leaver->error)
		return;
	hv_linux_state_restore(&state);
	go_on(linux_cr3, true);
}

/* Hotplug is locked, for reading or writing. */
int hv_unhoist_cpu(unsigned int cpu)
{
	struct leaver leaver = { .table = make_table() };
	int error;

	if (!leaver.table)
		return -ENOMEM;
	error = smp_call_function_single(cpu, unhoist_this_cpu, &leaver, 1);
	free_table(leaver.table);
	if (!error)
		error = leaver.error;
	if (error)
		return hv_fail(error, "CPU %u could not be unhoisted (error %d): it stays hoisted",
			       cpu, error);
	cpumask_clear_cpu(cpu, &hv.hoisted);
	return 0;
}

/* Under cpus_read_lock(). In reverse, and as many as possible. */
int hv_unhoist_all(void)
{
	unsigned int ring;
	int error = 0;

	for (ring = hv.cpus; ring-- > 0;) {
		unsigned int cpu = hv.cpu_of_ring[ring];

		if (cpumask_test_cpu(cpu, &hv.hoisted)) {
			int failed = hv_unhoist_cpu(cpu);

			error = error ?: failed;
		}
	}
	return error;
}
