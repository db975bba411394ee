// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Capabilities: what is not listed here is 0, as it is where KVM lacks it. */
#include <linux/cpumask.h>
#include <linux/uaccess.h>

#include "fpu.h"
#include "hypercall.h"
#include "ioctl.h"
#include "irqchip.h"

struct capability {
	u32 number;
	u32 answer;
};

static const struct capability capabilities[] = {
	{ KVM_CAP_HLT, 1 },
	{ KVM_CAP_USER_MEMORY, 1 },
	{ KVM_CAP_SET_TSS_ADDR, 1 },
	{ KVM_CAP_EXT_CPUID, 1 },
	{ KVM_CAP_NR_MEMSLOTS, HVK_MAX_SLOTS },
	{ KVM_CAP_NOP_IO_DELAY, 1 },
	{ KVM_CAP_MP_STATE, 1 },
	{ KVM_CAP_SYNC_MMU, 1 },
	{ KVM_CAP_DESTROY_MEMORY_REGION_WORKS, 1 },
	{ KVM_CAP_USER_NMI, 1 },
	{ KVM_CAP_JOIN_MEMORY_REGIONS_WORKS, 1 },
	{ KVM_CAP_MCE, HVK_MCE_BANKS },
	{ KVM_CAP_SET_IDENTITY_MAP_ADDR, 1 },
	{ KVM_CAP_SET_BOOT_CPU_ID, 1 },
	{ KVM_CAP_CLOCKSOURCE, 1 },
	{ KVM_CAP_ADJUST_CLOCK,
	  KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC },
	{ KVM_CAP_INTERNAL_ERROR_DATA, 1 },
	{ KVM_CAP_VCPU_EVENTS, 1 },
	{ KVM_CAP_INTR_SHADOW, 1 },
	{ KVM_CAP_DEBUGREGS, 1 },
	{ KVM_CAP_X86_ROBUST_SINGLESTEP, 1 },
	{ KVM_CAP_XSAVE, 1 },
	{ KVM_CAP_ENABLE_CAP_VM, 1 },
	{ KVM_CAP_GET_TSC_KHZ, 1 },
	{ KVM_CAP_MAX_VCPUS, HVK_MAX_VCPUS },
	{ KVM_CAP_MAX_VCPU_ID, HVK_MAX_VCPU_ID },
	{ KVM_CAP_READONLY_MEM, 1 },
	{ KVM_CAP_CHECK_EXTENSION_VM, 1 },
	{ KVM_CAP_SYNC_REGS, KVM_SYNC_X86_VALID_FIELDS },
	{ KVM_CAP_IMMEDIATE_EXIT, 1 },
	{ KVM_CAP_GET_MSR_FEATURES, 1 },
	{ KVM_CAP_MSR_PLATFORM_INFO, 1 },
	{ KVM_CAP_SREGS2, 1 },
	{ KVM_CAP_IRQCHIP, 1 },
	{ KVM_CAP_IRQ_ROUTING, 4096 },
	{ KVM_CAP_IRQ_INJECT_STATUS, 1 },
	{ KVM_CAP_SIGNAL_MSI, 1 },
	{ KVM_CAP_SPLIT_IRQCHIP, 1 },
	{ KVM_CAP_PIT, 1 },
	{ KVM_CAP_PIT2, 1 },
	{ KVM_CAP_PIT_STATE2, 1 },
	{ KVM_CAP_REINJECT_CONTROL, 1 },
	{ KVM_CAP_X2APIC_API,
	  KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK },
	{ KVM_CAP_TSC_DEADLINE_TIMER, 1 },
	{ KVM_CAP_DISABLE_QUIRKS2, HVK_QUIRKS },
};

long hvk_check_extension(struct hvk_vm *vm, unsigned long number)
{
	size_t i;

	if (number == KVM_CAP_NR_VCPUS)
		return min_t(long, num_online_cpus(), HVK_MAX_VCPUS);
	if (number == KVM_CAP_XCRS)
		return boot_cpu_has(X86_FEATURE_XSAVE);
	if (number == KVM_CAP_XSAVE2)
		return hvk_xsave_bytes();
	if (number == KVM_CAP_MAX_VCPU_ID && vm)
		return READ_ONCE(vm->max_vcpu_id);
	for (i = 0; i < ARRAY_SIZE(capabilities); i++)
		if (capabilities[i].number == number)
			return capabilities[i].answer;
	return 0;
}

static long limit_vcpu_ids(struct hvk_vm *vm, u64 limit)
{
	if (!limit || limit > HVK_MAX_VCPU_ID)
		return -EINVAL;
	if (vm->vcpus || (vm->max_vcpu_id != HVK_MAX_VCPU_ID && vm->max_vcpu_id != limit))
		return -EINVAL;
	WRITE_ONCE(vm->max_vcpu_id, limit);
	return 0;
}

static long split_irqchip(struct hvk_vm *vm, u64 pins)
{
	if (pins > 4096)
		return -EINVAL;
	if (vm->irqchip || vm->vcpus)
		return -EEXIST;
	return hvk_irqchip_create(vm, true, pins);
}

static long enable(struct hvk_vm *vm, const struct kvm_enable_cap *wanted)
{
	switch (wanted->cap) {
	case KVM_CAP_MAX_VCPU_ID:
		return limit_vcpu_ids(vm, wanted->args[0]);
	case KVM_CAP_SPLIT_IRQCHIP:
		return split_irqchip(vm, wanted->args[0]);
	case KVM_CAP_X2APIC_API:
		return hvk_x2apic_api(vm, wanted->args[0]);
	case KVM_CAP_DISABLE_QUIRKS2:
		if (wanted->args[0] & ~(u64)HVK_QUIRKS)
			return -EINVAL;
		WRITE_ONCE(vm->quirks_off, wanted->args[0]);
		return 0;
	case KVM_CAP_MSR_PLATFORM_INFO:
		vm->hide_platform_info = !wanted->args[0];
		return 0;
	}
	return -EINVAL;
}

long hvk_enable_cap(struct hvk_vm *vm, unsigned long argument)
{
	struct kvm_enable_cap wanted;
	long result;

	if (copy_from_user(&wanted, (void __user *)argument, sizeof(wanted)))
		return -EFAULT;
	if (wanted.flags)
		return -EINVAL;
	mutex_lock(&vm->lock);
	result = enable(vm, &wanted);
	mutex_unlock(&vm->lock);
	return result;
}
