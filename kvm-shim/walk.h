/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Guest-virtual addresses: segments and page tables, as the processor would use them. */
#ifndef HVK_WALK_H
#define HVK_WALK_H

#include "hv_kvm.h"

#define HVK_PF_PRESENT 0x01u
#define HVK_PF_WRITE 0x02u
#define HVK_PF_USER 0x04u
#define HVK_PF_RESERVED 0x08u
#define HVK_PF_FETCH 0x10u

/* The operating mode, read once per emulated instruction. */
struct hvk_paging {
	u64 cr0, cr3, cr4, efer;
	bool user;	/* CPL 3 */
	bool quiet;	/* KVM_TRANSLATE: rights do not count, accessed bits stay */
	bool alignment_flag;	/* RFLAGS.AC, for SMAP */
};

struct hvk_fault {
	u64 address;
	u32 error;
};

int hvk_paging(struct hvk_vcpu *vcpu, struct hvk_paging *paging);

/*
 * access: HVK_PF_WRITE and HVK_PF_FETCH. 0 and the guest-physical address; 1 and the page fault
 * that the guest gets; or an error: a table that is not in memory.
 */
int hvk_walk(struct hvk_vm *vm, const struct hvk_paging *paging, u64 address, u32 access,
	     u64 *gpa, struct hvk_fault *fault);

#endif
