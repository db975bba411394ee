/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* One entry into the guest, and what has to be dealt with before. */
#ifndef HVK_ENTER_H
#define HVK_ENTER_H

#include "hv_kvm.h"

/* 1: go on; 0: to user space; or an error. */
int hvk_enter(struct hvk_vcpu *vcpu);
/* INIT, SIPI, NMIs that came from elsewhere. 1, or 0: something for user space came. */
int hvk_handle_requests(struct hvk_vcpu *vcpu);
/* Executes instructions, as things stand. */
static inline bool hvk_runnable(const struct hvk_vcpu *vcpu)
{
	return vcpu->mp_state == KVM_MP_STATE_RUNNABLE;
}

/* The same, or something has come that may make it so. */
bool hvk_may_run(struct hvk_vcpu *vcpu);

#endif
