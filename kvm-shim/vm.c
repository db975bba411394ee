// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A VM: its file, and everything that goes when the last of its files is closed. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include "clock.h"
#include "guests.h"
#include "ioctl.h"
#include "irqchip.h"
#include "memory.h"

void hvk_vm_get(struct hvk_vm *vm)
{
	kref_get(&vm->ref);
}

/* Vcpus first: the core keeps a VM while it has vcpus. */
static void vm_free(struct kref *ref)
{
	struct hvk_vm *vm = container_of(ref, struct hvk_vm, ref);
	unsigned int i;

	hvk_guests_remove(vm);
	hvk_memory_stop(vm);
	for (i = 0; i < vm->vcpus; i++)
		hvk_vcpu_free(vm->vcpu[i]);
	hvk_irqchip_destroy(vm);
	if (hv_guest_call(HV_CALL_VM_DESTROY, vm->handle, 0, 0, 0))
		WARN_ONCE(1, "hv_kvm: the core keeps VM %ld\n", vm->handle);
	hvk_memory_free(vm);
	mmdrop(vm->mm);
	kfree(vm);
	hv_guests_put();
}

void hvk_vm_put(struct hvk_vm *vm)
{
	kref_put(&vm->ref, vm_free);
}

struct hvk_vcpu *hvk_vcpu_by_id(struct hvk_vm *vm, u32 id)
{
	/* With vcpu_install(): the vcpu before the count. */
	unsigned int i, count = smp_load_acquire(&vm->vcpus);

	for (i = 0; i < count; i++)
		if (vm->vcpu[i]->id == id)
			return vm->vcpu[i];
	return NULL;
}

static int vm_release(struct inode *inode, struct file *file)
{
	hvk_vm_put(file->private_data);
	return 0;
}

static const struct file_operations vm_operations = {
	.owner = THIS_MODULE,
	.release = vm_release,
	.unlocked_ioctl = hvk_vm_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

void hvk_tell_limit(const struct hvk_vm *vm, long error, const char *what)
{
	if (error == -EPERM)
		pr_warn_ratelimited("a policy gives the VMs of user %u no more %s\n", vm->user,
				    what);
}

static long create_handle(const struct hvk_vm *vm)
{
	long handle = hv_guest_call(HV_CALL_VM_CREATE, vm->user, 0, 0, 0);

	while (handle == -ENOMEM) {
		int error = hv_guest_donate();

		if (error)
			return error;
		handle = hv_guest_call(HV_CALL_VM_CREATE, vm->user, 0, 0, 0);
	}
	hvk_tell_limit(vm, handle, "VMs");
	return handle;
}

static struct hvk_vm *vm_alloc(void)
{
	struct hvk_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);

	if (!vm)
		return ERR_PTR(-ENOMEM);
	kref_init(&vm->ref);
	mutex_init(&vm->lock);
	spin_lock_init(&vm->tsc_lock);
	vm->tsc_offset = -rdtsc();
	hvk_clock_init(vm);
	vm->max_vcpu_id = HVK_MAX_VCPU_ID;
	vm->user = from_kuid(&init_user_ns, current_uid());
	vm->mm = current->mm;
	mmgrab(vm->mm);
	return vm;
}

static struct hvk_vm *vm_make(void)
{
	struct hvk_vm *vm = vm_alloc();
	long error;

	if (IS_ERR(vm))
		return vm;
	vm->handle = create_handle(vm);
	error = vm->handle;
	if (error < 0)
		goto no_handle;
	error = hvk_memory_start(vm);
	if (!error) {
		hvk_guests_add(vm);
		return vm;
	}
	hv_guest_call(HV_CALL_VM_DESTROY, vm->handle, 0, 0, 0);
no_handle:
	mmdrop(vm->mm);
	kfree(vm);
	return ERR_PTR(error);
}

static int vm_install(struct hvk_vm *vm)
{
	int number = get_unused_fd_flags(O_CLOEXEC);
	struct file *file;

	if (number < 0)
		return number;
	file = anon_inode_getfile("kvm-vm", &vm_operations, vm, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(number);
		return PTR_ERR(file);
	}
	fd_install(number, file);
	return number;
}

int hvk_vm_open(unsigned long type)
{
	struct hvk_vm *vm;
	int result;

	if (type)
		return -EINVAL;
	result = hv_guests_get();
	if (result)
		return result;
	vm = vm_make();
	if (IS_ERR(vm)) {
		hv_guests_put();
		return PTR_ERR(vm);
	}
	result = vm_install(vm);
	if (result < 0)
		hvk_vm_put(vm);
	return result;
}
