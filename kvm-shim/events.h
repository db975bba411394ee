/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What is injected at an entry. */
#ifndef HVK_EVENTS_H
#define HVK_EVENTS_H

#include "hv_kvm.h"

enum hvk_event {
	HVK_EVENT_NONE,
	HVK_EVENT_EXCEPTION,
	HVK_EVENT_NMI,
	HVK_EVENT_INTERRUPT,
};

/* Before an entry: puts it and the windows to wait for into the exchange area. */
enum hvk_event hvk_put_event(struct hvk_vcpu *vcpu);
/* After the entry, with what hvk_put_event() gave. */
void hvk_event_taken(struct hvk_vcpu *vcpu, enum hvk_event event);
/* The guest could take an interrupt now. */
static inline bool hvk_interruptible(const struct hvk_vcpu *vcpu)
{
	return vcpu->exchange->rflags & X86_EFLAGS_IF &&
	       !(vcpu->exchange->state & (HV_VCPU_SHADOW | HV_VCPU_EVENT_PENDING));
}

/* run.c: user space wants to know when an interrupt could be injected. */
bool hvk_client_waits(struct hvk_vcpu *vcpu);
bool hvk_client_may_inject(struct hvk_vcpu *vcpu);

#endif
