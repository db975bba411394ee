/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The ioctls of node, VM and vcpu: tables of number and function. */
#ifndef HVK_IOCTL_H
#define HVK_IOCTL_H

#include <linux/err.h>

#include "hv_kvm.h"

struct hvk_ioctl {
	unsigned int number;
	union {
		long (*node)(unsigned long argument);
		long (*vm)(struct hvk_vm *vm, unsigned long argument);
		long (*vcpu)(struct hvk_vcpu *vcpu, unsigned long argument);
	};
};

/*
 * The entry of that number, or an error: ENOTTY where there is none of its kind, and wrong_size
 * where there is one, but with an argument of another size or direction.
 */
const struct hvk_ioctl *hvk_find_ioctl(const struct hvk_ioctl *table, size_t entries,
				       unsigned int number, int wrong_size);

/* caps.c */
long hvk_check_extension(struct hvk_vm *vm, unsigned long number);
long hvk_enable_cap(struct hvk_vm *vm, unsigned long argument);

/* cpuid_supported.c */
long hvk_get_supported_cpuid(unsigned long argument);
bool hvk_supported_leaf(u32 leaf, u32 subleaf, struct kvm_cpuid_entry2 *entry);
u64 hvk_supported_xcr0(void);

/* msr_lists.c */
long hvk_get_msr_index_list(unsigned long argument);
long hvk_get_msr_feature_index_list(unsigned long argument);
long hvk_get_feature_msrs(unsigned long argument);
long hvk_get_msrs(struct hvk_vcpu *vcpu, unsigned long argument);
long hvk_set_msrs(struct hvk_vcpu *vcpu, unsigned long argument);
bool hvk_feature_msr(u32 index, u64 *value);

/* vm_ioctls.c */
long hvk_vm_ioctl(struct file *file, unsigned int number, unsigned long argument);

/* irq_ioctls.c */
long hvk_create_irqchip_ioctl(struct hvk_vm *vm, unsigned long argument);
long hvk_get_irqchip_ioctl(struct hvk_vm *vm, unsigned long argument);
long hvk_set_irqchip_ioctl(struct hvk_vm *vm, unsigned long argument);
long hvk_irq_line(struct hvk_vm *vm, unsigned long argument);
long hvk_irq_line_status(struct hvk_vm *vm, unsigned long argument);
long hvk_set_gsi_routing(struct hvk_vm *vm, unsigned long argument);
long hvk_signal_msi(struct hvk_vm *vm, unsigned long argument);
long hvk_create_pit(struct hvk_vm *vm, unsigned long argument);
long hvk_create_pit2(struct hvk_vm *vm, unsigned long argument);
long hvk_get_pit_ioctl(struct hvk_vm *vm, unsigned long argument);
long hvk_set_pit_ioctl(struct hvk_vm *vm, unsigned long argument);
long hvk_get_pit2(struct hvk_vm *vm, unsigned long argument);
long hvk_set_pit2(struct hvk_vm *vm, unsigned long argument);
long hvk_reinject_control(struct hvk_vm *vm, unsigned long argument);

/* vcpu_ioctls.c */
long hvk_vcpu_ioctl(struct file *file, unsigned int number, unsigned long argument);

/* run.c */
long hvk_run_ioctl(struct hvk_vcpu *vcpu, unsigned long argument);

/* regs.c */
long hvk_get_regs(struct hvk_vcpu *vcpu, unsigned long argument);
long hvk_set_regs(struct hvk_vcpu *vcpu, unsigned long argument);
void hvk_read_regs(struct hvk_vcpu *vcpu, struct kvm_regs *regs);
void hvk_write_regs(struct hvk_vcpu *vcpu, const struct kvm_regs *regs);

/* sregs.c */
long hvk_get_sregs(struct hvk_vcpu *vcpu, unsigned long argument);
long hvk_set_sregs(struct hvk_vcpu *vcpu, unsigned long argument);
long hvk_get_sregs2(struct hvk_vcpu *vcpu, unsigned long argument);
long hvk_set_sregs2(struct hvk_vcpu *vcpu, unsigned long argument);
int hvk_read_sregs(struct hvk_vcpu *vcpu, struct kvm_sregs *sregs);
int hvk_write_sregs(struct hvk_vcpu *vcpu, const struct kvm_sregs *sregs);

/* fpu.c */
long hvk_get_fpu(struct hvk_vcpu *vcpu, unsigned long argument);
long hvk_set_fpu(struct hvk_vcpu *vcpu, unsigned long argument);
long hvk_get_xsave(struct hvk_vcpu *vcpu, unsigned long argument);
long hvk_get_xsave2(struct hvk_vcpu *vcpu, unsigned long argument);
long hvk_set_xsave(struct hvk_vcpu *vcpu, unsigned long argument);
long hvk_get_xcrs(struct hvk_vcpu *vcpu, unsigned long argument);
long hvk_set_xcrs(struct hvk_vcpu *vcpu, unsigned long argument);

/* cpuid.c */
long hvk_get_cpuid2(struct hvk_vcpu *vcpu, unsigned long argument);
long hvk_set_cpuid2(struct hvk_vcpu *vcpu, unsigned long argument);

/* events.c */
long hvk_get_events(struct hvk_vcpu *vcpu, unsigned long argument);
long hvk_set_events(struct hvk_vcpu *vcpu, unsigned long argument);
int hvk_read_events(struct hvk_vcpu *vcpu, struct kvm_vcpu_events *events);
int hvk_write_events(struct hvk_vcpu *vcpu, const struct kvm_vcpu_events *events);

/* vcpu_state.c */
long hvk_get_mp_state(struct hvk_vcpu *vcpu, unsigned long argument);
long hvk_set_mp_state(struct hvk_vcpu *vcpu, unsigned long argument);
long hvk_get_debugregs(struct hvk_vcpu *vcpu, unsigned long argument);
long hvk_set_debugregs(struct hvk_vcpu *vcpu, unsigned long argument);
long hvk_get_tsc_khz(struct hvk_vcpu *vcpu, unsigned long argument);
long hvk_set_tsc_khz(struct hvk_vcpu *vcpu, unsigned long argument);
long hvk_translate(struct hvk_vcpu *vcpu, unsigned long argument);
long hvk_setup_mce(struct hvk_vcpu *vcpu, unsigned long argument);

#endif
