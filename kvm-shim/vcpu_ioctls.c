// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What a client may ask of a vcpu: one thing at a time, and only the process that made the VM. */
#include <linux/fs.h>
#include <linux/uaccess.h>

#include "ioctl.h"
#include "irqchip.h"

static long interrupt(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct kvm_interrupt wanted;
	int error;

	if (copy_from_user(&wanted, (void __user *)argument, sizeof(wanted)))
		return -EFAULT;
	if (wanted.irq >= 256)
		return -EINVAL;
	if (!vcpu->vm->irqchip) {
		vcpu->interrupt = wanted.irq;
		vcpu->interrupt_soft = false;
		return 0;
	}
	error = hvk_queue_extint(vcpu, wanted.irq);
	if (!error)
		hvk_kick(vcpu);
	return error;
}

static long nmi(struct hvk_vcpu *vcpu, unsigned long argument)
{
	hvk_nmi(vcpu);
	return 0;
}

static long set_signal_mask(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct kvm_signal_mask __user *user = (struct kvm_signal_mask __user *)argument;
	struct kvm_signal_mask mask;
	sigset_t signals;

	if (!user) {
		vcpu->sigset_active = false;
		return 0;
	}
	if (copy_from_user(&mask, user, sizeof(mask)))
		return -EFAULT;
	if (mask.len != sizeof(signals))
		return -EINVAL;
	if (copy_from_user(&signals, user->sigset, sizeof(signals)))
		return -EFAULT;
	sigdelsetmask(&signals, sigmask(SIGKILL) | sigmask(SIGSTOP));
	vcpu->sigset = signals;
	vcpu->sigset_active = true;
	return 0;
}

static long get_lapic(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct kvm_lapic_state state;
	int error = hvk_get_lapic(vcpu, &state);

	if (error)
		return error;
	return copy_to_user((void __user *)argument, &state, sizeof(state)) ? -EFAULT : 0;
}

static long set_lapic(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct kvm_lapic_state state;

	if (!vcpu->lapic)
		return -EINVAL;
	if (copy_from_user(&state, (void __user *)argument, sizeof(state)))
		return -EFAULT;
	return hvk_set_lapic(vcpu, &state);
}

/* A guest that patches itself to keep its TPR in memory does so on reports that it never gets. */
static long set_vapic_address(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct kvm_vapic_addr address;

	if (!vcpu->lapic)
		return -EINVAL;
	if (copy_from_user(&address, (void __user *)argument, sizeof(address)))
		return -EFAULT;
	return address.vapic_addr ? -EINVAL : 0;
}

static const struct hvk_ioctl ioctls[] = {
	{ KVM_RUN, .vcpu = hvk_run_ioctl },
	{ KVM_GET_REGS, .vcpu = hvk_get_regs },
	{ KVM_SET_REGS, .vcpu = hvk_set_regs },
	{ KVM_GET_SREGS, .vcpu = hvk_get_sregs },
	{ KVM_SET_SREGS, .vcpu = hvk_set_sregs },
	{ KVM_GET_SREGS2, .vcpu = hvk_get_sregs2 },
	{ KVM_SET_SREGS2, .vcpu = hvk_set_sregs2 },
	{ KVM_INTERRUPT, .vcpu = interrupt },
	{ KVM_NMI, .vcpu = nmi },
	{ KVM_GET_FPU, .vcpu = hvk_get_fpu },
	{ KVM_SET_FPU, .vcpu = hvk_set_fpu },
	{ KVM_GET_XSAVE, .vcpu = hvk_get_xsave },
	{ KVM_GET_XSAVE2, .vcpu = hvk_get_xsave2 },
	{ KVM_SET_XSAVE, .vcpu = hvk_set_xsave },
	{ KVM_GET_XCRS, .vcpu = hvk_get_xcrs },
	{ KVM_SET_XCRS, .vcpu = hvk_set_xcrs },
	{ KVM_GET_CPUID2, .vcpu = hvk_get_cpuid2 },
	{ KVM_SET_CPUID2, .vcpu = hvk_set_cpuid2 },
	{ KVM_GET_MSRS, .vcpu = hvk_get_msrs },
	{ KVM_SET_MSRS, .vcpu = hvk_set_msrs },
	{ KVM_GET_MP_STATE, .vcpu = hvk_get_mp_state },
	{ KVM_SET_MP_STATE, .vcpu = hvk_set_mp_state },
	{ KVM_GET_VCPU_EVENTS, .vcpu = hvk_get_events },
	{ KVM_SET_VCPU_EVENTS, .vcpu = hvk_set_events },
	{ KVM_GET_DEBUGREGS, .vcpu = hvk_get_debugregs },
	{ KVM_SET_DEBUGREGS, .vcpu = hvk_set_debugregs },
	{ KVM_SET_SIGNAL_MASK, .vcpu = set_signal_mask },
	{ KVM_GET_TSC_KHZ, .vcpu = hvk_get_tsc_khz },
	{ KVM_SET_TSC_KHZ, .vcpu = hvk_set_tsc_khz },
	{ KVM_GET_LAPIC, .vcpu = get_lapic },
	{ KVM_SET_LAPIC, .vcpu = set_lapic },
	{ KVM_SET_VAPIC_ADDR, .vcpu = set_vapic_address },
	{ KVM_TRANSLATE, .vcpu = hvk_translate },
	{ KVM_X86_SETUP_MCE, .vcpu = hvk_setup_mce },
};

long hvk_vcpu_ioctl(struct file *file, unsigned int number, unsigned long argument)
{
	struct hvk_vcpu *vcpu = file->private_data;
	const struct hvk_ioctl *found;
	long result;

	if (vcpu->vm->mm != current->mm || vcpu->vm->dead)
		return -EIO;
	if (_IOC_TYPE(number) != KVMIO)
		return -EINVAL;
	found = hvk_find_ioctl(ioctls, ARRAY_SIZE(ioctls), number, -EINVAL);
	if (IS_ERR(found))
		return PTR_ERR(found);
	if (mutex_lock_killable(&vcpu->lock))
		return -EINTR;
	result = found->vcpu(vcpu, argument);
	mutex_unlock(&vcpu->lock);
	return result;
}
