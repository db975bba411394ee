// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Start and stop: from memory and checks to all CPUs under the core, and back. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "hv.h"

u64 hv_reserved_bytes(void)
{
	return (u64)hv.frames.taken * PAGE_SIZE + hv_donated_bytes() + hv_exchange_bytes();
}

long hv_hypercall(enum hv_call number, u64 first, u64 second)
{
	const u64 argument[] = { first, second, 0, 0 };

	return hv.backend->hypercall(number, hv.handle, argument);
}

int hv_ring_of_cpu(unsigned int cpu)
{
	unsigned int ring;

	for (ring = 0; ring < hv.cpus; ring++)
		if (hv.cpu_of_ring[ring] == cpu)
			return ring;
	return -1;
}

static int check_rival(const char *name)
{
	struct kobject *rival = kset_find_obj(THIS_MODULE->mkobj.kobj.kset, name);

	if (!rival)
		return 0;
	kobject_put(rival);
	return hv_fail(-EBUSY, "%s is loaded and may use the hardware: rmmod %s, then start again",
		       name, name);
}

struct cpu_check {
	const char *why;
	int error;
};

static void check_this_cpu(void *data)
{
	struct cpu_check *check = data;

	check->why = hv.backend->check(&check->error);
}

static int check_cpus(void)
{
	struct cpu_check check = {};
	unsigned int cpu;
	int error;

	if (!(__supported_pte_mask & _PAGE_NX))
		return hv_fail(-ENODEV, "no-execute pages are off: switch them on in the firmware");
	for_each_online_cpu(cpu) {
		error = smp_call_function_single(cpu, check_this_cpu, &check, 1);
		if (error)
			return hv_fail(error, "CPU %u does not answer (error %d)", cpu, error);
		if (check.why)
			return hv_fail(check.error, "CPU %u: %s", cpu, check.why);
	}
	return 0;
}

static int number_cpus(void)
{
	unsigned int cpu, ring = 0;

	hv.cpus = num_online_cpus();
	if (hv.cpus > hv.image.header.max_cpus)
		return hv_fail(-E2BIG, "%u CPUs are online, the core takes %u: offline some",
			       hv.cpus, hv.image.header.max_cpus);
	hv.cpu_of_ring = kcalloc(hv.cpus, sizeof(*hv.cpu_of_ring), GFP_KERNEL);
	if (!hv.cpu_of_ring)
		return hv_fail(-ENOMEM, "no memory for %u CPUs: free some", hv.cpus);
	for_each_online_cpu(cpu)
		hv.cpu_of_ring[ring++] = cpu;
	return 0;
}

static u64 secret(void)
{
	u64 value;

	do {
		value = get_random_u64();
	} while (!value);
	return value;
}

/* No CPU is hoisted any more: everything goes back to Linux. */
static void release(bool keep_records)
{
	hv_records_close(keep_records);
	cpumask_clear(&hv.resting);
	hv_frames_free(&hv.frames);
	hv_donations_free();
	hv_exchange_forget();
	kfree(hv.cpu_of_ring);
	hv.cpu_of_ring = NULL;
	hv.cpus = 0;
	hv.handle = 0;
	hv.session = 0;
}

static int hoist(void)
{
	int error = number_cpus();

	if (!error)
		error = hv_frames_alloc(&hv.frames, &hv.image.header, hv.cpus);
	if (!error) {
		hv.handle = secret();
		hv.session = secret();
		error = hv_records_open();
	}
	if (!error) {
		hv_image_load(&hv.image, &hv.frames);
		hv_frames_map(&hv.frames, &hv.image);
		error = hv_launch_all();
	}
	/* A CPU that refuses to come back keeps its frames. */
	if (error && !hv_hoisted())
		release(false);
	return error;
}

int hv_start(void)
{
	int error;

	if (hv_hoisted())
		return hv_fail(-EALREADY, "Linux is already hoisted");
	if (hv.suspending || hv.going_down)
		return hv_fail(-EBUSY, "the machine is going to sleep or down: start again later");
	error = check_rival(hv.backend->rival);
	if (error)
		return error;

	cpus_read_lock();
	error = check_cpus();
	if (!error)
		error = hoist();
	cpus_read_unlock();
	if (error)
		return error;
	hv_guests_tell_offer();
	pr_info("Linux is hoisted: %u CPUs, %llu KiB\n", hv.cpus, hv_reserved_bytes() >> 10);
	hv_netlink_announce();
	hv_records_schedule();
	return 0;
}

/*
 * A CPU that went offline hoisted can only leave the core by itself: it has to come back first.
 * Success returns with cpus_read_lock() held.
 */
static int wake_offline(void)
{
	unsigned int cpu;
	int error;

	for (;;) {
		cpus_read_lock();
		for_each_cpu(cpu, &hv.hoisted)
			if (!cpu_online(cpu))
				break;
		if (cpu >= nr_cpu_ids)
			return 0;
		cpus_read_unlock();
		error = add_cpu(cpu);
		if (error)
			return hv_fail(error, "CPU %u is offline and does not come back (error %d)",
				       cpu, error);
		cpumask_set_cpu(cpu, &hv.woken);
	}
}

/* It answers no interrupt any more: asking it to leave would wait for ever. */
static int check_parked(void)
{
	unsigned int ring;

	for (ring = 0; ring < hv.cpus; ring++)
		if (READ_ONCE(hv_ring_shared(ring)->parked))
			return hv_fail(-EIO, "CPU %u was parked by the core: only a reset ends it",
				       hv.cpu_of_ring[ring]);
	return 0;
}

static void sleep_again(void)
{
	unsigned int cpu;

	for_each_cpu(cpu, &hv.woken)
		if (remove_cpu(cpu))
			pr_warn("CPU %u was offline and stays online now\n", cpu);
}

int hv_stop(void)
{
	int error;

	if (!hv_hoisted())
		return hv_fail(-EALREADY, "Linux is not hoisted");
	if (hv_held())
		return hv_fail(-EPERM, "%s: no unhoisting before the next boot", hv_holder());
	if (hv.guests)
		return hv_fail(-EBUSY, "guest VMs run: end them first");
	error = check_parked();
	if (error)
		return error;
	cpumask_clear(&hv.woken);
	error = wake_offline();
	if (!error) {
		error = hv_unhoist_all();
		/* Before a resting CPU can come online and want its frames. */
		if (!error)
			release(true);
		cpus_read_unlock();
	}
	sleep_again();
	if (error)
		return error;
	pr_info("Linux is unhoisted\n");
	hv_netlink_announce();
	hv_records_schedule();
	return 0;
}
