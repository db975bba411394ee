// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What a client may ask of a VM. */
#include <linux/fs.h>
#include <linux/uaccess.h>

#include "clock.h"
#include "ioctl.h"
#include "irqchip.h"
#include "memory.h"

#define TSS_PAGES 3
#define LEAST_MMU_PAGES 64

static long create_vcpu(struct hvk_vm *vm, unsigned long id)
{
	return id > U32_MAX ? -EINVAL : hvk_vcpu_open(vm, id);
}

/* Pages that KVM needs on old CPUs. Nothing here does, so nothing is put there. */
static long set_tss_address(struct hvk_vm *vm, unsigned long address)
{
	return address > U32_MAX - TSS_PAGES * PAGE_SIZE ? -EINVAL : 0;
}

static long set_identity_map(struct hvk_vm *vm, unsigned long argument)
{
	u64 address;
	long error = 0;

	if (copy_from_user(&address, (void __user *)argument, sizeof(address)))
		return -EFAULT;
	mutex_lock(&vm->lock);
	if (vm->vcpus)
		error = -EINVAL;
	else
		vm->identity_map = address;
	mutex_unlock(&vm->lock);
	return error;
}

static long set_boot_vcpu(struct hvk_vm *vm, unsigned long id)
{
	long error = 0;

	mutex_lock(&vm->lock);
	if (vm->vcpus)
		error = -EBUSY;
	else
		vm->boot_vcpu = id;
	mutex_unlock(&vm->lock);
	return error;
}

/* A limit for shadow pages, of which there are none. */
static long set_mmu_pages(struct hvk_vm *vm, unsigned long pages)
{
	if (pages < LEAST_MMU_PAGES)
		return -EINVAL;
	WRITE_ONCE(vm->mmu_pages, pages);
	return 0;
}

static long get_mmu_pages(struct hvk_vm *vm, unsigned long argument)
{
	return READ_ONCE(vm->mmu_pages);
}

static long check_extension(struct hvk_vm *vm, unsigned long number)
{
	return hvk_check_extension(vm, number);
}

static const struct hvk_ioctl ioctls[] = {
	{ KVM_CREATE_VCPU, .vm = create_vcpu },
	{ KVM_CHECK_EXTENSION, .vm = check_extension },
	{ KVM_ENABLE_CAP, .vm = hvk_enable_cap },
	{ KVM_SET_USER_MEMORY_REGION, .vm = hvk_set_memory_region },
	{ KVM_GET_DIRTY_LOG, .vm = hvk_get_dirty_log },
	{ KVM_SET_NR_MMU_PAGES, .vm = set_mmu_pages },
	{ KVM_GET_NR_MMU_PAGES, .vm = get_mmu_pages },
	{ KVM_SET_TSS_ADDR, .vm = set_tss_address },
	{ KVM_SET_IDENTITY_MAP_ADDR, .vm = set_identity_map },
	{ KVM_SET_BOOT_CPU_ID, .vm = set_boot_vcpu },
	{ KVM_GET_CLOCK, .vm = hvk_get_clock },
	{ KVM_SET_CLOCK, .vm = hvk_set_clock },
	{ KVM_CREATE_IRQCHIP, .vm = hvk_create_irqchip_ioctl },
	{ KVM_GET_IRQCHIP, .vm = hvk_get_irqchip_ioctl },
	{ KVM_SET_IRQCHIP, .vm = hvk_set_irqchip_ioctl },
	{ KVM_IRQ_LINE, .vm = hvk_irq_line },
	{ KVM_IRQ_LINE_STATUS, .vm = hvk_irq_line_status },
	{ KVM_SET_GSI_ROUTING, .vm = hvk_set_gsi_routing },
	{ KVM_SIGNAL_MSI, .vm = hvk_signal_msi },
	{ KVM_CREATE_PIT, .vm = hvk_create_pit },
	{ KVM_CREATE_PIT2, .vm = hvk_create_pit2 },
	{ KVM_GET_PIT, .vm = hvk_get_pit_ioctl },
	{ KVM_SET_PIT, .vm = hvk_set_pit_ioctl },
	{ KVM_GET_PIT2, .vm = hvk_get_pit2 },
	{ KVM_SET_PIT2, .vm = hvk_set_pit2 },
	{ KVM_REINJECT_CONTROL, .vm = hvk_reinject_control },
};

long hvk_vm_ioctl(struct file *file, unsigned int number, unsigned long argument)
{
	struct hvk_vm *vm = file->private_data;
	const struct hvk_ioctl *found;

	if (vm->mm != current->mm || vm->dead)
		return -EIO;
	found = hvk_find_ioctl(ioctls, ARRAY_SIZE(ioctls), number, -ENOTTY);
	return IS_ERR(found) ? PTR_ERR(found) : found->vm(vm, argument);
}
