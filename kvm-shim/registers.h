/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A vcpu's registers: general ones always in the exchange area, system ones when asked for. */
#ifndef HVK_REGISTERS_H
#define HVK_REGISTERS_H

#include "decode.h"
#include "hv_kvm.h"

/* system.c. To read; NULL: the core does not give them. */
struct hv_vcpu_system *hvk_system(struct hvk_vcpu *vcpu);
/* To change: the next entry takes all of it. */
struct hv_vcpu_system *hvk_system_changed(struct hvk_vcpu *vcpu);
unsigned int hvk_cpl(struct hvk_vcpu *vcpu);
enum hvk_mode hvk_code_mode(struct hvk_vcpu *vcpu);
u64 hvk_segment_base(struct hvk_vcpu *vcpu, unsigned int segment);
/* Past the instruction at RIP. */
void hvk_advance(struct hvk_vcpu *vcpu, unsigned int bytes);
/* What RESET and INIT leave. */
void hvk_reset_registers(struct hvk_vcpu *vcpu, bool init);

/* events.c: an exception for the guest, before its next instruction. */
void hvk_raise(struct hvk_vcpu *vcpu, u8 vector);
void hvk_raise_error(struct hvk_vcpu *vcpu, u8 vector, u32 error);
void hvk_raise_page_fault(struct hvk_vcpu *vcpu, u64 address, u32 error);

/* msrs.c: 0, or 1: the processor raises #GP. host: by the client. */
int hvk_read_msr(struct hvk_vcpu *vcpu, u32 index, u64 *value, bool host);
int hvk_write_msr(struct hvk_vcpu *vcpu, u32 index, u64 value, bool host);

/* cpuid.c: NULL: the client's table has none */
struct kvm_cpuid_entry2 *hvk_cpuid(struct hvk_vcpu *vcpu, u32 leaf, u32 subleaf);
/* To the core's table, with the bits that follow registers. */
void hvk_give_cpuid(struct hvk_vcpu *vcpu);
bool hvk_has_mwait(struct hvk_vcpu *vcpu);

/* cr.c: whether a client may set them */
bool hvk_valid_cr4(struct hvk_vcpu *vcpu, u64 cr4);
void hvk_forbid_cr4(struct hvk_vcpu *vcpu);

#endif
