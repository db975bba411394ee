// SPDX-License-Identifier: GPL-2.0 OR MIT
/* From an operand to guest-physical memory. */
#include "emulate.h"
#include "registers.h"

u64 hvk_linear(struct hvk_vcpu *vcpu, const struct hvk_insn *insn,
	       const struct hvk_address *address)
{
	u64 offset = hvk_effective_address(insn, address, vcpu->exchange->gpr,
					   vcpu->exchange->rip);
	u64 linear = hvk_segment_base(vcpu, address->segment) + offset;

	return hvk_code_mode(vcpu) == HVK_MODE_64 ? linear : (u32)linear;
}

int hvk_pieces(struct hvk_vcpu *vcpu, const struct hvk_paging *paging, u64 linear,
	       unsigned int bytes, u32 access, struct hvk_piece *piece)
{
	struct hvk_fault fault;
	int count = 0;

	while (bytes) {
		unsigned int now = min_t(u64, bytes, PAGE_SIZE - offset_in_page(linear));
		int error = hvk_walk(vcpu->vm, paging, linear, access, &piece[count].gpa, &fault);

		if (error < 0)
			return error;
		if (error) {
			hvk_raise_page_fault(vcpu, fault.address, fault.error);
			return 0;
		}
		piece[count++].bytes = now;
		linear += now;
		bytes -= now;
	}
	return count;
}
