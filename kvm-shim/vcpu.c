// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A vcpu: its file, its pages, its place in the VM. It is freed with the VM, not with its file. */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <asm/tsc.h>

#include "fpu.h"
#include "ioctl.h"
#include "irqchip.h"
#include "msrs.h"
#include "registers.h"

static int vcpu_release(struct inode *inode, struct file *file)
{
	struct hvk_vcpu *vcpu = file->private_data;

	hvk_vm_put(vcpu->vm);
	return 0;
}

static vm_fault_t page_wanted(struct vm_fault *fault)
{
	struct hvk_vcpu *vcpu = fault->vma->vm_file->private_data;
	void *const page[HVK_RUN_PAGES] = {
		vcpu->run, [HVK_PIO_PAGE] = vcpu->pio, [HVK_RING_PAGE] = vcpu->ring,
	};

	if (fault->pgoff >= HVK_RUN_PAGES)
		return VM_FAULT_SIGBUS;
	fault->page = virt_to_page(page[fault->pgoff]);
	get_page(fault->page);
	return 0;
}

static const struct vm_operations_struct page_operations = { .fault = page_wanted };

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &page_operations;
	return 0;
}

static const struct file_operations vcpu_operations = {
	.owner = THIS_MODULE,
	.release = vcpu_release,
	.unlocked_ioctl = hvk_vcpu_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = vcpu_mmap,
	.llseek = noop_llseek,
};

static int alloc_pages_of(struct hvk_vcpu *vcpu)
{
	vcpu->run = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vcpu->pio = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vcpu->ring = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vcpu->exchange = hv_exchange_alloc();
	if (!vcpu->run || !vcpu->pio || !vcpu->ring || !vcpu->exchange)
		return -ENOMEM;
	vcpu->leaves = (void *)vcpu->exchange + PAGE_SIZE;
	return 0;
}

static void free_pages_of(struct hvk_vcpu *vcpu)
{
	if (vcpu->exchange)
		hv_exchange_free(vcpu->exchange);
	free_page((unsigned long)vcpu->ring);
	free_page((unsigned long)vcpu->pio);
	free_page((unsigned long)vcpu->run);
}

static int create_handle(struct hvk_vcpu *vcpu)
{
	long handle;

	do {
		handle = hv_guest_call(HV_CALL_VCPU_CREATE, vcpu->vm->handle,
				       virt_to_phys(vcpu->exchange), 0, 0);
	} while (handle == -ENOMEM && !hv_guest_donate());
	hvk_tell_limit(vcpu->vm, handle, "vcpus");
	if (handle < 0)
		return handle;
	vcpu->handle = handle;
	return 0;
}

static void reset(struct hvk_vcpu *vcpu)
{
	vcpu->tsc_khz = tsc_khz;
	vcpu->tsc_offset = vcpu->vm->tsc_offset;
	vcpu->interrupt = HVK_NO_VECTOR;
	vcpu->external = HVK_NO_VECTOR;
	vcpu->mp_state = KVM_MP_STATE_RUNNABLE;
	if (vcpu->vm->irqchip && !hvk_is_boot_cpu(vcpu))
		vcpu->mp_state = KVM_MP_STATE_UNINITIALIZED;
	hvk_reset_msrs(vcpu);
	hvk_reset_registers(vcpu, false);
	hvk_forbid_cr4(vcpu);
	hvk_give_cpuid(vcpu);
}

static int make_parts(struct hvk_vcpu *vcpu)
{
	int error = alloc_pages_of(vcpu);

	if (error)
		goto no_pages;
	error = hvk_fpu_create(vcpu);
	if (error)
		goto no_pages;
	error = create_handle(vcpu);
	if (error)
		goto no_handle;
	reset(vcpu);
	if (!vcpu->vm->irqchip)
		return 0;
	error = hvk_lapic_create(vcpu);
	if (!error)
		return 0;
	hv_guest_call(HV_CALL_VCPU_DESTROY, vcpu->handle, 0, 0, 0);
no_handle:
	hvk_fpu_destroy(vcpu);
no_pages:
	free_pages_of(vcpu);
	return error;
}

static struct hvk_vcpu *vcpu_make(struct hvk_vm *vm, u32 id)
{
	struct hvk_vcpu *vcpu = kvzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);
	int error;

	if (!vcpu)
		return ERR_PTR(-ENOMEM);
	vcpu->vm = vm;
	vcpu->id = id;
	mutex_init(&vcpu->lock);
	init_waitqueue_head(&vcpu->wait);
	error = make_parts(vcpu);
	if (!error)
		return vcpu;
	kvfree(vcpu);
	return ERR_PTR(error);
}

void hvk_vcpu_free(struct hvk_vcpu *vcpu)
{
	if (vcpu->lapic)
		hvk_lapic_destroy(vcpu);
	if (hv_guest_call(HV_CALL_VCPU_DESTROY, vcpu->handle, 0, 0, 0))
		WARN_ONCE(1, "hv_kvm: the core keeps vcpu %ld\n", vcpu->handle);
	hvk_fpu_destroy(vcpu);
	free_pages_of(vcpu);
	kvfree(vcpu->cpuid);
	kvfree(vcpu);
}

static struct file *vcpu_file(struct hvk_vcpu *vcpu)
{
	char name[8 + 1 + 10 + 1];

	snprintf(name, sizeof(name), "kvm-vcpu:%u", vcpu->id);
	return anon_inode_getfile(name, &vcpu_operations, vcpu, O_RDWR);
}

/* With the VM's lock held: nobody sees the vcpu before its file is there. */
static int vcpu_install(struct hvk_vm *vm, struct hvk_vcpu *vcpu, int number)
{
	struct file *file;

	hvk_vm_get(vm);
	file = vcpu_file(vcpu);
	if (IS_ERR(file)) {
		hvk_vm_put(vm);
		return PTR_ERR(file);
	}
	vm->vcpu[vm->vcpus] = vcpu;
	/* Whoever sees the count sees the vcpu. */
	smp_store_release(&vm->vcpus, vm->vcpus + 1);
	fd_install(number, file);
	return number;
}

static int vcpu_add(struct hvk_vm *vm, u32 id)
{
	int number = get_unused_fd_flags(O_CLOEXEC);
	struct hvk_vcpu *vcpu;
	int result;

	if (number < 0)
		return number;
	vcpu = vcpu_make(vm, id);
	if (IS_ERR(vcpu)) {
		put_unused_fd(number);
		return PTR_ERR(vcpu);
	}
	result = vcpu_install(vm, vcpu, number);
	if (result < 0) {
		hvk_vcpu_free(vcpu);
		put_unused_fd(number);
	}
	return result;
}

int hvk_vcpu_open(struct hvk_vm *vm, u32 id)
{
	int result;

	if (id >= HVK_MAX_VCPU_ID)
		return -EINVAL;
	mutex_lock(&vm->lock);
	if (vm->vcpus == HVK_MAX_VCPUS || id >= vm->max_vcpu_id)
		result = -EINVAL;
	else if (hvk_vcpu_by_id(vm, id))
		result = -EEXIST;
	else
		result = vcpu_add(vm, id);
	mutex_unlock(&vm->lock);
	return result;
}
