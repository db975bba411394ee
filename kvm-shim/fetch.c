// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The instruction at RIP, out of the guest's memory. */
#include "emulate.h"
#include "memory.h"
#include "registers.h"

#define INVALID_OPCODE 6
#define GENERAL_PROTECTION 13

int hvk_emulation_failed(struct hvk_vcpu *vcpu, const u8 *bytes, unsigned int count)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	memset(&run->emulation_failure, 0, sizeof(run->emulation_failure));
	run->emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	if (count) {
		run->emulation_failure.ndata = 3;
		run->emulation_failure.flags =
			KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
		run->emulation_failure.insn_size = count;
		memcpy(run->emulation_failure.insn_bytes, bytes, count);
	}
	return 0;
}

/* Bytes [from, to) of the instruction, all in one page. 1, or what the exit answers. */
static int fetch_bytes(struct hvk_vcpu *vcpu, const struct hvk_paging *paging, u8 *bytes,
		       unsigned int from, unsigned int to, int *answer)
{
	u64 linear = vcpu->exchange->rip + hvk_segment_base(vcpu, HVK_CS) + from;
	struct hvk_piece piece[2];
	int pieces, error;

	if (hvk_code_mode(vcpu) != HVK_MODE_64)
		linear = (u32)linear;
	pieces = hvk_pieces(vcpu, paging, linear, to - from, HVK_PF_FETCH, piece);
	if (pieces <= 0) {
		*answer = pieces ? pieces : 1;
		return 0;
	}
	error = hvk_read_page(vcpu->vm, piece[0].gpa, bytes + from, to - from);
	if (!error)
		return 1;
	*answer = error == -ENXIO ? hvk_emulation_failed(vcpu, bytes, from) : error;
	return 0;
}

static int not_ours(struct hvk_vcpu *vcpu, enum hvk_decoded decoded, const u8 *bytes,
		    unsigned int count)
{
	if (decoded == HVK_DECODE_INVALID) {
		hvk_raise(vcpu, INVALID_OPCODE);
		return 1;
	}
	if (decoded == HVK_DECODE_TOO_LONG) {
		hvk_raise_error(vcpu, GENERAL_PROTECTION, 0);
		return 1;
	}
	return hvk_emulation_failed(vcpu, bytes, count);
}

int hvk_fetch(struct hvk_vcpu *vcpu, const struct hvk_paging *paging, struct hvk_insn *insn,
	      int *answer)
{
	enum hvk_mode mode = hvk_code_mode(vcpu);
	u64 start = vcpu->exchange->rip + hvk_segment_base(vcpu, HVK_CS);
	unsigned int here = min_t(u64, HVK_INSN_BYTES, PAGE_SIZE - offset_in_page(start));
	u8 bytes[HVK_INSN_BYTES] = {};
	enum hvk_decoded decoded;

	if (!fetch_bytes(vcpu, paging, bytes, 0, here, answer))
		return 0;
	decoded = hvk_decode(bytes, here, mode, insn);
	if (decoded == HVK_DECODE_MORE && here < HVK_INSN_BYTES) {
		if (!fetch_bytes(vcpu, paging, bytes, here, HVK_INSN_BYTES, answer))
			return 0;
		here = HVK_INSN_BYTES;
		decoded = hvk_decode(bytes, here, mode, insn);
	}
	if (decoded == HVK_DECODED)
		return 1;
	*answer = not_ours(vcpu, decoded, bytes, here);
	return 0;
}
