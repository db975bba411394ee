// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Which MSRs a client saves, and which say what the machine can do. */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/kvm_para.h>
#include <asm/msr-index.h>

#include "ioctl.h"
#include "msrs.h"
#include "registers.h"

#define MOST_AT_ONCE 256u
#define DE_CFG_LFENCE BIT(1)

static const u32 saved[] = {
	MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
	MSR_STAR, MSR_CSTAR, MSR_KERNEL_GS_BASE, MSR_SYSCALL_MASK, MSR_LSTAR,
	MSR_IA32_TSC, MSR_IA32_CR_PAT, MSR_TSC_AUX, MSR_IA32_TSC_ADJUST,
	MSR_IA32_TSC_DEADLINE, MSR_IA32_MISC_ENABLE, MSR_IA32_MCG_STATUS, MSR_IA32_MCG_CTL,
	MSR_PLATFORM_INFO, MSR_MISC_FEATURES_ENABLES, MSR_K7_HWCR, HVK_MSR_SMI_COUNT,
	MSR_KVM_WALL_CLOCK, MSR_KVM_SYSTEM_TIME, MSR_KVM_WALL_CLOCK_NEW, MSR_KVM_SYSTEM_TIME_NEW,
	MSR_IA32_POWER_CTL, MSR_IA32_UCODE_REV, MSR_IA32_FEAT_CTL,
	MSR_MTRRdefType, MSR_MTRRfix64K_00000, MSR_MTRRfix16K_80000, MSR_MTRRfix16K_A0000,
	MSR_MTRRfix4K_C0000, MSR_MTRRfix4K_C8000, MSR_MTRRfix4K_D0000, MSR_MTRRfix4K_D8000,
	MSR_MTRRfix4K_E0000, MSR_MTRRfix4K_E8000, MSR_MTRRfix4K_F0000, MSR_MTRRfix4K_F8000,
	0x200, 0x201, 0x202, 0x203, 0x204, 0x205, 0x206, 0x207,
	0x208, 0x209, 0x20a, 0x20b, 0x20c, 0x20d, 0x20e, 0x20f,
};

static const u32 features[] = { MSR_IA32_UCODE_REV, MSR_AMD64_DE_CFG };

bool hvk_feature_msr(u32 index, u64 *value)
{
	*value = 0;
	if (index == MSR_IA32_UCODE_REV) {
		rdmsrl_safe(MSR_IA32_UCODE_REV, value);
		return true;
	}
	if (index == MSR_AMD64_DE_CFG) {
		if (boot_cpu_has(X86_FEATURE_LFENCE_RDTSC))
			*value = DE_CFG_LFENCE;
		return true;
	}
	return false;
}

/* Where the client's list is too short, it is told how long one is needed. */
static long give_list(unsigned long argument, const u32 *list, u32 count)
{
	struct kvm_msr_list __user *user = (struct kvm_msr_list __user *)argument;
	u32 room;

	if (get_user(room, &user->nmsrs) || put_user(count, &user->nmsrs))
		return -EFAULT;
	if (room < count)
		return -E2BIG;
	return copy_to_user(user->indices, list, count * sizeof(*list)) ? -EFAULT : 0;
}

long hvk_get_msr_index_list(unsigned long argument)
{
	return give_list(argument, saved, ARRAY_SIZE(saved));
}

long hvk_get_msr_feature_index_list(unsigned long argument)
{
	return give_list(argument, features, ARRAY_SIZE(features));
}

typedef int msr_access(struct hvk_vcpu *vcpu, struct kvm_msr_entry *entry);

static int read_feature(struct hvk_vcpu *vcpu, struct kvm_msr_entry *entry)
{
	u64 value;

	if (!hvk_feature_msr(entry->index, &value))
		return 1;
	entry->data = value;
	return 0;
}

static int read_one(struct hvk_vcpu *vcpu, struct kvm_msr_entry *entry)
{
	u64 value;
	int fault = hvk_read_msr(vcpu, entry->index, &value, true);

	entry->data = value;
	return fault;
}

static int write_one(struct hvk_vcpu *vcpu, struct kvm_msr_entry *entry)
{
	return hvk_write_msr(vcpu, entry->index, entry->data, true);
}

/* As many as go well, in order: their number is the answer. */
static long access_all(struct hvk_vcpu *vcpu, struct kvm_msr_entry *entry, u32 count,
		       msr_access *access)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (access(vcpu, &entry[i]))
			break;
	return i;
}

static long access_list(struct hvk_vcpu *vcpu, unsigned long argument, msr_access *access)
{
	struct kvm_msrs __user *user = (struct kvm_msrs __user *)argument;
	struct kvm_msr_entry *entry;
	struct kvm_msrs head;
	size_t bytes;
	long done;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nmsrs >= MOST_AT_ONCE)
		return -E2BIG;
	bytes = head.nmsrs * sizeof(*entry);
	entry = memdup_user(user->entries, bytes);
	if (IS_ERR(entry))
		return PTR_ERR(entry);
	done = access_all(vcpu, entry, head.nmsrs, access);
	if (access != write_one && copy_to_user(user->entries, entry, bytes))
		done = -EFAULT;
	kfree(entry);
	return done;
}

long hvk_get_feature_msrs(unsigned long argument)
{
	return access_list(NULL, argument, read_feature);
}

long hvk_get_msrs(struct hvk_vcpu *vcpu, unsigned long argument)
{
	return access_list(vcpu, argument, read_one);
}

long hvk_set_msrs(struct hvk_vcpu *vcpu, unsigned long argument)
{
	return access_list(vcpu, argument, write_one);
}
