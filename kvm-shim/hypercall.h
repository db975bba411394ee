/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Exits of hypercalls: 1 go on, 0 to user space, or an error. */
#ifndef HVK_HYPERCALL_H
#define HVK_HYPERCALL_H

#include "hv_kvm.h"

/* Quirks of KVM's that a client can have without. */
#define HVK_QUIRKS (KVM_X86_QUIRK_FIX_HYPERCALL_INSN | KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS | \
		    KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT)

int hvk_exit_hypercall(struct hvk_vcpu *vcpu);
int hvk_exit_undefined(struct hvk_vcpu *vcpu);

#endif
