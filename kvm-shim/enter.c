// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Into the guest and out again, on whatever CPU Linux runs this thread. */
#include <linux/context_tracking.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <linux/vtime.h>

#include "clock.h"
#include "enter.h"
#include "events.h"
#include "exits.h"
#include "fpu.h"
#include "irqchip.h"
#include "registers.h"
#include "work.h"

#define VMX_INVALID_STATE 0x80000021ull	/* VMX's reason for an entry that failed */
#define STARTUP_SHIFT 12

static u64 invalid_reason(void)
{
	return strcmp(hv_guest_backend(), "vmx") ? ~0ull : VMX_INVALID_STATE;
}

void hvk_request(struct hvk_vcpu *vcpu, enum hvk_request request)
{
	set_bit(request, &vcpu->requests);
	hvk_kick(vcpu);
}

/*
 * A thread on its way into the guest says so before it looks at requests; who requests something
 * looks at that afterwards. So one of the two sees the other. The interrupt itself does nothing:
 * that it arrives is enough.
 */
void hvk_kick(struct hvk_vcpu *vcpu)
{
	int cpu;

	set_bit(HVK_REQUEST_LOOK, &vcpu->requests);
	/* The request before the look at who waits, and at who is inside. */
	smp_mb__after_atomic();
	if (wq_has_sleeper(&vcpu->wait))
		wake_up(&vcpu->wait);
	preempt_disable();
	cpu = READ_ONCE(vcpu->cpu);
	if (READ_ONCE(vcpu->place) == HVK_INSIDE && cpu != smp_processor_id() && cpu_online(cpu))
		smp_send_reschedule(cpu);
	preempt_enable();
}

void hvk_nmi(struct hvk_vcpu *vcpu)
{
	hvk_request(vcpu, HVK_REQUEST_NMI);
}

void hvk_init(struct hvk_vcpu *vcpu)
{
	clear_bit(HVK_REQUEST_SIPI, &vcpu->requests);
	hvk_request(vcpu, HVK_REQUEST_INIT);
}

void hvk_sipi(struct hvk_vcpu *vcpu, u8 vector)
{
	WRITE_ONCE(vcpu->sipi_vector, vector);
	hvk_request(vcpu, HVK_REQUEST_SIPI);
}

static bool wakes_from_halt(struct hvk_vcpu *vcpu)
{
	if (vcpu->nmis || test_bit(HVK_REQUEST_NMI, &vcpu->requests))
		return true;
	if (vcpu->exception.pending || vcpu->interrupt >= 0)
		return true;
	return vcpu->exchange->rflags & X86_EFLAGS_IF && hvk_pending_interrupt(vcpu) >= 0;
}

/* Also turns a halted vcpu into a running one: it is asked by that vcpu's thread alone. */
bool hvk_may_run(struct hvk_vcpu *vcpu)
{
	if (vcpu->mp_state == KVM_MP_STATE_HALTED && wakes_from_halt(vcpu))
		vcpu->mp_state = KVM_MP_STATE_RUNNABLE;
	if (vcpu->mp_state == KVM_MP_STATE_RUNNABLE || test_bit(HVK_REQUEST_INIT, &vcpu->requests))
		return true;
	return vcpu->mp_state == KVM_MP_STATE_INIT_RECEIVED &&
	       test_bit(HVK_REQUEST_SIPI, &vcpu->requests);
}

static void take_init(struct hvk_vcpu *vcpu)
{
	hvk_reset_registers(vcpu, true);
	if (vcpu->lapic)
		hvk_lapic_reset(vcpu);
	vcpu->mp_state = hvk_is_boot_cpu(vcpu) ? KVM_MP_STATE_RUNNABLE : KVM_MP_STATE_INIT_RECEIVED;
}

static void take_sipi(struct hvk_vcpu *vcpu)
{
	struct hv_vcpu_system *system;

	if (vcpu->mp_state != KVM_MP_STATE_INIT_RECEIVED)
		return;
	system = hvk_system_changed(vcpu);
	if (!system)
		return;
	system->cs.selector = vcpu->sipi_vector << (STARTUP_SHIFT - 4);
	system->cs.base = (u64)vcpu->sipi_vector << STARTUP_SHIFT;
	vcpu->exchange->rip = 0;
	vcpu->mp_state = KVM_MP_STATE_RUNNABLE;
}

