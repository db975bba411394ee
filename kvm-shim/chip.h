/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A VM's interrupt controllers: what their files share. chip->lock guards all of it. */
#ifndef HVK_CHIP_H
#define HVK_CHIP_H

#include <linux/bits.h>
#include <linux/hrtimer.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "irqchip.h"
#include "lapic.h"

#define HVK_IOAPIC_PINS KVM_IOAPIC_NUM_PINS
#define HVK_PIC_PINS 16u
#define HVK_MAX_ROUTES 4096u

/* Delivery modes as ICR, LVT, IOAPIC and MSI encode them in bits 10:8. */
enum hvk_delivery {
	HVK_DELIVER_FIXED = 0,
	HVK_DELIVER_LOWEST = 1,
	HVK_DELIVER_SMI = 2,
	HVK_DELIVER_REMOTE_READ = 3,
	HVK_DELIVER_NMI = 4,
	HVK_DELIVER_INIT = 5,
	HVK_DELIVER_STARTUP = 6,
	HVK_DELIVER_EXTINT = 7,
};

enum hvk_shorthand {
	HVK_TO_DESTINATION = 0,
	HVK_TO_SELF = 1,
	HVK_TO_ALL = 2,
	HVK_TO_OTHERS = 3,
};

/* An interrupt message on its way to the LAPICs. */
struct hvk_message {
	u32 destination;
	u8 vector;
	enum hvk_delivery delivery;
	enum hvk_shorthand shorthand;
	bool logical;
	bool level_triggered;
	bool asserted;
	bool lowest_hint; /* MSI: one of the destinations */
};

/* Who drives an interrupt line: it is high while one of them holds it high. */
enum hvk_source {
	HVK_SOURCE_CLIENT = 0,
	HVK_SOURCE_PIT = 1,
};

struct hvk_route {
	u16 next; /* index + 1 of the next route of this GSI, 0: none */
	u16 type; /* KVM_IRQ_ROUTING_IRQCHIP or _MSI */
	u32 chip; /* KVM_IRQCHIP_* */
	u32 pin;  /* of both PICs together: 0 to 15 */
	u32 address_low;
	u32 address_high;
	u32 data;
};

struct hvk_routing {
	u16 first[HVK_MAX_ROUTES]; /* index + 1 of a GSI's first route, 0: none */
	s16 gsi_of_pic[HVK_PIC_PINS]; /* -1: none */
	s16 gsi_of_ioapic[HVK_IOAPIC_PINS];
	unsigned int count;
	struct hvk_route route[];
};

/* Redirection entries: 82093AA data sheet, 3.2.4. Vector, mode and the like are as in an MSI. */
#define HVK_ENTRY_LOGICAL BIT_ULL(11)
#define HVK_ENTRY_STATUS BIT_ULL(12)
#define HVK_ENTRY_REMOTE_IRR BIT_ULL(14)
#define HVK_ENTRY_LEVEL BIT_ULL(15)
#define HVK_ENTRY_MASKED BIT_ULL(16)

struct hvk_ioapic {
	u64 base;
	u32 select;
	u32 id;
	u32 high;      /* pins that are high, each of which is a request while its entry is level */
	u32 edge_sent; /* pins that are high, whose edge has become a message */
	u64 entry[HVK_IOAPIC_PINS];
	u8 source[HVK_IOAPIC_PINS]; /* bit per enum hvk_source: who holds the pin high */
};

struct hvk_pic {
	struct kvm_pic_state state[2];
	bool output; /* INTR; read without lock too */
	bool rose;   /* since the lock was taken: LAPICs are to be told */
	u8 source[HVK_PIC_PINS];
};

struct hvk_pit {
	bool present;
	bool speaker; /* port 61 is ours */
	bool reinject;	/* each tick waits until the last one was acknowledged */
	bool acked;
	bool tick_due;	/* an acknowledgment asks for the next one, once the lock goes */
	u32 pending;	/* ticks that nobody has acknowledged */
	u32 flags;	/* KVM_PIT_FLAGS_* */
	bool armed;
	bool periodic;
	u64 period_ns;
	ktime_t target;
	struct hrtimer hrtimer;
	struct kvm_pit_channel_state channel[3];
};

