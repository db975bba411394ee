// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A LAPIC's registers as a guest reaches them: the page of xAPIC, the MSRs of x2APIC. */
#include <linux/string.h>

#include "chip.h"

#define HVK_MSR_APIC_BASE 0x1bu
#define HVK_MSR_TSC_DEADLINE 0x6e0u
#define HVK_MSR_X2APIC 0x800u
#define HVK_MSR_X2APIC_LAST 0x8ffu

#define EIGHT(first) (0xffull << (first))

/* By number of register; APR, DFR and ICR's upper half are not x2APIC's. */
static const u64 readable_always =
	BIT_ULL(HVK_APIC_ID) | BIT_ULL(HVK_APIC_VERSION) | BIT_ULL(HVK_APIC_TPR) |
	BIT_ULL(HVK_APIC_PPR) | BIT_ULL(HVK_APIC_LDR) | BIT_ULL(HVK_APIC_SVR) |
	EIGHT(HVK_APIC_ISR) | EIGHT(HVK_APIC_TMR) | EIGHT(HVK_APIC_IRR) |
	BIT_ULL(HVK_APIC_ESR) | BIT_ULL(HVK_APIC_ICR) | BIT_ULL(HVK_APIC_LVT_TIMER) |
	BIT_ULL(HVK_APIC_LVT_THERMAL) | BIT_ULL(HVK_APIC_LVT_PMC) | BIT_ULL(HVK_APIC_LVT_LINT0) |
	BIT_ULL(HVK_APIC_LVT_LINT1) | BIT_ULL(HVK_APIC_LVT_ERROR) |
	BIT_ULL(HVK_APIC_INITIAL_COUNT) | BIT_ULL(HVK_APIC_CURRENT_COUNT) |
	BIT_ULL(HVK_APIC_DIVIDE);
static const u64 readable_xapic =
	BIT_ULL(HVK_APIC_APR) | BIT_ULL(HVK_APIC_DFR) | BIT_ULL(HVK_APIC_ICR_HIGH);

/* Integrated, with six LVT entries; EOI broadcasts can be held back where the client has them. */
u32 hvk_lapic_version(const struct hvk_lapic *lapic)
{
	u32 version = 0x14 | (HVK_APIC_LVTS - 1) << 16;

	if (lapic->chip->split && hvk_has_x2apic(lapic->vcpu))
		version |= HVK_VERSION_NO_EOI_BROADCAST;
	return version;
}

bool hvk_lapic_read(struct hvk_lapic *lapic, unsigned int number, u32 *value)
{
	u64 readable = readable_always;

	if (!hvk_lapic_is_x2apic(lapic))
		readable |= readable_xapic;
	if (number >= HVK_APIC_REGISTERS || !(readable & BIT_ULL(number)))
		return false;
	*value = lapic->reg[number];
	if (number == HVK_APIC_VERSION)
		*value = hvk_lapic_version(lapic);
	else if (number == HVK_APIC_PPR)
		*value = hvk_lapic_ppr(lapic);
	else if (number == HVK_APIC_CURRENT_COUNT)
		*value = hvk_lapic_timer_current(lapic);
	return true;
}

static void page_read(struct hvk_lapic *lapic, unsigned int offset, void *data, unsigned int len)
{
	unsigned int byte = offset & 0xf;
	u32 value = 0;

	memset(data, 0, len);
	if (byte + len <= sizeof(value) && hvk_lapic_read(lapic, offset >> 4, &value))
		memcpy(data, (u8 *)&value + byte, len);
}

static void page_write(struct hvk_lapic *lapic, unsigned int offset, const void *data,
		       unsigned int len)
{
	u32 value;

	if (len != sizeof(value) || offset & 0xf)
		return;
	memcpy(&value, data, sizeof(value));
	hvk_lapic_write(lapic, offset >> 4, value);
}

bool hvk_lapic_mmio(struct hvk_vcpu *vcpu, u64 gpa, void *data, unsigned int len, bool write)
{
	struct hvk_lapic *lapic = *hvk_lapic_of(vcpu);
	unsigned int offset = gpa & (HVK_APIC_PAGE - 1);
	unsigned long flags;

	if (!lapic || gpa - offset != (lapic->base & HVK_APIC_BASE_ADDRESS))
		return false;
	flags = hvk_chip_lock(lapic->chip);
	/* Where no page of registers is, there is no memory either. */
	if (!hvk_lapic_enabled(lapic) || hvk_lapic_is_x2apic(lapic)) {
		if (!write)
			memset(data, 0xff, len);
	} else if (write) {
		page_write(lapic, offset, data, len);
	} else {
		page_read(lapic, offset, data, len);
	}
	hvk_chip_unlock(lapic->chip, flags);
	return true;
}

static bool x2apic_msr(struct hvk_lapic *lapic, unsigned int number, u64 *value, bool write)
{
	u32 low;

	if (!hvk_lapic_is_x2apic(lapic))
		return false;
	if (number == HVK_APIC_ICR) {
		if (write)
			hvk_lapic_write_icr(lapic, *value, *value >> 32);
		else
			*value = lapic->reg[HVK_APIC_ICR] |
				 (u64)lapic->reg[HVK_APIC_ICR_HIGH] << 32;
		return true;
	}
	if (write)
		return !(*value >> 32) && hvk_lapic_write(lapic, number, *value);
	if (!hvk_lapic_read(lapic, number, &low))
		return false;
	*value = low;
	return true;
}

static int with_lapic(struct hvk_vcpu *vcpu, u32 index, u64 *value, bool write)
{
	struct hvk_lapic *lapic = *hvk_lapic_of(vcpu);
	bool deadline = index == HVK_MSR_TSC_DEADLINE;
	unsigned long flags;
	bool done = true;

	if (!lapic) {
		if (deadline && !write)
			*value = 0;
		return deadline ? 0 : 1;
	}
	flags = hvk_chip_lock(lapic->chip);
	if (!deadline)
		done = x2apic_msr(lapic, index - HVK_MSR_X2APIC, value, write);
	else if (write)
		hvk_lapic_set_deadline(lapic, *value);
	else
		*value = hvk_lapic_deadline(lapic);
	hvk_chip_unlock(lapic->chip, flags);
	return done ? 0 : 1;
}

int hvk_lapic_msr(struct hvk_vcpu *vcpu, u32 index, u64 *value, bool write)
{
	if (index == HVK_MSR_TSC_DEADLINE ||
	    (index >= HVK_MSR_X2APIC && index <= HVK_MSR_X2APIC_LAST))
		return with_lapic(vcpu, index, value, write);
	if (index != HVK_MSR_APIC_BASE)
		return 1;
	if (write)
		return hvk_set_apic_base(vcpu, *value, false);
	*value = hvk_get_apic_base(vcpu);
	return 0;
}
