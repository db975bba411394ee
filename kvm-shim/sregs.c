// SPDX-License-Identifier: GPL-2.0 OR MIT
/* KVM_GET_SREGS, KVM_SET_SREGS, and their second form, with the PAE pointers. */
#include <linux/bitmap.h>
#include <linux/uaccess.h>

#include "ioctl.h"
#include "irqchip.h"
#include "memory.h"
#include "registers.h"

#define PRESENT BIT(7)

static struct kvm_segment to_client(const struct hv_segment *from)
{
	u16 a = from->attributes;
	bool usable = a & PRESENT;

	return (struct kvm_segment){
		.base = from->base, .limit = from->limit, .selector = from->selector,
		.type = a & 15, .s = a >> 4 & 1, .dpl = a >> 5 & 3, .present = usable,
		.avl = a >> 8 & 1, .l = a >> 9 & 1, .db = a >> 10 & 1, .g = a >> 11 & 1,
		.unusable = !usable,
	};
}

static struct hv_segment from_client(const struct kvm_segment *from)
{
	struct hv_segment segment = {
		.base = from->base, .limit = from->limit, .selector = from->selector,
		.attributes = (from->type & 15) | (from->s & 1) << 4 | (from->dpl & 3) << 5 |
			      (from->avl & 1) << 8 | (from->l & 1) << 9 | (from->db & 1) << 10 |
			      (from->g & 1) << 11,
	};

	if (from->present && !from->unusable)
		segment.attributes |= PRESENT;
	return segment;
}

static void read_segments(const struct hv_vcpu_system *system, struct kvm_sregs *sregs)
{
	sregs->cs = to_client(&system->cs);
	sregs->ds = to_client(&system->ds);
	sregs->es = to_client(&system->es);
	sregs->fs = to_client(&system->fs);
	sregs->gs = to_client(&system->gs);
	sregs->ss = to_client(&system->ss);
	sregs->tr = to_client(&system->tr);
	sregs->ldt = to_client(&system->ldtr);
	sregs->gdt.base = system->gdtr.base;
	sregs->gdt.limit = system->gdtr.limit;
	sregs->idt.base = system->idtr.base;
	sregs->idt.limit = system->idtr.limit;
}

static void write_segments(struct hv_vcpu_system *system, const struct kvm_sregs *sregs)
{
	system->cs = from_client(&sregs->cs);
	system->ds = from_client(&sregs->ds);
	system->es = from_client(&sregs->es);
	system->fs = from_client(&sregs->fs);
	system->gs = from_client(&sregs->gs);
	system->ss = from_client(&sregs->ss);
	system->tr = from_client(&sregs->tr);
	system->ldtr = from_client(&sregs->ldt);
	system->gdtr = (struct hv_segment){ sregs->gdt.base, sregs->gdt.limit };
	system->idtr = (struct hv_segment){ sregs->idt.base, sregs->idt.limit };
}

int hvk_read_sregs(struct hvk_vcpu *vcpu, struct kvm_sregs *sregs)
{
	const struct hv_vcpu_system *system = hvk_system(vcpu);

	if (!system)
		return -EIO;
	memset(sregs, 0, sizeof(*sregs));
	read_segments(system, sregs);
	sregs->cr0 = system->cr0;
	sregs->cr2 = system->cr2;
	sregs->cr3 = system->cr3;
	sregs->cr4 = system->cr4;
	sregs->cr8 = vcpu->lapic ? hvk_get_cr8(vcpu) : vcpu->cr8;
	sregs->efer = system->efer;
	sregs->apic_base = hvk_get_apic_base(vcpu);
	if (vcpu->interrupt >= 0 && !vcpu->interrupt_soft)
		__set_bit(vcpu->interrupt, (unsigned long *)sregs->interrupt_bitmap);
	return 0;
}

static bool valid(struct hvk_vcpu *vcpu, const struct kvm_sregs *sregs)
{
	bool long_active = sregs->efer & EFER_LMA;

	if (sregs->efer & EFER_LME && sregs->cr0 & X86_CR0_PG) {
		if (!(sregs->cr4 & X86_CR4_PAE) || !long_active)
			return false;
		if (sregs->cr3 & ~X86_CR3_PCID_NOFLUSH & hvk_reserved_gpa_bits(vcpu))
			return false;
	} else if (long_active || sregs->cs.l) {
		return false;
	}
	return hvk_valid_cr4(vcpu, sregs->cr4);
}

