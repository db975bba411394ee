// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KVM_GET_SUPPORTED_CPUID: what this processor has, less what a guest does not get: bits by name
 * of leaf and register, everything else 0.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/kvm_para.h>
#include <asm/processor.h>

#include "ioctl.h"

#define MOST_LEAVES 100u
#define PARAVIRTUAL 0x40000000u
#define EXTENDED 0x80000000u
#define LAST_EXTENDED 0x80000008u
#define SUBLEAVES KVM_CPUID_FLAG_SIGNIFCANT_INDEX

/* MONITOR, VMX, SMX, EST, TM2, xTPR, PDCM, DCA, OSXSAVE and TSC_DEADLINE are missing. */
#define LEAF1_ECX 0x76da3203u	/* of the processor; PCID is bit 17 */
#define LEAF1_ECX_OURS BIT(21)	/* x2APIC; that there is a hypervisor, the client says */
#define LEAF1_EDX 0x078bfbffu	/* FPU … PSE36, CLFLUSH, MMX, FXSR, SSE, SSE2 */
/* FSGSBASE, BMI1, AVX2, SMEP, BMI2, ERMS, INVPCID, AVX-512, RDSEED, ADX, SMAP, CLFLUSHOPT, CLWB */
#define LEAF7_EBX 0xf1bf07a9u
#define LEAF7_EBX_OURS BIT(1)	/* TSC_ADJUST */
#define LEAF7_ECX 0x00405f46u	/* AVX-512, UMIP, GFNI, VAES, VPCLMULQDQ, RDPID */
#define LEAF7_EDX 0x0000011cu	/* AVX-512, FSRM */
#define LEAFD1_EAX 0x00000007u	/* XSAVEOPT, XSAVEC, XGETBV with ECX 1 */
#define EXTENDED1_ECX 0x002109f1u	/* LAHF, CR8_LEGACY, ABM … 3DNOWPREFETCH, XOP, FMA4, TBM */
#define EXTENDED1_EDX 0x2e500800u	/* SYSCALL, NX, MMXEXT, FXSR_OPT, GBPAGES, RDTSCP, LM */
#define EXTENDED1_EDX_AMD 0x0183f3ffu	/* repeats leaf 1 there */
#define EXTENDED7_EDX BIT(8)	/* invariant TSC */
#define EXTENDED8_EBX BIT(0)	/* CLZERO */

static void native(u32 leaf, u32 subleaf, struct kvm_cpuid_entry2 *entry)
{
	*entry = (struct kvm_cpuid_entry2){ .function = leaf, .index = subleaf };
	cpuid_count(leaf, subleaf, &entry->eax, &entry->ebx, &entry->ecx, &entry->edx);
}

/* A feature that Linux has switched off, nobody has: it would not be kept over a switch. */
static u32 linux_has(enum cpuid_leafs word)
{
	return boot_cpu_data.x86_capability[word];
}

static void leaf1(struct kvm_cpuid_entry2 *entry)
{
	entry->ebx &= 0x0000ff00;	/* CLFLUSH's size; APIC ID and threads are the client's */
	entry->ecx = (entry->ecx & LEAF1_ECX & linux_has(CPUID_1_ECX)) | LEAF1_ECX_OURS;
	entry->edx &= LEAF1_EDX & linux_has(CPUID_1_EDX);
}

static void leaf7(struct kvm_cpuid_entry2 *entry)
{
	entry->flags = SUBLEAVES;
	entry->eax = 0;
	entry->ebx = (entry->ebx & LEAF7_EBX & linux_has(CPUID_7_0_EBX)) | LEAF7_EBX_OURS;
	entry->ecx &= LEAF7_ECX & linux_has(CPUID_7_ECX);
	entry->edx &= LEAF7_EDX & linux_has(CPUID_7_EDX);
}

/* Of the standard format: 512 legacy bytes, 64 of header, and where each state lies. */
static u32 xsave_bytes(u64 states)
{
	u32 bytes = states ? 512 + 64 : 0;
	unsigned int i;

	for (i = 2; i < 63; i++) {
		struct kvm_cpuid_entry2 entry;

		if (!(states >> i & 1))
			continue;
		native(0xd, i, &entry);
		bytes = max(bytes, entry.eax + entry.ebx);
	}
	return bytes;
}

/* Sizes are those of all that a guest may enable; a supervisor state is nothing for it. */
static void leaf_xsave(struct kvm_cpuid_entry2 *entry)
{
	u64 supported = boot_cpu_has(X86_FEATURE_XSAVE) ? hvk_supported_xcr0() : 0;

	entry->flags = SUBLEAVES;
	if (entry->index == 0) {
		entry->eax &= supported;
		entry->edx &= supported >> 32;
		entry->ebx = xsave_bytes(supported);
		entry->ecx = entry->ebx;
	} else if (entry->index == 1) {
		entry->eax &= LEAFD1_EAX & linux_has(CPUID_D_1_EAX);
		entry->ebx = entry->ecx = entry->edx = 0;
	} else if (entry->index >= 64 || !(supported >> entry->index & 1)) {
		entry->eax = entry->ebx = entry->ecx = entry->edx = 0;
	}
}

