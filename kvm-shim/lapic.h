/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A vcpu's local APIC. SDM 3A 11 "Advanced Programmable Interrupt Controller (APIC)". */
#ifndef HVK_LAPIC_H
#define HVK_LAPIC_H

#include <linux/bits.h>
#include <linux/hrtimer.h>
#include <linux/types.h>

#include "irqchip.h"

/* Numbers of registers: offset in the page / 16, and x2APIC's MSR - 0x800. */
enum hvk_apic_register {
	HVK_APIC_ID = 0x02,
	HVK_APIC_VERSION = 0x03,
	HVK_APIC_TPR = 0x08,
	HVK_APIC_APR = 0x09,
	HVK_APIC_PPR = 0x0a,
	HVK_APIC_EOI = 0x0b,
	HVK_APIC_LDR = 0x0d,
	HVK_APIC_DFR = 0x0e,
	HVK_APIC_SVR = 0x0f,
	HVK_APIC_ISR = 0x10, /* 8 of each */
	HVK_APIC_TMR = 0x18,
	HVK_APIC_IRR = 0x20,
	HVK_APIC_ESR = 0x28,
	HVK_APIC_ICR = 0x30,
	HVK_APIC_ICR_HIGH = 0x31,
	HVK_APIC_LVT_TIMER = 0x32,
	HVK_APIC_LVT_THERMAL = 0x33,
	HVK_APIC_LVT_PMC = 0x34,
	HVK_APIC_LVT_LINT0 = 0x35,
	HVK_APIC_LVT_LINT1 = 0x36,
	HVK_APIC_LVT_ERROR = 0x37,
	HVK_APIC_INITIAL_COUNT = 0x38,
	HVK_APIC_CURRENT_COUNT = 0x39,
	HVK_APIC_DIVIDE = 0x3e,
	HVK_APIC_SELF_IPI = 0x3f,
	HVK_APIC_REGISTERS = 0x40,
};

#define HVK_APIC_PAGE 0x1000u
#define HVK_APIC_VECTORS 256
#define HVK_APIC_LVTS 6u

#define HVK_APIC_BASE_BOOT_CPU BIT_ULL(8)
#define HVK_APIC_BASE_X2APIC BIT_ULL(10)
#define HVK_APIC_BASE_ENABLED BIT_ULL(11)
#define HVK_APIC_BASE_ADDRESS (~0xfffull)
#define HVK_APIC_BASE_DEFAULT 0xfee00000ull

#define HVK_SVR_ENABLED BIT(8)
#define HVK_SVR_NO_EOI_BROADCAST BIT(12)
#define HVK_VERSION_NO_EOI_BROADCAST BIT(24)

#define HVK_ICR_LOGICAL BIT(11)
#define HVK_ICR_BUSY BIT(12)
#define HVK_ICR_ASSERT BIT(14)
#define HVK_ICR_LEVEL BIT(15)

#define HVK_LVT_MASKED BIT(16)
#define HVK_LVT_LEVEL BIT(15)
#define HVK_LVT_VECTOR 0xffu
#define HVK_LVT_MODE_SHIFT 8
#define HVK_LVT_TIMER_MODE (3u << 17)
#define HVK_LVT_ONE_SHOT 0u
#define HVK_LVT_PERIODIC (1u << 17)
#define HVK_LVT_TSC_DEADLINE (2u << 17)

#define HVK_DFR_FLAT 0xffffffffu
#define HVK_DFR_CLUSTER 0x0fffffffu

/* One tick of the timer's bus clock, before the divider: a clock of 1 GHz, as KVM's. */
#define HVK_APIC_BUS_NS 1u
/* No guest makes the host take a periodic interrupt more often. */
#define HVK_MIN_PERIOD_NS 200000u

struct hvk_lapic_timer {
	struct hrtimer hrtimer;
	bool armed; /* false: an expiry on its way is stale */
	ktime_t target;
	u64 period_ns; /* from the initial count to 0 */
	u64 tsc_deadline; /* 0: none */
};

struct hvk_lapic {
	struct hvk_vcpu *vcpu;
	struct hvk_irqchip *chip;
	u32 id; /* the vcpu's, and so x2APIC's */
	u64 base;
	bool requests; /* read without lock: false means IRR is empty */
	struct hvk_lapic_timer timer;
	u32 reg[HVK_APIC_REGISTERS];
};

static inline bool hvk_lapic_enabled(const struct hvk_lapic *lapic)
{
	return lapic->base & HVK_APIC_BASE_ENABLED;
}

static inline bool hvk_lapic_is_x2apic(const struct hvk_lapic *lapic)
{
	return hvk_lapic_enabled(lapic) && lapic->base & HVK_APIC_BASE_X2APIC;
}

static inline bool hvk_lapic_software_enabled(const struct hvk_lapic *lapic)
{
	return lapic->reg[HVK_APIC_SVR] & HVK_SVR_ENABLED;
}

/* Everything below is called with the lock of the VM's irqchip. */

/* lapic.c */
u32 hvk_lapic_x2apic_ldr(u32 id);

/* lapic_access.c: false: no such register, or not readable; not writable so */
bool hvk_lapic_read(struct hvk_lapic *lapic, unsigned int number, u32 *value);
u32 hvk_lapic_version(const struct hvk_lapic *lapic);

/* lapic_write.c */
bool hvk_lapic_write(struct hvk_lapic *lapic, unsigned int number, u32 value);
void hvk_lapic_write_icr(struct hvk_lapic *lapic, u32 low, u32 high);

/* lapic_vector.c */
bool hvk_vector_test(const struct hvk_lapic *lapic, unsigned int first, u8 vector);
void hvk_vector_assign(struct hvk_lapic *lapic, unsigned int first, u8 vector, bool set);
int hvk_vector_highest(const struct hvk_lapic *lapic, unsigned int first);
u32 hvk_lapic_ppr(const struct hvk_lapic *lapic);
int hvk_lapic_deliverable(const struct hvk_lapic *lapic);
int hvk_lapic_ack(struct hvk_lapic *lapic);
void hvk_lapic_request(struct hvk_lapic *lapic, u8 vector, bool level_triggered);
void hvk_lapic_eoi(struct hvk_lapic *lapic);
bool hvk_lapic_takes_extint(const struct hvk_lapic *lapic);

/* lapic_timer.c */
void hvk_lapic_timer_init(struct hvk_lapic *lapic);
void hvk_lapic_timer_stop(struct hvk_lapic *lapic);
void hvk_lapic_timer_count(struct hvk_lapic *lapic, u32 initial);
void hvk_lapic_timer_resume(struct hvk_lapic *lapic, u32 current_count);
void hvk_lapic_timer_mode(struct hvk_lapic *lapic, u32 lvt);
void hvk_lapic_timer_divide(struct hvk_lapic *lapic, u32 divide);
u32 hvk_lapic_timer_current(const struct hvk_lapic *lapic);
u64 hvk_lapic_deadline(const struct hvk_lapic *lapic);
void hvk_lapic_set_deadline(struct hvk_lapic *lapic, u64 tsc);

#endif
