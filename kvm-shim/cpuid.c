// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The CPUID table of a vcpu: the client's, kept here and answered from in the core. */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ioctl.h"
#include "irqchip.h"
#include "registers.h"

#define APIC_BIT BIT(9)
#define MWAIT_BIT BIT(3)

struct kvm_cpuid_entry2 *hvk_cpuid(struct hvk_vcpu *vcpu, u32 leaf, u32 subleaf)
{
	u32 i;

	for (i = 0; i < vcpu->cpuid_count; i++) {
		struct kvm_cpuid_entry2 *entry = &vcpu->cpuid[i];

		if (entry->function == leaf && (!(entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) ||
						entry->index == subleaf))
			return entry;
	}
	return NULL;
}

static bool mwait_follows(const struct hvk_vcpu *vcpu)
{
	return READ_ONCE(vcpu->vm->quirks_off) & KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT;
}

static u32 mwait_bit(const struct hvk_vcpu *vcpu)
{
	return vcpu->msrs.misc_enable & MSR_IA32_MISC_ENABLE_MWAIT ? MWAIT_BIT : 0;
}

bool hvk_has_mwait(struct hvk_vcpu *vcpu)
{
	const struct kvm_cpuid_entry2 *entry = hvk_cpuid(vcpu, 1, 0);

	if (!entry)
		return false;
	return mwait_follows(vcpu) ? mwait_bit(vcpu) : entry->ecx & MWAIT_BIT;
}

/* The APIC's bit is what IA32_APIC_BASE enables; OSXSAVE and its like the core knows itself. */
void hvk_give_cpuid(struct hvk_vcpu *vcpu)
{
	struct hv_vcpu_cpuid *leaves = vcpu->leaves;
	u32 i;

	leaves->count = vcpu->cpuid_count;
	for (i = 0; i < vcpu->cpuid_count; i++) {
		const struct kvm_cpuid_entry2 *from = &vcpu->cpuid[i];

		leaves->entry[i] = (struct hv_cpuid_entry){
			.leaf = from->function,
			.subleaf = from->index,
			.significant = from->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
			.eax = from->eax, .ebx = from->ebx, .ecx = from->ecx, .edx = from->edx,
		};
		if (from->function == 1 && !(hvk_get_apic_base(vcpu) & MSR_IA32_APICBASE_ENABLE))
			leaves->entry[i].edx &= ~APIC_BIT;
		if (from->function == 1 && mwait_follows(vcpu))
			leaves->entry[i].ecx = (from->ecx & ~MWAIT_BIT) | mwait_bit(vcpu);
	}
	vcpu->exchange->flags |= HV_RUN_CPUID;
}

static void follow(struct hvk_vcpu *vcpu)
{
	const struct kvm_cpuid_entry2 *xsave = hvk_cpuid(vcpu, 0xd, 0);

	vcpu->xcr0_supported = 0;
	if (xsave)
		vcpu->xcr0_supported = (xsave->eax | (u64)xsave->edx << 32) & hvk_supported_xcr0();
	hvk_forbid_cr4(vcpu);
	hvk_give_cpuid(vcpu);
}

static bool valid(const struct kvm_cpuid_entry2 *entry, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		u32 linear = entry[i].eax >> 8 & 0xff;

		if (entry[i].function == 0x80000008 && linear && linear != 48 && linear != 57)
			return false;
	}
	return true;
}

static int replace(struct hvk_vcpu *vcpu, struct kvm_cpuid_entry2 *entry, u32 count)
{
	if (!valid(entry, count))
		return -EINVAL;
	/* Once it has run, a vcpu keeps its CPUID: KVM allows to set the same again, no other. */
	if (vcpu->ran && (count != vcpu->cpuid_count ||
			  memcmp(entry, vcpu->cpuid, count * sizeof(*entry))))
		return -EINVAL;
	swap(entry, vcpu->cpuid);
	vcpu->cpuid_count = count;
	kvfree(entry);
	follow(vcpu);
	return 0;
}

long hvk_set_cpuid2(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct kvm_cpuid2 __user *user = (struct kvm_cpuid2 __user *)argument;
	struct kvm_cpuid_entry2 *entry = NULL;
	struct kvm_cpuid2 head;
	int error;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nent > HV_CPUID_ENTRIES)
		return -E2BIG;
	if (head.nent) {
		entry = vmemdup_user(user->entries, head.nent * sizeof(*entry));
		if (IS_ERR(entry))
			return PTR_ERR(entry);
	}
	error = replace(vcpu, entry, head.nent);
	if (error)
		kvfree(entry);
	return error;
}

long hvk_get_cpuid2(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct kvm_cpuid2 __user *user = (struct kvm_cpuid2 __user *)argument;
	struct kvm_cpuid2 head;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nent < vcpu->cpuid_count)
		return -E2BIG;
	if (copy_to_user(user->entries, vcpu->cpuid, vcpu->cpuid_count * sizeof(*vcpu->cpuid)))
		return -EFAULT;
	head.nent = vcpu->cpuid_count;
	return copy_to_user(user, &head, sizeof(head)) ? -EFAULT : 0;
}