static void paravirtual(struct kvm_cpuid_entry2 *entry)
{
	static const char signature[12] = "KVMKVMKVM";
	u32 word[3];

	memcpy(word, signature, sizeof(word));
	*entry = (struct kvm_cpuid_entry2){ .function = entry->function };
	if (entry->function != PARAVIRTUAL) {
		entry->eax = BIT(KVM_FEATURE_CLOCKSOURCE) | BIT(KVM_FEATURE_CLOCKSOURCE2) |
			     BIT(KVM_FEATURE_CLOCKSOURCE_STABLE_BIT) |
			     BIT(KVM_FEATURE_NOP_IO_DELAY);
		return;
	}
	entry->eax = PARAVIRTUAL + 1;
	entry->ebx = word[0];
	entry->ecx = word[1];
	entry->edx = word[2];
}

static bool is_amd(void)
{
	return boot_cpu_data.x86_vendor == X86_VENDOR_AMD ||
	       boot_cpu_data.x86_vendor == X86_VENDOR_HYGON;
}

static void extended(struct kvm_cpuid_entry2 *entry)
{
	switch (entry->function) {
	case EXTENDED:
		entry->eax = min(entry->eax, LAST_EXTENDED);
		break;
	case EXTENDED + 1:
		entry->ebx = 0;
		entry->ecx &= EXTENDED1_ECX & linux_has(CPUID_8000_0001_ECX);
		entry->edx &= EXTENDED1_EDX | (is_amd() ? EXTENDED1_EDX_AMD : 0);
		entry->edx &= linux_has(CPUID_8000_0001_EDX);
		break;
	case EXTENDED + 7:
		entry->eax = entry->ebx = entry->ecx = 0;
		entry->edx &= EXTENDED7_EDX;
		break;
	case EXTENDED + 8:
		entry->eax &= 0xffff;
		entry->ebx &= EXTENDED8_EBX;
		entry->ecx = entry->edx = 0;
		break;
	}
}

static void basic(struct kvm_cpuid_entry2 *entry)
{
	switch (entry->function) {
	case 0:
		entry->eax = min(entry->eax, 0xdu);
		break;
	case 1:
		leaf1(entry);
		break;
	case 2:
		break;
	case 4:
		entry->flags = SUBLEAVES;
		entry->eax &= 0x3fff;	/* threads and cores are the client's */
		break;
	case 6:
		*entry = (struct kvm_cpuid_entry2){ .function = 6, .eax = BIT(2) };	/* ARAT */
		break;
	case 7:
		leaf7(entry);
		break;
	case 0xd:
		leaf_xsave(entry);
		break;
	default:
		*entry = (struct kvm_cpuid_entry2){ .function = entry->function };
	}
}

bool hvk_supported_leaf(u32 leaf, u32 subleaf, struct kvm_cpuid_entry2 *entry)
{
	native(leaf, subleaf, entry);
	if (leaf >= EXTENDED)
		extended(entry);
	else if (leaf >= PARAVIRTUAL)
		paravirtual(entry);
	else
		basic(entry);
	return entry->eax | entry->ebx | entry->ecx | entry->edx;
}

struct list {
	u32 count;
	u32 room;
	struct kvm_cpuid_entry2 *entry;
};

static int add(struct list *list, const struct kvm_cpuid_entry2 *entry)
{
	if (list->count == list->room)
		return -E2BIG;
	list->entry[list->count++] = *entry;
	return 0;
}

/* Leaves 4 and 0xd have subleaves; those of 4 end with one of type 0. */
static int add_subleaves(struct list *list, u32 leaf)
{
	u32 last = leaf == 4 ? 8 : leaf == 0xd ? 62 : 0;
	struct kvm_cpuid_entry2 entry;
	u32 i;

	for (i = 1; i <= last; i++) {
		bool there = hvk_supported_leaf(leaf, i, &entry);
		int error;

		if (leaf == 4 && !(entry.eax & 0x1f))
			return 0;
		error = there ? add(list, &entry) : 0;
		if (error)
			return error;
	}
	return 0;
}

static int add_leaves(struct list *list, u32 first)
{
	struct kvm_cpuid_entry2 entry;
	u32 last, leaf;
	int error;

	hvk_supported_leaf(first, 0, &entry);
	last = entry.eax;
	for (leaf = first; leaf <= last; leaf++) {
		hvk_supported_leaf(leaf, 0, &entry);
		error = add(list, &entry) ?: add_subleaves(list, leaf);
		if (error)
			return error;
	}
	return 0;
}

long hvk_get_supported_cpuid(unsigned long argument)
{
	struct kvm_cpuid2 __user *user = (struct kvm_cpuid2 __user *)argument;
	struct kvm_cpuid2 head;
	struct list list = {};
	long error;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (!head.nent)
		return -E2BIG;
	list.room = min(head.nent, MOST_LEAVES);
	list.entry = kvcalloc(list.room, sizeof(*list.entry), GFP_KERNEL);
	if (!list.entry)
		return -ENOMEM;
	error = add_leaves(&list, 0) ?: add_leaves(&list, PARAVIRTUAL) ?:
		add_leaves(&list, EXTENDED);
	head.nent = list.count;
	if (!error && copy_to_user(user->entries, list.entry, list.count * sizeof(*list.entry)))
		error = -EFAULT;
	if (!error && copy_to_user(user, &head, sizeof(head)))
		error = -EFAULT;
	kvfree(list.entry);
	return error;
}