int hvk_handle_requests(struct hvk_vcpu *vcpu)
{
	clear_bit(HVK_REQUEST_LOOK, &vcpu->requests);
	/* What comes from now on asks for another look. */
	smp_mb__after_atomic();
	if (!READ_ONCE(vcpu->requests))
		return 1;
	if (test_and_clear_bit(HVK_REQUEST_INIT, &vcpu->requests))
		take_init(vcpu);
	if (test_and_clear_bit(HVK_REQUEST_SIPI, &vcpu->requests))
		take_sipi(vcpu);
	if (test_and_clear_bit(HVK_REQUEST_NMI, &vcpu->requests))
		vcpu->nmis = min(vcpu->nmis + 1, 2u);
	if (test_and_clear_bit(HVK_REQUEST_CLOCK, &vcpu->requests))
		hvk_clock_update(vcpu);
	if (test_and_clear_bit(HVK_REQUEST_IOAPIC_EOI, &vcpu->requests)) {
		vcpu->run->exit_reason = KVM_EXIT_IOAPIC_EOI;
		vcpu->run->eoi.vector = vcpu->ioapic_eoi_vector;
		return 0;
	}
	return 1;
}

/* For the guest's time to be accounted as such, it lasts until the tick that ended it was taken. */
static long call_core(struct hvk_vcpu *vcpu)
{
	long result;

	vtime_account_guest_enter();
	hvk_fpu_load(vcpu);
	result = hv_guest_call(HV_CALL_VCPU_RUN, vcpu->handle, 0, 0, 0);
	hvk_fpu_unload(vcpu);
	/* What the guest left is written before anybody can see it outside. */
	smp_store_release(&vcpu->place, HVK_OUTSIDE);
	local_irq_enable();
	/* One instruction after STI, so that what is pending gets in. */
	barrier();
	local_irq_disable();
	vtime_account_guest_exit();
	/* RCU need not wait for a guest that stays: whoever goes to user space tells it there. */
	if (vcpu->exchange->exit == HV_GUEST_INTERRUPTED)
		rcu_virt_note_context_switch(vcpu->cpu);
	return result;
}

/* -EAGAIN: something came in the last moment. */
static long enter_core(struct hvk_vcpu *vcpu)
{
	long result = -EAGAIN;

	preempt_disable();
	local_irq_disable();
	if (hvk_clock_is_stale(vcpu))
		set_bit(HVK_REQUEST_CLOCK, &vcpu->requests);
	vcpu->cpu = smp_processor_id();
	/* As hvk_kick() wants it: first inside, then the look at requests. */
	smp_store_mb(vcpu->place, HVK_INSIDE);
	if (READ_ONCE(vcpu->requests) || hvk_work_pending())
		vcpu->place = HVK_OUTSIDE;
	else
		result = call_core(vcpu);
	local_irq_enable();
	preempt_enable();
	return result;
}

static int after_entry(struct hvk_vcpu *vcpu, long result)
{
	if (result == -EINVAL)
		return hvk_entry_failed(vcpu, invalid_reason());
	if (result == -ENOMEM)
		return hv_guest_donate() ?: 1;
	if (result == -EIO)
		return hvk_ended_by_rule(vcpu);
	if (result)
		return result;
	vcpu->ran = true;
	return hvk_exit(vcpu);
}

/* MONITOR and MWAIT do nothing, unless the client wants them not to be there. */
static void put_quirks(struct hvk_vcpu *vcpu)
{
	u64 off = READ_ONCE(vcpu->vm->quirks_off);

	vcpu->exchange->flags &= ~HV_RUN_NO_MWAIT;
	if (unlikely(off & KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS) && !hvk_has_mwait(vcpu))
		vcpu->exchange->flags |= HV_RUN_NO_MWAIT;
}

int hvk_enter(struct hvk_vcpu *vcpu)
{
	enum hvk_event event;
	long result = hvk_handle_requests(vcpu);

	if (result <= 0 || !hvk_runnable(vcpu))
		return result;
	event = hvk_put_event(vcpu);
	put_quirks(vcpu);
	result = enter_core(vcpu);
	if (result == -EAGAIN)
		return 1;
	if (!result) {
		vcpu->system_here = false;
		hvk_event_taken(vcpu, event);
	}
	return after_entry(vcpu, result);
}
