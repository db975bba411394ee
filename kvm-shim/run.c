// SPDX-License-Identifier: GPL-2.0 OR MIT
/* KVM_RUN: the loop around the guest, until user space is needed or wanted. */
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "enter.h"
#include "events.h"
#include "exits.h"
#include "fpu.h"
#include "ioctl.h"
#include "irqchip.h"
#include "work.h"

static bool client_has_pic(const struct hvk_vcpu *vcpu)
{
	return !vcpu->vm->irqchip || hvk_irqchip_is_split(vcpu->vm);
}

/* A LAPIC that would not take what the client's 8259 has: nothing to wait for. */
bool hvk_client_waits(struct hvk_vcpu *vcpu)
{
	return READ_ONCE(vcpu->run->request_interrupt_window) && client_has_pic(vcpu) &&
	       (!vcpu->lapic || hvk_accepts_extint(vcpu));
}

bool hvk_client_may_inject(struct hvk_vcpu *vcpu)
{
	if (!hvk_interruptible(vcpu) || vcpu->interrupt >= 0 || vcpu->exception.pending)
		return false;
	return !vcpu->lapic || hvk_accepts_extint(vcpu);
}

/* A vcpu that waits for INIT or SIPI, or is halted: until something comes. */
static int wait(struct hvk_vcpu *vcpu)
{
	int error = wait_event_interruptible(vcpu->wait, hvk_may_run(vcpu));

	if (error)
		return -EINTR;
	return 1;
}

static int one_round(struct hvk_vcpu *vcpu)
{
	int result;

	if (hvk_runnable(vcpu)) {
		result = hvk_enter(vcpu);
	} else {
		result = wait(vcpu);
		if (result > 0)
			result = hvk_handle_requests(vcpu);
	}
	if (result <= 0)
		return result;
	if (hvk_client_waits(vcpu) && hvk_client_may_inject(vcpu)) {
		vcpu->run->exit_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
		return 0;
	}
	return hvk_work_do() ? -EINTR : 1;
}

static int loop(struct hvk_vcpu *vcpu)
{
	int result;

	do {
		result = one_round(vcpu);
	} while (result > 0);
	if (result == -EINTR)
		vcpu->run->exit_reason = KVM_EXIT_INTR;
	return result;
}

/* An AP before its SIPI: KVM_RUN comes back with EAGAIN once that has arrived. */
static int wait_for_start(struct hvk_vcpu *vcpu)
{
	int result;

	if (READ_ONCE(vcpu->run->immediate_exit))
		return -EINTR;
	result = wait(vcpu);
	hvk_handle_requests(vcpu);
	if (result == -EINTR)
		vcpu->run->exit_reason = KVM_EXIT_INTR;
	return result < 0 ? result : -EAGAIN;
}

static int finish_last(struct hvk_vcpu *vcpu)
{
	int (*complete)(struct hvk_vcpu *vcpu) = vcpu->pending.complete;

	vcpu->pending.complete = NULL;
	return complete ? complete(vcpu) : 1;
}

static int take_registers(struct hvk_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	u64 dirty = READ_ONCE(run->kvm_dirty_regs);
	struct kvm_sregs sregs = run->s.regs.sregs;
	struct kvm_vcpu_events events = run->s.regs.events;
	struct kvm_regs regs = run->s.regs.regs;

	if (dirty & KVM_SYNC_X86_REGS)
		hvk_write_regs(vcpu, &regs);
	if (dirty & KVM_SYNC_X86_SREGS && hvk_write_sregs(vcpu, &sregs))
		return -EINVAL;
	if (dirty & KVM_SYNC_X86_EVENTS && hvk_write_events(vcpu, &events))
		return -EINVAL;
	run->kvm_dirty_regs = 0;
	return 0;
}

static void give_registers(struct hvk_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	u64 wanted = READ_ONCE(run->kvm_valid_regs);

	if (wanted & KVM_SYNC_X86_REGS)
		hvk_read_regs(vcpu, &run->s.regs.regs);
	if (wanted & KVM_SYNC_X86_SREGS)
		hvk_read_sregs(vcpu, &run->s.regs.sregs);
	if (wanted & KVM_SYNC_X86_EVENTS)
		hvk_read_events(vcpu, &run->s.regs.events);
}

static int run(struct hvk_vcpu *vcpu)
{
	struct kvm_run *shared = vcpu->run;
	int result;

	if (vcpu->mp_state == KVM_MP_STATE_UNINITIALIZED)
		return wait_for_start(vcpu);
	if ((shared->kvm_valid_regs | shared->kvm_dirty_regs) & ~(u64)KVM_SYNC_X86_VALID_FIELDS)
		return -EINVAL;
	if (shared->kvm_dirty_regs && take_registers(vcpu))
		return -EINVAL;
	if (!vcpu->lapic) {
		u64 cr8 = READ_ONCE(shared->cr8);

		if (cr8 > 15)
			return -EINVAL;
		vcpu->cr8 = cr8;
	}
	result = finish_last(vcpu);
	if (result <= 0)
		return result;
	return READ_ONCE(shared->immediate_exit) ? -EINTR : loop(vcpu);
}

static void report(struct hvk_vcpu *vcpu)
{
	struct kvm_run *shared = vcpu->run;

	shared->if_flag = !!(vcpu->exchange->rflags & X86_EFLAGS_IF);
	shared->flags = 0;
	shared->cr8 = vcpu->lapic ? hvk_get_cr8(vcpu) : vcpu->cr8;
	shared->apic_base = hvk_get_apic_base(vcpu);
	shared->ready_for_interrupt_injection =
		!client_has_pic(vcpu) || hvk_client_may_inject(vcpu);
	if (shared->kvm_valid_regs)
		give_registers(vcpu);
}

static void swap_signals(struct hvk_vcpu *vcpu, bool guest)
{
	if (!vcpu->sigset_active)
		return;
	if (guest) {
		sigprocmask(SIG_SETMASK, &vcpu->sigset, &current->real_blocked);
	} else {
		sigprocmask(SIG_SETMASK, &current->real_blocked, NULL);
		sigemptyset(&current->real_blocked);
	}
}

long hvk_run_ioctl(struct hvk_vcpu *vcpu, unsigned long argument)
{
	int result;

	if (argument)
		return -EINVAL;
	swap_signals(vcpu, true);
	hvk_fpu_enter(vcpu);
	result = run(vcpu);
	hvk_fpu_leave(vcpu);
	report(vcpu);
	swap_signals(vcpu, false);
	return result;
}
