// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * CPUs that go offline and come back while Linux is hoisted. As a rule they stay under the core,
 * which emulates INIT and SIPI. SVM knows no exit on SIPI, and Bochs before 3.0 does not take an
 * INIT away when it causes an exit, so the core could not start the CPU again: there it leaves the
 * core before it goes, and is launched again as soon as Linux runs on it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpuhotplug.h>
#include <linux/dmi.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/string.h>

#include "hv.h"

static char *hotplug = "auto";
module_param(hotplug, charp, 0444);
MODULE_PARM_DESC(hotplug, "offline CPUs: core (stay hoisted), module (leave, come again), auto");

static int prepare_state;
static int online_state;
static bool by_module;

/*
 * Runs before a CPU is started, hotplug locked, so the masks hold still. One that never was
 * hoisted would run beside the core.
 */
static int prepare_cpu(unsigned int cpu)
{
	if (!hv_hoisted() || cpumask_test_cpu(cpu, &hv.hoisted) ||
	    cpumask_test_cpu(cpu, &hv.resting))
		return 0;
	pr_err("CPU %u was not hoisted: stop first, then online it, then start\n", cpu);
	return -EBUSY;
}

/* On the CPU itself, as early as Linux lets a module run there. */
static int cpu_is_online(unsigned int cpu)
{
	int error;

	if (!by_module || !cpumask_test_cpu(cpu, &hv.resting))
		return 0;
	error = hv_launch_again(cpu);
	if (!error)
		cpumask_clear_cpu(cpu, &hv.resting);
	return error;
}

static int cpu_goes_offline(unsigned int cpu)
{
	int error;

	if (!by_module || !cpumask_test_cpu(cpu, &hv.hoisted))
		return 0;
	error = hv_unhoist_cpu(cpu);
	if (!error)
		cpumask_set_cpu(cpu, &hv.resting);
	return error;
}

static bool init_stays_pending(void)
{
	const char *version = dmi_get_system_info(DMI_BIOS_VERSION);

	return version && (!strncmp(version, "Bochs 2.", 8) || !strncmp(version, "2.", 2)) &&
	       strstr(dmi_get_system_info(DMI_BIOS_VENDOR) ?: "", "Bochs");
}

int hv_hotplug_register(void)
{
	if (strcmp(hotplug, "auto") && strcmp(hotplug, "core") && strcmp(hotplug, "module")) {
		pr_err("hotplug=%s is unknown: use auto, core or module\n", hotplug);
		return -EINVAL;
	}
	if (!strcmp(hotplug, "core") && hv.backend->hotplug_by_module) {
		pr_err("hotplug=core: SVM has no exit on SIPI: use auto or module\n");
		return -EINVAL;
	}
	by_module = !strcmp(hotplug, "module") || hv.backend->hotplug_by_module ||
		    (!strcmp(hotplug, "auto") && init_stays_pending());
	prepare_state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "x86/hv:prepare",
						  prepare_cpu, NULL);
	if (prepare_state < 0)
		return prepare_state;
	online_state = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "x86/hv:online",
						 cpu_is_online, cpu_goes_offline);
	if (online_state < 0)
		cpuhp_remove_state_nocalls(prepare_state);
	return online_state < 0 ? online_state : 0;
}

void hv_hotplug_unregister(void)
{
	cpuhp_remove_state_nocalls(online_state);
	cpuhp_remove_state_nocalls(prepare_state);
}
