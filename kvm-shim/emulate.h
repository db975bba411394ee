/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Instructions that touch devices. Answers are exits.h's: 1 go on, 0 to user space, or error. */
#ifndef HVK_EMULATE_H
#define HVK_EMULATE_H

#include "decode.h"
#include "hv_kvm.h"
#include "walk.h"

/* The instruction at RIP, which has touched a device. */
int hvk_emulate_memory(struct hvk_vcpu *vcpu);
/* INS or OUTS. */
int hvk_emulate_string_io(struct hvk_vcpu *vcpu, u16 port);

/* fetch.c. 1: *insn is there; else what the exit answers: an exception, or nobody can tell. */
int hvk_fetch(struct hvk_vcpu *vcpu, const struct hvk_paging *paging, struct hvk_insn *insn,
	      int *answer);
/* KVM_EXIT_INTERNAL_ERROR, with the bytes at RIP; 0. */
int hvk_emulation_failed(struct hvk_vcpu *vcpu, const u8 *bytes, unsigned int count);

/*
 * linear.c: an operand as pieces of guest-physical memory, 1 or 2. 0: the guest gets a page fault;
 * or an error.
 */
int hvk_pieces(struct hvk_vcpu *vcpu, const struct hvk_paging *paging, u64 linear,
	       unsigned int bytes, u32 access, struct hvk_piece *piece);
u64 hvk_linear(struct hvk_vcpu *vcpu, const struct hvk_insn *insn,
	       const struct hvk_address *address);

/* cr8.c. 1: exchange->address and ->length are there; 0: *answer is what the exit answers. */
int hvk_find_cr8_register(struct hvk_vcpu *vcpu, int *answer);

/* device.c: devices in the kernel; false: the client's */
bool hvk_device_access(struct hvk_vcpu *vcpu, const struct hvk_piece *piece, void *data,
		       bool write);
/* Makes the client do it; 0. */
int hvk_client_access(struct hvk_vcpu *vcpu, const struct hvk_piece *piece, const void *data,
		      bool write, int (*complete)(struct hvk_vcpu *vcpu));

#endif
