// SPDX-License-Identifier: GPL-2.0 OR MIT
/* KVM_GET_REGS, KVM_SET_REGS. */
#include <linux/uaccess.h>

#include "ioctl.h"
#include "registers.h"

/* KVM's order of the first eight differs from the processor's. */
void hvk_read_regs(struct hvk_vcpu *vcpu, struct kvm_regs *regs)
{
	const struct hv_vcpu_exchange *exchange = vcpu->exchange;
	const uint64_t *gpr = exchange->gpr;

	*regs = (struct kvm_regs){
		.rax = gpr[0], .rcx = gpr[1], .rdx = gpr[2], .rbx = gpr[3],
		.rsp = gpr[4], .rbp = gpr[5], .rsi = gpr[6], .rdi = gpr[7],
		.r8 = gpr[8], .r9 = gpr[9], .r10 = gpr[10], .r11 = gpr[11],
		.r12 = gpr[12], .r13 = gpr[13], .r14 = gpr[14], .r15 = gpr[15],
		.rip = exchange->rip, .rflags = exchange->rflags,
	};
}

void hvk_write_regs(struct hvk_vcpu *vcpu, const struct kvm_regs *regs)
{
	const u64 gpr[16] = {
		regs->rax, regs->rcx, regs->rdx, regs->rbx, regs->rsp, regs->rbp,
		regs->rsi, regs->rdi, regs->r8, regs->r9, regs->r10, regs->r11,
		regs->r12, regs->r13, regs->r14, regs->r15,
	};

	memcpy(vcpu->exchange->gpr, gpr, sizeof(gpr));
	vcpu->exchange->rip = regs->rip;
	vcpu->exchange->rflags = regs->rflags | X86_EFLAGS_FIXED;
	vcpu->exception.pending = false;
}

long hvk_get_regs(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct kvm_regs regs;

	hvk_read_regs(vcpu, &regs);
	return copy_to_user((void __user *)argument, &regs, sizeof(regs)) ? -EFAULT : 0;
}

long hvk_set_regs(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct kvm_regs regs;

	if (copy_from_user(&regs, (void __user *)argument, sizeof(regs)))
		return -EFAULT;
	hvk_write_regs(vcpu, &regs);
	return 0;
}
