/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What programs on the node see that KVM does not have. */
#ifndef HV_KVM_UAPI_H
#define HV_KVM_UAPI_H

/*
 * KVM_EXIT_INTERNAL_ERROR: a rule pauses the VM. One word of data, its id; the instruction has not
 * been executed, and is by the next KVM_RUN.
 */
#define HV_KVM_PAUSED_BY_RULE 0x48560001u

#endif
