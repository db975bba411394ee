// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A LAPIC's life: creation, INIT, IA32_APIC_BASE. */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "chip.h"

/* x2APIC's logical id follows from its id: SDM 3A 11.12.10.2 "Deriving Logical x2APIC ID". */
u32 hvk_lapic_x2apic_ldr(u32 id)
{
	return (id >> 4) << 16 | 1u << (id & 0xf);
}

static void set_base(struct hvk_lapic *lapic, u64 value)
{
	u64 changed = lapic->base ^ value;

	lapic->base = value;
	if (hvk_lapic_is_x2apic(lapic) && changed & HVK_APIC_BASE_X2APIC) {
		lapic->reg[HVK_APIC_ID] = lapic->id;
		lapic->reg[HVK_APIC_LDR] = hvk_lapic_x2apic_ldr(lapic->id);
	} else if (hvk_lapic_enabled(lapic) &&
		   changed & (HVK_APIC_BASE_ENABLED | HVK_APIC_BASE_X2APIC)) {
		lapic->reg[HVK_APIC_ID] = lapic->id << 24;
	}
}

/* SDM 3A 11.4.7.3 "Local APIC State After an INIT Reset": all but the id. */
static void reset(struct hvk_lapic *lapic)
{
	u32 id = lapic->reg[HVK_APIC_ID];
	u32 ldr = lapic->reg[HVK_APIC_LDR];
	unsigned int i;

	hvk_lapic_timer_stop(lapic);
	lapic->timer.period_ns = 0;
	lapic->timer.tsc_deadline = 0;
	memset(lapic->reg, 0, sizeof(lapic->reg));
	lapic->reg[HVK_APIC_ID] = id;
	if (hvk_lapic_is_x2apic(lapic))
		lapic->reg[HVK_APIC_LDR] = ldr;
	lapic->reg[HVK_APIC_DFR] = HVK_DFR_FLAT;
	lapic->reg[HVK_APIC_SVR] = 0xff;
	for (i = 0; i < HVK_APIC_LVTS; i++)
		lapic->reg[HVK_APIC_LVT_TIMER + i] = HVK_LVT_MASKED;
	/* As KVM does: firmware that never heard of LAPICs gets the PIC's interrupts. */
	if (hvk_is_boot_cpu(lapic->vcpu))
		lapic->reg[HVK_APIC_LVT_LINT0] = HVK_DELIVER_EXTINT << HVK_LVT_MODE_SHIFT;
	WRITE_ONCE(lapic->requests, false);
}

int hvk_lapic_create(struct hvk_vcpu *vcpu)
{
	struct hvk_irqchip *chip = *hvk_irqchip_of(hvk_vm_of(vcpu));
	struct hvk_lapic *lapic = kzalloc(sizeof(*lapic), GFP_KERNEL_ACCOUNT);
	unsigned long flags;
	int error = 0;

	if (!lapic)
		return -ENOMEM;
	lapic->vcpu = vcpu;
	lapic->chip = chip;
	lapic->id = hvk_id_of(vcpu);
	hvk_lapic_timer_init(lapic);
	set_base(lapic, HVK_APIC_BASE_DEFAULT | HVK_APIC_BASE_ENABLED |
			(hvk_is_boot_cpu(vcpu) ? HVK_APIC_BASE_BOOT_CPU : 0));
	reset(lapic);
	flags = hvk_chip_lock(chip);
	if (chip->lapics < HVK_MAX_LAPICS)
		chip->lapic[chip->lapics++] = lapic;
	else
		error = -EINVAL;
	hvk_chip_unlock(chip, flags);
	if (error)
		kfree(lapic);
	else
		*hvk_lapic_of(vcpu) = lapic;
	return error;
}

void hvk_lapic_destroy(struct hvk_vcpu *vcpu)
{
	struct hvk_lapic *lapic = *hvk_lapic_of(vcpu);
	struct hvk_irqchip *chip;
	unsigned long flags;
	unsigned int i;

	if (!lapic)
		return;
	chip = lapic->chip;
	flags = hvk_chip_lock(chip);
	hvk_lapic_timer_stop(lapic);
	for (i = 0; chip->lapic[i] != lapic; i++)
		;
	for (chip->lapics--; i < chip->lapics; i++)
		chip->lapic[i] = chip->lapic[i + 1];
	hvk_chip_unlock(chip, flags);
	/* An expiry that waited for the lock ends before the memory goes. */
	hrtimer_cancel(&lapic->timer.hrtimer);
	*hvk_lapic_of(vcpu) = NULL;
	kfree(lapic);
}

void hvk_lapic_reset(struct hvk_vcpu *vcpu)
{
	struct hvk_lapic *lapic = *hvk_lapic_of(vcpu);
	unsigned long flags;

	if (!lapic)
		return;
	flags = hvk_chip_lock(lapic->chip);
	reset(lapic);
	hvk_chip_unlock(lapic->chip, flags);
}

u64 hvk_get_apic_base(struct hvk_vcpu *vcpu)
{
	const struct hvk_lapic *lapic = *hvk_lapic_of(vcpu);

	return lapic ? lapic->base : *hvk_apic_base_of(vcpu);
}

/* Whether a guest may go from one mode to the other: SDM 3A 11.12.5 "x2APIC State Transitions". */
static bool may_switch(u64 from, u64 to)
{
	const u64 both = HVK_APIC_BASE_ENABLED | HVK_APIC_BASE_X2APIC;

	if ((from & both) == both)
		return (to & both) != HVK_APIC_BASE_ENABLED;
	return from & HVK_APIC_BASE_ENABLED || (to & both) != both;
}

int hvk_set_apic_base(struct hvk_vcpu *vcpu, u64 value, bool host)
{
	struct hvk_lapic *lapic = *hvk_lapic_of(vcpu);
	u64 reserved = hvk_reserved_gpa_bits(vcpu) | 0x2ff;
	unsigned long flags;

	if (!hvk_has_x2apic(vcpu))
		reserved |= HVK_APIC_BASE_X2APIC;
	if (value & reserved ||
	    (value & (HVK_APIC_BASE_ENABLED | HVK_APIC_BASE_X2APIC)) == HVK_APIC_BASE_X2APIC)
		return 1;
	if (!host && !may_switch(hvk_get_apic_base(vcpu), value))
		return 1;
	if (!lapic) {
		*hvk_apic_base_of(vcpu) = value;
		return 0;
	}
	flags = hvk_chip_lock(lapic->chip);
	set_base(lapic, value);
	hvk_chip_unlock(lapic->chip, flags);
	return 0;
}

/* CR8 is TPR's priority class: SDM 3A 11.8.6.1. */
u64 hvk_get_cr8(struct hvk_vcpu *vcpu)
{
	const struct hvk_lapic *lapic = *hvk_lapic_of(vcpu);

	return lapic ? lapic->reg[HVK_APIC_TPR] >> 4 & 0xf : 0;
}

void hvk_set_cr8(struct hvk_vcpu *vcpu, u64 value)
{
	struct hvk_lapic *lapic = *hvk_lapic_of(vcpu);
	unsigned long flags;

	if (!lapic)
		return;
	flags = hvk_chip_lock(lapic->chip);
	lapic->reg[HVK_APIC_TPR] = (value & 0xf) << 4;
	hvk_chip_unlock(lapic->chip, flags);
}
