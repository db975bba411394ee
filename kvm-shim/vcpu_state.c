// SPDX-License-Identifier: GPL-2.0 OR MIT
/* MP state, debug registers, machine-check banks, and address translation for a client. */
#include <linux/uaccess.h>

#include "ioctl.h"
#include "irqchip.h"
#include "registers.h"
#include "walk.h"

long hvk_get_mp_state(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct kvm_mp_state state = { .mp_state = vcpu->mp_state };

	return copy_to_user((void __user *)argument, &state, sizeof(state)) ? -EFAULT : 0;
}

long hvk_set_mp_state(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct kvm_mp_state state;

	if (copy_from_user(&state, (void __user *)argument, sizeof(state)))
		return -EFAULT;
	if (state.mp_state > KVM_MP_STATE_SIPI_RECEIVED)
		return -EINVAL;
	if (!vcpu->lapic && state.mp_state != KVM_MP_STATE_RUNNABLE)
		return -EINVAL;
	if (state.mp_state == KVM_MP_STATE_SIPI_RECEIVED) {
		vcpu->mp_state = KVM_MP_STATE_INIT_RECEIVED;
		set_bit(HVK_REQUEST_SIPI, &vcpu->requests);
	} else {
		vcpu->mp_state = state.mp_state;
	}
	return 0;
}

long hvk_get_debugregs(struct hvk_vcpu *vcpu, unsigned long argument)
{
	const struct hv_vcpu_system *system = hvk_system(vcpu);
	struct kvm_debugregs registers = {};

	if (!system)
		return -EIO;
	memcpy(registers.db, system->dr, sizeof(registers.db));
	registers.dr6 = system->dr6;
	registers.dr7 = system->dr7;
	return copy_to_user((void __user *)argument, &registers, sizeof(registers)) ? -EFAULT : 0;
}

long hvk_set_debugregs(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct hv_vcpu_system *system;
	struct kvm_debugregs registers;

	if (copy_from_user(&registers, (void __user *)argument, sizeof(registers)))
		return -EFAULT;
	if (registers.flags || registers.dr6 >> 32 || registers.dr7 >> 32)
		return -EINVAL;
	system = hvk_system_changed(vcpu);
	if (!system)
		return -EIO;
	memcpy(system->dr, registers.db, sizeof(registers.db));
	system->dr6 = registers.dr6;
	system->dr7 = registers.dr7;
	return 0;
}

long hvk_translate(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct kvm_translation translation;
	struct hvk_paging paging;
	struct hvk_fault fault;
	u64 gpa;
	int error;

	if (copy_from_user(&translation, (void __user *)argument, sizeof(translation)))
		return -EFAULT;
	error = hvk_paging(vcpu, &paging);
	if (error)
		return error;
	paging.quiet = true;
	error = hvk_walk(vcpu->vm, &paging, translation.linear_address, 0, &gpa, &fault);
	translation.valid = !error;
	translation.physical_address = error ? ~0ull : gpa;
	translation.writeable = 1;
	translation.usermode = 0;
	if (copy_to_user((void __user *)argument, &translation, sizeof(translation)))
		return -EFAULT;
	return 0;
}

long hvk_setup_mce(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct hvk_msrs *msrs = &vcpu->msrs;
	u64 cap;
	u32 bank, banks;

	if (copy_from_user(&cap, (void __user *)argument, sizeof(cap)))
		return -EFAULT;
	banks = cap & 0xff;
	if (!banks || banks > HVK_MCE_BANKS || cap & ~(HVK_MCE_CAP | 0xff00ffull))
		return -EINVAL;
	msrs->mcg_cap = cap;
	if (cap & MCG_CTL_P)
		msrs->mcg_ctl = ~0ull;
	for (bank = 0; bank < banks; bank++)
		msrs->mce_bank[4 * bank] = ~0ull;
	return 0;
}
