// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Where the node keeps what its interrupt controllers ask for. */
#include "hv_kvm.h"
#include "irqchip.h"

struct hvk_irqchip **hvk_irqchip_of(struct hvk_vm *vm)
{
	return &vm->irqchip;
}

struct hvk_lapic **hvk_lapic_of(struct hvk_vcpu *vcpu)
{
	return &vcpu->lapic;
}

u64 *hvk_apic_base_of(struct hvk_vcpu *vcpu)
{
	return &vcpu->msrs.apic_base;
}

int *hvk_external_of(struct hvk_vcpu *vcpu)
{
	return &vcpu->external;
}

struct hvk_vm *hvk_vm_of(struct hvk_vcpu *vcpu)
{
	return vcpu->vm;
}

u32 hvk_id_of(struct hvk_vcpu *vcpu)
{
	return vcpu->id;
}

bool hvk_is_boot_cpu(struct hvk_vcpu *vcpu)
{
	return vcpu->id == vcpu->vm->boot_vcpu;
}

u32 hvk_guest_tsc_khz(struct hvk_vcpu *vcpu)
{
	return vcpu->tsc_khz;
}

void hvk_tell_eoi(struct hvk_vcpu *vcpu, u8 vector)
{
	vcpu->ioapic_eoi_vector = vector;
	hvk_request(vcpu, HVK_REQUEST_IOAPIC_EOI);
}

static const struct kvm_cpuid_entry2 *leaf(const struct hvk_vcpu *vcpu, u32 function)
{
	unsigned int i;

	for (i = 0; i < vcpu->cpuid_count; i++)
		if (vcpu->cpuid[i].function == function)
			return &vcpu->cpuid[i];
	return NULL;
}

static bool has_feature(const struct hvk_vcpu *vcpu, u32 bit)
{
	const struct kvm_cpuid_entry2 *features = leaf(vcpu, 1);

	return features && features->ecx & bit;
}

bool hvk_has_x2apic(struct hvk_vcpu *vcpu)
{
	return has_feature(vcpu, BIT(21));
}

bool hvk_has_tsc_deadline(struct hvk_vcpu *vcpu)
{
	return has_feature(vcpu, BIT(24));
}

/* Without the leaf, a CPU of old: 36 bits. */
u64 hvk_reserved_gpa_bits(struct hvk_vcpu *vcpu)
{
	const struct kvm_cpuid_entry2 *sizes = leaf(vcpu, 0x80000008);
	unsigned int bits = sizes ? sizes->eax & 0xff : 36;

	return bits < 64 ? ~0ull << bits : 0;
}