static void write_controls(struct hvk_vcpu *vcpu, struct hv_vcpu_system *system,
			   const struct kvm_sregs *sregs)
{
	system->cr0 = sregs->cr0 | X86_CR0_ET;
	system->cr2 = sregs->cr2;
	system->cr3 = sregs->cr3 & ~X86_CR3_PCID_NOFLUSH;
	system->cr4 = sregs->cr4;
	system->efer = sregs->efer;
	vcpu->cr8 = sregs->cr8 & 15;
	if (vcpu->lapic)
		hvk_set_cr8(vcpu, sregs->cr8);
}

/* Older clients set the boot vcpu's registers for its first instruction and leave it halted. */
static void wake_at_reset_vector(struct hvk_vcpu *vcpu, const struct kvm_sregs *sregs)
{
	if (hvk_is_boot_cpu(vcpu) && vcpu->exchange->rip == 0xfff0 &&
	    sregs->cs.selector == 0xf000 && sregs->cs.base == 0xffff0000 &&
	    !(sregs->cr0 & X86_CR0_PE))
		vcpu->mp_state = KVM_MP_STATE_RUNNABLE;
}

int hvk_write_sregs(struct hvk_vcpu *vcpu, const struct kvm_sregs *sregs)
{
	struct hv_vcpu_system *system;
	unsigned int vector;

	if (!valid(vcpu, sregs) || hvk_set_apic_base(vcpu, sregs->apic_base, true))
		return -EINVAL;
	system = hvk_system_changed(vcpu);
	if (!system)
		return -EIO;
	write_segments(system, sregs);
	write_controls(vcpu, system, sregs);
	wake_at_reset_vector(vcpu, sregs);
	vector = find_first_bit((const unsigned long *)sregs->interrupt_bitmap, 256);
	if (vector < 256) {
		vcpu->interrupt = vector;
		vcpu->interrupt_soft = false;
	}
	return 0;
}

long hvk_get_sregs(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct kvm_sregs sregs;
	int error = hvk_read_sregs(vcpu, &sregs);

	if (error)
		return error;
	return copy_to_user((void __user *)argument, &sregs, sizeof(sregs)) ? -EFAULT : 0;
}

long hvk_set_sregs(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct kvm_sregs sregs;

	if (copy_from_user(&sregs, (void __user *)argument, sizeof(sregs)))
		return -EFAULT;
	return hvk_write_sregs(vcpu, &sregs);
}

static bool uses_pointers(const struct kvm_sregs *sregs)
{
	return sregs->cr0 & X86_CR0_PG && sregs->cr4 & X86_CR4_PAE && !(sregs->efer & EFER_LMA);
}

/* Both forms begin alike, up to the bitmap of the first. */
long hvk_get_sregs2(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct kvm_sregs2 sregs2 = {};
	struct kvm_sregs sregs;
	int error = hvk_read_sregs(vcpu, &sregs);

	if (error)
		return error;
	memcpy(&sregs2, &sregs, offsetof(struct kvm_sregs, interrupt_bitmap));
	if (uses_pointers(&sregs) &&
	    !hvk_read_guest(vcpu->vm, sregs.cr3 & GENMASK_ULL(31, 5), sregs2.pdptrs,
			    sizeof(sregs2.pdptrs)))
		sregs2.flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;
	return copy_to_user((void __user *)argument, &sregs2, sizeof(sregs2)) ? -EFAULT : 0;
}

/* The processor reads the pointers again at every entry: those given are the same, or unused. */
long hvk_set_sregs2(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct kvm_sregs2 sregs2;
	struct kvm_sregs sregs = {};

	if (copy_from_user(&sregs2, (void __user *)argument, sizeof(sregs2)))
		return -EFAULT;
	if (sregs2.flags & ~KVM_SREGS2_FLAGS_PDPTRS_VALID)
		return -EINVAL;
	memcpy(&sregs, &sregs2, offsetof(struct kvm_sregs, interrupt_bitmap));
	if (sregs2.flags && !uses_pointers(&sregs))
		return -EINVAL;
	return hvk_write_sregs(vcpu, &sregs);
}
