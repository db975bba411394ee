// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Guest-physical addresses without memory: interrupt controllers here, the rest the client's. */
#include "emulate.h"
#include "irqchip.h"

bool hvk_device_access(struct hvk_vcpu *vcpu, const struct hvk_piece *piece, void *data,
		       bool write)
{
	if (vcpu->lapic && hvk_lapic_mmio(vcpu, piece->gpa, data, piece->bytes, write))
		return true;
	return vcpu->vm->irqchip &&
	       hvk_ioapic_mmio(vcpu->vm, piece->gpa, data, piece->bytes, write);
}

int hvk_client_access(struct hvk_vcpu *vcpu, const struct hvk_piece *piece, const void *data,
		      bool write, int (*complete)(struct hvk_vcpu *vcpu))
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = piece->gpa;
	run->mmio.len = piece->bytes;
	run->mmio.is_write = write;
	memset(run->mmio.data, 0, sizeof(run->mmio.data));
	if (write)
		memcpy(run->mmio.data, data, piece->bytes);
	vcpu->pending.complete = complete;
	vcpu->pending.bytes = piece->bytes;
	return 0;
}
