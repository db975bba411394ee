/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Why the guest was left, and what follows: 1 go on, 0 to user space, or an error. */
#ifndef HVK_EXITS_H
#define HVK_EXITS_H

#include "hv_kvm.h"

int hvk_exit(struct hvk_vcpu *vcpu);
/* No CPU enters this state. */
int hvk_entry_failed(struct hvk_vcpu *vcpu, u64 reason);
int hvk_shut_down(struct hvk_vcpu *vcpu);
/* The core runs no vcpu of this VM any more. */
int hvk_ended_by_rule(struct hvk_vcpu *vcpu);
/* KVM_EXIT_SET_TPR after CR8 was lowered, where the client has the LAPIC. */
int hvk_set_tpr(struct hvk_vcpu *vcpu, u64 cr8);

#endif
