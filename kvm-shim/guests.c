// SPDX-License-Identifier: GPL-2.0 OR MIT
/* /sys/class/misc/NODE/guests: a line for each VM, "PID VCPUS BYTES", for root to read. */
#include <linux/device.h>
#include <linux/list.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "guests.h"
#include "memory.h"

static LIST_HEAD(guests);
static DEFINE_MUTEX(guests_lock);

void hvk_guests_add(struct hvk_vm *vm)
{
	vm->process = get_task_pid(current->group_leader, PIDTYPE_TGID);
	mutex_lock(&guests_lock);
	list_add_tail(&vm->guests, &guests);
	mutex_unlock(&guests_lock);
}

void hvk_guests_remove(struct hvk_vm *vm)
{
	mutex_lock(&guests_lock);
	list_del(&vm->guests);
	mutex_unlock(&guests_lock);
	put_pid(vm->process);
}

static u64 bytes_of(struct hvk_vm *vm)
{
	const struct hvk_slots *slots;
	u64 pages = 0;
	u32 i;
	int reader = srcu_read_lock(&vm->slots_users);

	slots = srcu_dereference(vm->slots, &vm->slots_users);
	for (i = 0; i < slots->count; i++)
		pages += slots->slot[i].pages;
	srcu_read_unlock(&vm->slots_users, reader);
	return pages << PAGE_SHIFT;
}

/* 0: it is gone, and another has the VM's file. */
static pid_t process_of(const struct hvk_vm *vm)
{
	pid_t number = 0;

	rcu_read_lock();
	if (pid_task(vm->process, PIDTYPE_TGID))
		number = pid_vnr(vm->process);
	rcu_read_unlock();
	return number;
}

static ssize_t guests_show(struct device *device, struct device_attribute *attribute, char *to)
{
	struct hvk_vm *vm;
	int bytes = 0;

	mutex_lock(&guests_lock);
	list_for_each_entry(vm, &guests, guests)
		bytes += sysfs_emit_at(to, bytes, "%d %u %llu\n", process_of(vm),
				       READ_ONCE(vm->vcpus), bytes_of(vm));
	mutex_unlock(&guests_lock);
	return bytes;
}
static DEVICE_ATTR_ADMIN_RO(guests);

/* A page has room for HV_MAX_VMS lines. */
static_assert(HV_MAX_VMS * sizeof("2147483647 64 18446744073709551615") <= PAGE_SIZE);

static struct attribute *node_attrs[] = { &dev_attr_guests.attr, NULL };
static const struct attribute_group node_group = { .attrs = node_attrs };
const struct attribute_group *hvk_node_groups[] = { &node_group, NULL };
