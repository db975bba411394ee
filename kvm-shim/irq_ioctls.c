// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Interrupt controllers, lines, routes and the PIT, as a client makes and drives them. */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ioctl.h"
#include "irqchip.h"

#define MOST_ROUTES 4096u

long hvk_create_irqchip_ioctl(struct hvk_vm *vm, unsigned long argument)
{
	long error;

	mutex_lock(&vm->lock);
	if (vm->irqchip)
		error = -EEXIST;
	else if (vm->vcpus)
		error = -EINVAL;
	else
		error = hvk_irqchip_create(vm, false, 0);
	mutex_unlock(&vm->lock);
	return error;
}

/* 512 bytes of each chip are too much for the stack of a deep call chain. */
long hvk_get_irqchip_ioctl(struct hvk_vm *vm, unsigned long argument)
{
	void __user *user = (void __user *)argument;
	struct kvm_irqchip *state = memdup_user(user, sizeof(*state));
	long error;

	if (IS_ERR(state))
		return PTR_ERR(state);
	error = hvk_get_irqchip(vm, state);
	if (!error && copy_to_user(user, state, sizeof(*state)))
		error = -EFAULT;
	kfree(state);
	return error;
}

long hvk_set_irqchip_ioctl(struct hvk_vm *vm, unsigned long argument)
{
	struct kvm_irqchip *state = memdup_user((void __user *)argument, sizeof(*state));
	long error;

	if (IS_ERR(state))
		return PTR_ERR(state);
	error = hvk_set_irqchip(vm, state);
	kfree(state);
	return error;
}

static long set_line(struct hvk_vm *vm, unsigned long argument, bool tell)
{
	struct kvm_irq_level __user *user = (struct kvm_irq_level __user *)argument;
	struct kvm_irq_level line;
	int status;

	if (copy_from_user(&line, user, sizeof(line)))
		return -EFAULT;
	if (!vm->irqchip)
		return -ENXIO;
	status = hvk_set_irq(vm, line.irq, line.level);
	return tell && put_user(status, &user->status) ? -EFAULT : 0;
}

long hvk_irq_line(struct hvk_vm *vm, unsigned long argument)
{
	return set_line(vm, argument, false);
}

long hvk_irq_line_status(struct hvk_vm *vm, unsigned long argument)
{
	return set_line(vm, argument, true);
}

long hvk_set_gsi_routing(struct hvk_vm *vm, unsigned long argument)
{
	struct kvm_irq_routing __user *user = (struct kvm_irq_routing __user *)argument;
	struct kvm_irq_routing_entry *entries = NULL;
	struct kvm_irq_routing head;
	long error;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (!vm->irqchip || head.nr > MOST_ROUTES || head.flags)
		return -EINVAL;
	if (head.nr) {
		entries = vmemdup_user(user->entries, array_size(head.nr, sizeof(*entries)));
		if (IS_ERR(entries))
			return PTR_ERR(entries);
	}
	mutex_lock(&vm->lock);
	error = hvk_set_routing(vm, entries, head.nr, head.flags);
	mutex_unlock(&vm->lock);
	kvfree(entries);
	return error;
}

long hvk_signal_msi(struct hvk_vm *vm, unsigned long argument)
{
	struct kvm_msi message;

	if (copy_from_user(&message, (void __user *)argument, sizeof(message)))
		return -EFAULT;
	if (!vm->irqchip || message.flags)
		return -EINVAL;
	return hvk_send_msi(vm, &message);
}

static long create_pit(struct hvk_vm *vm, u32 flags)
{
	long error;

	mutex_lock(&vm->lock);
	error = hvk_pit_create(vm, flags);
	mutex_unlock(&vm->lock);
	return error;
}

long hvk_create_pit(struct hvk_vm *vm, unsigned long argument)
{
	return create_pit(vm, KVM_PIT_SPEAKER_DUMMY);
}

long hvk_create_pit2(struct hvk_vm *vm, unsigned long argument)
{
	struct kvm_pit_config config;

	if (copy_from_user(&config, (void __user *)argument, sizeof(config)))
		return -EFAULT;
	return create_pit(vm, config.flags);
}

/* The older form is the newer one without its flags. */
static long get_pit(struct hvk_vm *vm, unsigned long argument, size_t bytes)
{
	struct kvm_pit_state2 state;
	long error = hvk_get_pit(vm, &state);

	if (error)
		return error;
	return copy_to_user((void __user *)argument, &state, bytes) ? -EFAULT : 0;
}

static long set_pit(struct hvk_vm *vm, unsigned long argument, size_t bytes)
{
	struct kvm_pit_state2 state = {};

	if (copy_from_user(&state, (void __user *)argument, bytes))
		return -EFAULT;
	return hvk_set_pit(vm, &state);
}

long hvk_get_pit_ioctl(struct hvk_vm *vm, unsigned long argument)
{
	return get_pit(vm, argument, sizeof(struct kvm_pit_state));
}

long hvk_set_pit_ioctl(struct hvk_vm *vm, unsigned long argument)
{
	return set_pit(vm, argument, sizeof(struct kvm_pit_state));
}

long hvk_get_pit2(struct hvk_vm *vm, unsigned long argument)
{
	return get_pit(vm, argument, sizeof(struct kvm_pit_state2));
}

long hvk_set_pit2(struct hvk_vm *vm, unsigned long argument)
{
	return set_pit(vm, argument, sizeof(struct kvm_pit_state2));
}

long hvk_reinject_control(struct hvk_vm *vm, unsigned long argument)
{
	struct kvm_reinject_control control;

	if (copy_from_user(&control, (void __user *)argument, sizeof(control)))
		return -EFAULT;
	return hvk_pit_reinject(vm, control.pit_reinject);
}
