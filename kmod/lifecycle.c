// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What happens to the machine around the core: sleep, reboot, kexec, panic. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/reboot.h>
#include <linux/suspend.h>

#include "hv.h"

static int before_sleep(void)
{
	int error = 0;

	if (hv_hoisted()) {
		error = hv_stop();
		hv.resume_hoisted = !error;
	}
	hv.suspending = !error;
	return error;
}

static void after_sleep(void)
{
	hv.suspending = false;
	if (!hv.resume_hoisted)
		return;
	hv.resume_hoisted = false;
	if (hv_start() || hv_policy_reload()) {
		/* Rules and markers that the core does not have are none. */
		hv_policy_forget();
		pr_err("after the sleep, Linux is not hoisted as it was before\n");
	}
}

static int on_sleep(struct notifier_block *block, unsigned long event, void *unused)
{
	int error = 0;

	mutex_lock(&hv.lock);
	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		error = before_sleep();
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		after_sleep();
		break;
	}
	mutex_unlock(&hv.lock);
	return notifier_from_errno(error);
}

/*
 * The next kernel of a kexec would find itself under rules it does not know and without the core's
 * frames: while it is held the machine starts again through its firmware instead.
 */
static void restart_instead_of_kexec(const char *command)
{
	if (!command || strcmp(command, "kexec reboot"))
		return;
	pr_emerg("%s: no kexec, restarting the machine instead\n", hv_holder());
	emergency_restart();
}

static int on_reboot(struct notifier_block *block, unsigned long event, void *command)
{
	mutex_lock(&hv.lock);
	hv.going_down = true;
	if (hv_held())
		restart_instead_of_kexec(command);
	else if (hv_hoisted())
		hv_stop();
	mutex_unlock(&hv.lock);
	return NOTIFY_DONE;
}

/* No lock, no waiting: Linux ends hoisted as it would end without the core. */
static int on_panic(struct notifier_block *block, unsigned long event, void *message)
{
	if (hv_hoisted())
		pr_emerg("panic while hoisted: the core stays, under a crash kernel too\n");
	return NOTIFY_DONE;
}

static struct notifier_block sleep_notifier = { .notifier_call = on_sleep };
static struct notifier_block reboot_notifier = { .notifier_call = on_reboot };
static struct notifier_block panic_notifier = { .notifier_call = on_panic };

int hv_lifecycle_register(void)
{
	int error;

	error = hv_hotplug_register();
	if (error)
		return error;
	error = register_pm_notifier(&sleep_notifier);
	if (error)
		goto unregister_hotplug;
	error = register_reboot_notifier(&reboot_notifier);
	if (error)
		goto unregister_sleep;
	atomic_notifier_chain_register(&panic_notifier_list, &panic_notifier);
	return 0;

unregister_sleep:
	unregister_pm_notifier(&sleep_notifier);
unregister_hotplug:
	hv_hotplug_unregister();
	return error;
}

void hv_lifecycle_unregister(void)
{
	atomic_notifier_chain_unregister(&panic_notifier_list, &panic_notifier);
	unregister_reboot_notifier(&reboot_notifier);
	unregister_pm_notifier(&sleep_notifier);
	hv_hotplug_unregister();
}
