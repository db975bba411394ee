/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The interrupt controllers and timers of a guest: what the node calls, and what it offers.
 *
 * One lock per VM guards all of its controllers. Functions here take it themselves; none may be
 * called with it held, and none sleeps but for create, destroy and hvk_set_routing().
 */
#ifndef HVK_IRQCHIP_H
#define HVK_IRQCHIP_H

#include <linux/types.h>
#include <linux/kvm.h>

struct hvk_irqchip;
struct hvk_lapic;
struct hvk_vcpu;
struct hvk_vm;

#define HVK_MAX_LAPICS 256u /* of one VM */

/* irqchip.c. Create: -EEXIST, -ENOMEM, -EINVAL (pins); the caller has seen that no vcpu exists. */
int hvk_irqchip_create(struct hvk_vm *vm, bool split, unsigned int ioapic_pins);
void hvk_irqchip_destroy(struct hvk_vm *vm); /* after the last hvk_lapic_destroy() */
bool hvk_irqchip_is_split(struct hvk_vm *vm);
int hvk_get_irqchip(struct hvk_vm *vm, struct kvm_irqchip *state);
int hvk_set_irqchip(struct hvk_vm *vm, const struct kvm_irqchip *state);
int hvk_x2apic_api(struct hvk_vm *vm, u64 flags); /* KVM_CAP_X2APIC_API */

/* lapic.c. Create needs the VM's irqchip, and is a power-on reset; reset is what INIT does. */
int hvk_lapic_create(struct hvk_vcpu *vcpu);
void hvk_lapic_destroy(struct hvk_vcpu *vcpu);
void hvk_lapic_reset(struct hvk_vcpu *vcpu);
u64 hvk_get_apic_base(struct hvk_vcpu *vcpu);
/* 0, or 1: #GP (-EINVAL for a client). host: by the client, which may change modes at will. */
int hvk_set_apic_base(struct hvk_vcpu *vcpu, u64 value, bool host);
u64 hvk_get_cr8(struct hvk_vcpu *vcpu); /* these two with a LAPIC only */
void hvk_set_cr8(struct hvk_vcpu *vcpu, u64 value);

/* lapic_access.c */
bool hvk_lapic_mmio(struct hvk_vcpu *vcpu, u64 gpa, void *data, unsigned int len, bool write);
/* IA32_APIC_BASE, x2APIC's 800 to 8ff, IA32_TSC_DEADLINE, for a guest: 0, or 1: #GP. */
int hvk_lapic_msr(struct hvk_vcpu *vcpu, u32 index, u64 *value, bool write);

/* lapic_timer.c: the guest's TSC was set, a deadline is to be met by the new one */
void hvk_lapic_tsc_changed(struct hvk_vcpu *vcpu);

/* lapic_state.c: 0, -EINVAL without a LAPIC or, for an id that is not the vcpu's */
int hvk_get_lapic(struct hvk_vcpu *vcpu, struct kvm_lapic_state *state);
int hvk_set_lapic(struct hvk_vcpu *vcpu, const struct kvm_lapic_state *state);

/* pending.c: without a LAPIC in the kernel there is never anything pending. */
int hvk_pending_interrupt(struct hvk_vcpu *vcpu);
int hvk_ack_interrupt(struct hvk_vcpu *vcpu);
int hvk_highest_requested(struct hvk_vcpu *vcpu); /* IRR's highest, whatever TPR says; or -1 */
/* KVM_INTERRUPT: 0, -EEXIST: one is waiting, -ENXIO: the PIC is in the kernel */
int hvk_queue_extint(struct hvk_vcpu *vcpu, u8 vector);
bool hvk_accepts_extint(struct hvk_vcpu *vcpu);

/* routing.c. hvk_set_irq: < 0 ignored, 0 coalesced, > 0 delivered; -ENXIO without irqchip. */
int hvk_set_irq(struct hvk_vm *vm, u32 gsi, int level);
int hvk_set_routing(struct hvk_vm *vm, const struct kvm_irq_routing_entry *entries,
		    unsigned int count, unsigned int flags);

/* msi.c */
int hvk_send_msi(struct hvk_vm *vm, const struct kvm_msi *msi);

/* ioapic.c, pic_io.c: false when the address or port is none of theirs */
bool hvk_ioapic_mmio(struct hvk_vm *vm, u64 gpa, void *data, unsigned int len, bool write);
bool hvk_pic_pit_io(struct hvk_vm *vm, u16 port, void *data, unsigned int len, bool write);

/* pit.c, pit_state.c. -ENXIO without a PIT; create: -EEXIST, -ENOENT without a PIC, -EINVAL. */
int hvk_pit_create(struct hvk_vm *vm, u32 flags);
int hvk_get_pit(struct hvk_vm *vm, struct kvm_pit_state2 *state);
int hvk_set_pit(struct hvk_vm *vm, const struct kvm_pit_state2 *state);
int hvk_pit_reinject(struct hvk_vm *vm, bool on); /* KVM_REINJECT_CONTROL */

/*
 * What the node offers. Called under the irqchip's lock, also in hard interrupt context: they may
 * take no lock under which a function above is called.
 */
void hvk_kick(struct hvk_vcpu *vcpu); /* wakes it, or makes it leave the guest */
void hvk_nmi(struct hvk_vcpu *vcpu);
void hvk_init(struct hvk_vcpu *vcpu);
void hvk_sipi(struct hvk_vcpu *vcpu, u8 vector);
void hvk_tell_eoi(struct hvk_vcpu *vcpu, u8 vector); /* split: KVM_EXIT_IOAPIC_EOI is due */
u64 hvk_guest_tsc(struct hvk_vcpu *vcpu);
u32 hvk_guest_tsc_khz(struct hvk_vcpu *vcpu);

/* irqchip_fields.c: fields of the node's structs, so that the other files need not know them. */
struct hvk_irqchip **hvk_irqchip_of(struct hvk_vm *vm);
struct hvk_lapic **hvk_lapic_of(struct hvk_vcpu *vcpu);
u64 *hvk_apic_base_of(struct hvk_vcpu *vcpu); /* used while there is no LAPIC */
int *hvk_external_of(struct hvk_vcpu *vcpu);  /* split: vector of KVM_INTERRUPT, or -1 */
struct hvk_vm *hvk_vm_of(struct hvk_vcpu *vcpu);
u32 hvk_id_of(struct hvk_vcpu *vcpu);
bool hvk_is_boot_cpu(struct hvk_vcpu *vcpu);
bool hvk_has_x2apic(struct hvk_vcpu *vcpu); /* these three by the guest's CPUID */
bool hvk_has_tsc_deadline(struct hvk_vcpu *vcpu);
u64 hvk_reserved_gpa_bits(struct hvk_vcpu *vcpu);

#endif