struct hvk_irqchip {
	spinlock_t lock;
	bool split;
	bool wide_ids;		/* KVM_X2APIC_API_USE_32BIT_IDS */
	bool no_broadcast_quirk; /* KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK */
	unsigned int split_pins; /* GSIs of the client's IOAPIC */
	unsigned int lapics;
	struct hvk_lapic *lapic[HVK_MAX_LAPICS];
	struct hvk_routing *routing;
	struct hvk_ioapic ioapic;
	struct hvk_pic pic;
	struct hvk_pit pit;
};

/* irqchip.c. Unlock also does what was put off while the lock was held. */
unsigned long hvk_chip_lock(struct hvk_irqchip *chip);
void hvk_chip_unlock(struct hvk_irqchip *chip, unsigned long flags);

/* delivery.c: < 0 nobody was meant or wanted it, else how many took it */
int hvk_deliver(struct hvk_irqchip *chip, struct hvk_lapic *source,
		const struct hvk_message *message);
int hvk_lapic_accept(struct hvk_lapic *lapic, const struct hvk_message *message);
int hvk_lapic_local(struct hvk_lapic *lapic, unsigned int lvt);
bool hvk_lapic_matches(const struct hvk_lapic *lapic, const struct hvk_lapic *source,
		       const struct hvk_message *message);

/* routing.c */
struct hvk_routing *hvk_routing_default(bool split);
int hvk_line(struct hvk_irqchip *chip, enum hvk_source source, u32 gsi, bool level);
void hvk_routing_acked(struct hvk_irqchip *chip, int gsi);
void hvk_routing_mask(struct hvk_irqchip *chip, int gsi, bool masked);

/* msi.c */
void hvk_msi_decode(const struct hvk_irqchip *chip, u32 address_low, u32 address_high, u32 data,
		    struct hvk_message *message);

/* ioapic.c, ioapic_pin.c, irqchip_state.c */
void hvk_ioapic_init(struct hvk_ioapic *ioapic);
int hvk_ioapic_set(struct hvk_irqchip *chip, unsigned int pin, enum hvk_source source, bool level);
int hvk_ioapic_service(struct hvk_irqchip *chip, unsigned int pin);
void hvk_ioapic_eoi(struct hvk_lapic *lapic, u8 vector);
void hvk_ioapic_get_state(const struct hvk_ioapic *ioapic, struct kvm_ioapic_state *state);
void hvk_ioapic_set_state(struct hvk_irqchip *chip, const struct kvm_ioapic_state *state);

/* pic.c, pic_io.c */
void hvk_pic_init(struct hvk_pic *pic);
int hvk_pic_set(struct hvk_irqchip *chip, unsigned int pin, enum hvk_source source, bool level);
int hvk_pic_peek(const struct hvk_pic *pic);
int hvk_pic_ack(struct hvk_irqchip *chip);
void hvk_pic_update(struct hvk_pic *pic);
unsigned int hvk_pic_priority(const struct kvm_pic_state *state, u8 pins);
int hvk_pic_poll(struct hvk_irqchip *chip, unsigned int which);
void hvk_pic_clear_isr(struct hvk_irqchip *chip, unsigned int which, unsigned int pin);
bool hvk_pic_io(struct hvk_irqchip *chip, u16 port, u8 *value, bool write);

/* pit.c, pit_io.c */
void hvk_pit_init(struct hvk_irqchip *chip);
void hvk_pit_stop(struct hvk_irqchip *chip);
void hvk_pit_load(struct hvk_irqchip *chip, unsigned int which, u32 count);
void hvk_pit_tick(struct hvk_irqchip *chip);
void hvk_pit_acked(struct hvk_pit *pit);
void hvk_pit_forget_ticks(struct hvk_pit *pit);
bool hvk_pit_io(struct hvk_irqchip *chip, u16 port, u8 *value, bool write);

#endif
