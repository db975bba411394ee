/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Groups of MSRs. Each function says whether the MSR is of its group, and then sets *fault. */
#ifndef HVK_MSRS_H
#define HVK_MSRS_H

#include "hv_kvm.h"

#define HVK_MSR_SMI_COUNT 0x34

struct hvk_msr_access {
	u32 index;
	bool write;
	bool host;	/* by the client */
	u64 value;
	int fault;	/* 1: #GP */
};

bool hvk_msr_system(struct hvk_vcpu *vcpu, struct hvk_msr_access *access);
bool hvk_msr_mtrr(struct hvk_vcpu *vcpu, struct hvk_msr_access *access);
bool hvk_msr_machine_check(struct hvk_vcpu *vcpu, struct hvk_msr_access *access);
bool hvk_msr_clock(struct hvk_vcpu *vcpu, struct hvk_msr_access *access);
bool hvk_msr_tsc(struct hvk_vcpu *vcpu, struct hvk_msr_access *access);
bool hvk_msr_identity(struct hvk_vcpu *vcpu, struct hvk_msr_access *access);
void hvk_reset_msrs(struct hvk_vcpu *vcpu);

/* Plain storage: reads it or writes it. */
static inline bool hvk_msr_plain(struct hvk_msr_access *access, u64 *at)
{
	if (access->write)
		*at = access->value;
	else
		access->value = *at;
	return true;
}

#endif
