// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Bits of CR4 that come with features. Source: SDM 3A 2.5 "Control Registers". */
#include <asm/processor-flags.h>

#include "ioctl.h"
#include "registers.h"

#define ALWAYS (X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE | X86_CR4_PAE | \
		X86_CR4_MCE | X86_CR4_PGE | X86_CR4_PCE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT)

enum output { EBX, ECX };

struct feature {
	u64 cr4;
	u32 leaf;
	enum output output;
	u32 bit;
};

static const struct feature features[] = {
	{ X86_CR4_PCIDE, 1, ECX, BIT(17) },
	{ X86_CR4_OSXSAVE, 1, ECX, BIT(26) },
	{ X86_CR4_FSGSBASE, 7, EBX, BIT(0) },
	{ X86_CR4_SMEP, 7, EBX, BIT(7) },
	{ X86_CR4_SMAP, 7, EBX, BIT(20) },
	{ X86_CR4_UMIP, 7, ECX, BIT(2) },
};

/* Without a table of its own yet, a vcpu may have whatever the processor has. */
static bool has(struct hvk_vcpu *vcpu, const struct feature *feature)
{
	struct kvm_cpuid_entry2 supported;
	const struct kvm_cpuid_entry2 *own = hvk_cpuid(vcpu, feature->leaf, 0);

	hvk_supported_leaf(feature->leaf, 0, &supported);
	if (vcpu->cpuid && !own)
		return false;
	if (own) {
		supported.ebx &= own->ebx;
		supported.ecx &= own->ecx;
	}
	return (feature->output == EBX ? supported.ebx : supported.ecx) & feature->bit;
}

void hvk_forbid_cr4(struct hvk_vcpu *vcpu)
{
	size_t i;

	vcpu->cr4_reserved = ~(u64)ALWAYS;
	for (i = 0; i < ARRAY_SIZE(features); i++)
		if (has(vcpu, &features[i]))
			vcpu->cr4_reserved &= ~features[i].cr4;
}

bool hvk_valid_cr4(struct hvk_vcpu *vcpu, u64 cr4)
{
	return !(cr4 & vcpu->cr4_reserved);
}
