// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Hypercalls of KVM's numbers, and those that a guest makes in the other vendor's way. */
#include <linux/kvm_para.h>
#include <linux/sched.h>

#include "emulate.h"
#include "events.h"
#include "hypercall.h"
#include "irqchip.h"
#include "memory.h"
#include "registers.h"

#define INVALID_OPCODE 6
#define BYTES 3u

static const u8 vmcall[BYTES] = { 0x0f, 0x01, 0xc1 };
static const u8 vmmcall[BYTES] = { 0x0f, 0x01, 0xd9 };

/* A number for which there is nothing to do, or only later, is as if it was not there. */
static long answer(u64 number)
{
	switch (number) {
	case KVM_HC_VAPIC_POLL_IRQ:
		return 0;
	case KVM_HC_SCHED_YIELD:
		cond_resched();
		return 0;
	}
	return -KVM_ENOSYS;
}

int hvk_exit_hypercall(struct hvk_vcpu *vcpu)
{
	u64 *gpr = vcpu->exchange->gpr;
	long result = answer(gpr[HVK_RAX]);

	gpr[HVK_RAX] = hvk_code_mode(vcpu) == HVK_MODE_64 ? result : (u32)result;
	hvk_advance(vcpu, vcpu->exchange->length);
	return 1;
}

/* The instruction at RIP, or an answer for KVM_RUN. */
static bool find(struct hvk_vcpu *vcpu, u32 access, struct hvk_piece *piece, int *count,
		 int *result)
{
	u64 linear = vcpu->exchange->rip + hvk_segment_base(vcpu, HVK_CS);
	struct hvk_paging paging;
	int error = hvk_paging(vcpu, &paging);

	*count = error ?: hvk_pieces(vcpu, &paging, linear, BYTES, access, piece);
	*result = *count < 0 ? *count : 1;
	return *count > 0;
}

static int read_code(struct hvk_vcpu *vcpu, u8 *bytes, int *result)
{
	struct hvk_piece piece[2];
	int i, count;

	if (!find(vcpu, HVK_PF_FETCH, piece, &count, result))
		return 0;
	for (i = 0; i < count; i++) {
		if (hvk_read_page(vcpu->vm, piece[i].gpa, bytes, piece[i].bytes))
			memset(bytes, 0, piece[i].bytes);
		bytes += piece[i].bytes;
	}
	return 1;
}

/* In the guest's memory, if the guest itself could write there. */
static int write_code(struct hvk_vcpu *vcpu, const u8 *bytes)
{
	struct hvk_piece piece[2];
	int i, count, result;

	if (!find(vcpu, HVK_PF_WRITE, piece, &count, &result))
		return result;
	for (i = 0; i < count && result == 1; i++) {
		int error = hvk_write_page(vcpu->vm, piece[i].gpa, bytes, piece[i].bytes);

		if (error == -ENXIO)
			result = hvk_emulation_failed(vcpu, bytes, piece[i].bytes);
		else if (error)
			result = error;
		bytes += piece[i].bytes;
	}
	return result;
}

/* The guest makes it again, then. */
int hvk_exit_undefined(struct hvk_vcpu *vcpu)
{
	bool intel = !strcmp(hv_guest_backend(), "vmx");
	const u8 *own = intel ? vmcall : vmmcall, *foreign = intel ? vmmcall : vmcall;
	u8 bytes[BYTES];
	int result;

	if (!(READ_ONCE(vcpu->vm->quirks_off) & KVM_X86_QUIRK_FIX_HYPERCALL_INSN)) {
		if (!read_code(vcpu, bytes, &result))
			return result;
		if (!memcmp(bytes, foreign, BYTES))
			return write_code(vcpu, own);
	}
	hvk_raise(vcpu, INVALID_OPCODE);
	return 1;
}
