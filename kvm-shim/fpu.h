/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Guest FPU state, which is Linux's to keep: it moves with the thread. */
#ifndef HVK_FPU_H
#define HVK_FPU_H

#include <asm/fpu/api.h>

#include "hv_kvm.h"

/* Bytes that KVM_GET_XSAVE2 writes. */
unsigned int hvk_xsave_bytes(void);
int hvk_fpu_create(struct hvk_vcpu *vcpu);
void hvk_fpu_destroy(struct hvk_vcpu *vcpu);
/* The thread's FPU is the guest's from enter to leave. */
static inline void hvk_fpu_enter(struct hvk_vcpu *vcpu)
{
	fpu_swap_kvm_fpstate(&vcpu->fpu, true);
}

static inline void hvk_fpu_leave(struct hvk_vcpu *vcpu)
{
	fpu_swap_kvm_fpstate(&vcpu->fpu, false);
}

/* Interrupts off, around the guest: registers that Linux does not switch with the rest. */
void hvk_fpu_load(struct hvk_vcpu *vcpu);
void hvk_fpu_unload(struct hvk_vcpu *vcpu);

#endif
