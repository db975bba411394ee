// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What the core could not answer alone. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/sched/signal.h>
#include <linux/smp.h>

#include "abi/policy.h"
#include "emulate.h"
#include "exits.h"
#include "hypercall.h"
#include "io.h"
#include "irqchip.h"
#include "memory.h"
#include "registers.h"
#include "uapi.h"

#define GENERAL_PROTECTION 13
/* Where the core does not know, and a guest has put no prefix before it. */
#define HLT_BYTES 1
#define MSR_BYTES 2
#define CR8_BYTES 4	/* with REX.R */

static void advance(struct hvk_vcpu *vcpu, unsigned int usual)
{
	hvk_advance(vcpu, vcpu->exchange->length ?: usual);
}

static int exit_hlt(struct hvk_vcpu *vcpu)
{
	advance(vcpu, HLT_BYTES);
	if (vcpu->lapic) {
		vcpu->mp_state = KVM_MP_STATE_HALTED;
		return 1;
	}
	vcpu->run->exit_reason = KVM_EXIT_HLT;
	return 0;
}

static int exit_msr_read(struct hvk_vcpu *vcpu)
{
	struct hv_vcpu_exchange *exchange = vcpu->exchange;
	u64 value;

	if (hvk_read_msr(vcpu, exchange->address, &value, false)) {
		hvk_raise_error(vcpu, GENERAL_PROTECTION, 0);
		return 1;
	}
	exchange->gpr[HVK_RAX] = (u32)value;
	exchange->gpr[2] = value >> 32;
	advance(vcpu, MSR_BYTES);
	return 1;
}

static int exit_msr_write(struct hvk_vcpu *vcpu)
{
	if (hvk_write_msr(vcpu, vcpu->exchange->address, vcpu->exchange->value, false))
		hvk_raise_error(vcpu, GENERAL_PROTECTION, 0);
	else
		advance(vcpu, MSR_BYTES);
	return 1;
}

/* With what the core says where; of an exit that nobody knows its CPU, too. */
static int internal_error(struct hvk_vcpu *vcpu, u32 suberror, u32 words)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = suberror;
	run->internal.ndata = words;
	run->internal.data[0] = vcpu->exchange->address;
	run->internal.data[1] = vcpu->cpu;
	return 0;
}

/* An event whose delivery touches a device: there is no instruction to execute instead. */
static int delivery_failed(struct hvk_vcpu *vcpu)
{
	return internal_error(vcpu, KVM_INTERNAL_ERROR_DELIVERY_EV, 1);
}

static int exit_memory(struct hvk_vcpu *vcpu)
{
	bool write = vcpu->exchange->detail & HV_ACCESS_WRITE;
	int found = hvk_memory_fault(vcpu->vm, vcpu->exchange->address, write);

	if (found == HVK_MEMORY_THERE)
		return 1;
	if (found != HVK_MEMORY_DEVICE)
		return found;
	if (vcpu->exchange->state & HV_VCPU_EVENT_PENDING)
		return delivery_failed(vcpu);
	return hvk_emulate_memory(vcpu);
}

int hvk_set_tpr(struct hvk_vcpu *vcpu, u64 cr8)
{
	u64 before = vcpu->cr8;

	if (vcpu->lapic) {
		hvk_set_cr8(vcpu, cr8);
		return 1;
	}
	vcpu->cr8 = cr8;
	if (before <= cr8)
		return 1;
	vcpu->run->exit_reason = KVM_EXIT_SET_TPR;
	return 0;
}

static int exit_cr8(struct hvk_vcpu *vcpu)
{
	struct hv_vcpu_exchange *exchange = vcpu->exchange;
	u64 *gpr;
	int answer;

	if (!hvk_find_cr8_register(vcpu, &answer))
		return answer;
	gpr = &exchange->gpr[exchange->address & 15];
	if (exchange->detail && *gpr > 15) {
		hvk_raise_error(vcpu, GENERAL_PROTECTION, 0);
		return 1;
	}
	advance(vcpu, CR8_BYTES);
	if (exchange->detail)
		return hvk_set_tpr(vcpu, *gpr);
	*gpr = vcpu->lapic ? hvk_get_cr8(vcpu) : vcpu->cr8;
	return 1;
}

int hvk_shut_down(struct hvk_vcpu *vcpu)
{
	vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN;
	return 0;
}

int hvk_entry_failed(struct hvk_vcpu *vcpu, u64 reason)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	run->fail_entry.hardware_entry_failure_reason = reason;
	run->fail_entry.cpu = vcpu->cpu;
	return 0;
}

/* With its process: a client that went on would find nothing that it could do with the VM. */
int hvk_ended_by_rule(struct hvk_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->vm->dead, true);
	send_sig(SIGKILL, current, true);
	return -EIO;
}

static int exit_killed(struct hvk_vcpu *vcpu)
{
	pr_warn_ratelimited("a rule (id %llu) ends the VM of user %u, process %d\n",
			    vcpu->exchange->address, vcpu->vm->user, task_tgid_nr(current));
	return hvk_ended_by_rule(vcpu);
}

int hvk_exit(struct hvk_vcpu *vcpu)
{
	switch (vcpu->exchange->exit) {
	case HV_GUEST_INTERRUPTED:
	case HV_GUEST_WINDOW:
		return 1;
	case HV_GUEST_MEMORY:
		return exit_memory(vcpu);
	case HV_GUEST_IO:
		return hvk_exit_io(vcpu);
	case HV_GUEST_MSR_WRITE:
		return exit_msr_write(vcpu);
	case HV_GUEST_MSR_READ:
		return exit_msr_read(vcpu);
	case HV_GUEST_HLT:
		return exit_hlt(vcpu);
	case HV_GUEST_CR8:
		return exit_cr8(vcpu);
	case HV_GUEST_SHUTDOWN:
		return hvk_shut_down(vcpu);
	case HV_GUEST_HYPERCALL:
		return hvk_exit_hypercall(vcpu);
	case HV_GUEST_UNDEFINED:
		return hvk_exit_undefined(vcpu);
	case HV_GUEST_PAUSED:
		return internal_error(vcpu, HV_KVM_PAUSED_BY_RULE, 1);
	case HV_GUEST_KILLED:
		return exit_killed(vcpu);
	case HV_GUEST_INVALID:
		return hvk_entry_failed(vcpu, vcpu->exchange->address);
	}
	return internal_error(vcpu, KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON, 2);
}
