// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The device node: what programs ask before they have a VM. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "guests.h"
#include "ioctl.h"
#include "work.h"

static char *node = "hvkvm";
module_param(node, charp, 0444);
MODULE_PARM_DESC(node, "name of the node below /dev: hvkvm, or kvm while kvm.ko does not have it");

static long get_api_version(unsigned long argument)
{
	return argument ? -EINVAL : KVM_API_VERSION;
}

static long get_vcpu_mmap_size(unsigned long argument)
{
	return argument ? -EINVAL : HVK_RUN_PAGES * PAGE_SIZE;
}

static long create_vm(unsigned long type)
{
	return hvk_vm_open(type);
}

static long check_extension(unsigned long number)
{
	return hvk_check_extension(NULL, number);
}

static long get_mce_cap(unsigned long argument)
{
	u64 cap = HVK_MCE_CAP;

	return copy_to_user((void __user *)argument, &cap, sizeof(cap)) ? -EFAULT : 0;
}

static const struct hvk_ioctl ioctls[] = {
	{ KVM_GET_API_VERSION, .node = get_api_version },
	{ KVM_CREATE_VM, .node = create_vm },
	{ KVM_CHECK_EXTENSION, .node = check_extension },
	{ KVM_GET_VCPU_MMAP_SIZE, .node = get_vcpu_mmap_size },
	{ KVM_GET_SUPPORTED_CPUID, .node = hvk_get_supported_cpuid },
	{ KVM_GET_MSR_INDEX_LIST, .node = hvk_get_msr_index_list },
	{ KVM_GET_MSR_FEATURE_INDEX_LIST, .node = hvk_get_msr_feature_index_list },
	{ KVM_GET_MSRS, .node = hvk_get_feature_msrs },
	{ KVM_X86_GET_MCE_CAP_SUPPORTED, .node = get_mce_cap },
};

const struct hvk_ioctl *hvk_find_ioctl(const struct hvk_ioctl *table, size_t entries,
				       unsigned int number, int wrong_size)
{
	bool near = false;
	size_t i;

	for (i = 0; i < entries; i++) {
		if (table[i].number == number)
			return &table[i];
		near |= _IOC_NR(table[i].number) == _IOC_NR(number);
	}
	return ERR_PTR(near ? wrong_size : -ENOTTY);
}

static long node_ioctl(struct file *file, unsigned int number, unsigned long argument)
{
	const struct hvk_ioctl *found;

	found = hvk_find_ioctl(ioctls, ARRAY_SIZE(ioctls), number, -EINVAL);
	return IS_ERR(found) ? PTR_ERR(found) : found->node(argument);
}

static const struct file_operations node_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = node_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.fops = &node_operations,
	.groups = hvk_node_groups,
	.mode = 0660,
};

static int __init hv_kvm_init(void)
{
	int error;

	if (strcmp(node, "hvkvm") && strcmp(node, "kvm")) {
		pr_err("node=%s is not possible: give node=hvkvm or node=kvm\n", node);
		return -EINVAL;
	}
	device.name = node;
	if (!strcmp(node, "kvm"))
		device.minor = KVM_MINOR;
	error = hvk_work_init();
	if (error)
		return error;
	error = misc_register(&device);
	if (error) {
		hvk_work_exit();
		if (error == -EBUSY)
			pr_err("/dev/kvm is kvm.ko's: rmmod kvm_intel (or kvm_amd) and kvm\n");
		return error;
	}
	hv_guests_offer(true);
	return 0;
}

static void __exit hv_kvm_exit(void)
{
	hv_guests_offer(false);
	misc_deregister(&device);
	hvk_work_exit();
}

module_init(hv_kvm_init);
module_exit(hv_kvm_exit);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Hoist: guest VMs for programs that use KVM");
MODULE_VERSION(HV_VERSION);
