/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Guest VMs behind the KVM API. A VM belongs to the process that made it; a vcpu is entered by
 * whatever thread calls KVM_RUN, under the vcpu's lock.
 */
#ifndef HV_KVM_H
#define HV_KVM_H

#include <linux/kref.h>
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <asm/fpu/types.h>
#include <asm/mce.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>

#include "hv_kmod.h"

#define HVK_MAX_VCPUS HV_MAX_VCPUS
#define HVK_MAX_VCPU_ID 256u
#define HVK_MAX_SLOTS 512u
#define HVK_MTRR_VARIABLE 8u
#define HVK_MCE_BANKS 32u
#define HVK_MCE_CAP (MCG_CTL_P | MCG_SER_P)
#define HVK_PIO_PAGE 1u
#define HVK_RING_PAGE 2u
#define HVK_RUN_PAGES 3u
#define HVK_NO_VECTOR (-1)

struct hvk_irqchip;
struct hvk_lapic;
struct hvk_vcpu;

/* A range of guest-physical memory and the client's memory behind it. */
struct hvk_slot {
	u32 id;
	u32 flags;
	u64 gpa;
	u64 pages;
	u64 hva;
	unsigned long *dirty;	/* a bit per page, with KVM_MEM_LOG_DIRTY_PAGES */
};

/* All slots, by address. Never changed once it can be seen: a change makes another one. */
struct hvk_slots {
	u32 count;
	struct hvk_slot slot[];
};

/* The same moment on three clocks. */
struct hvk_instant {
	u64 tsc;	/* of the CPU */
	u64 ns;		/* since the machine was started */
	u64 real_ns;
	int cpu;
};

struct hvk_vm {
	struct kref ref;
	struct list_head guests;	/* of all */
	struct pid *process;		/* that made it */
	struct mutex lock;
	struct hvk_vcpu *vcpu[HVK_MAX_VCPUS];	/* in the order of creation */
	unsigned int vcpus;
	struct hvk_irqchip *irqchip;	/* NULL: in user space */
	long handle;			/* the core's number of it */
	u32 user;			/* that it belongs to, as the core has it */

	struct mm_struct *mm;
	struct mmu_notifier notifier;
	struct mutex slots_lock;	/* who changes slots */
	struct srcu_struct slots_users;
	struct hvk_slots __rcu *slots;
	spinlock_t map_lock;		/* slots against mappings, and the next two */
	unsigned long map_generation;	/* grows whenever a mapping may have gone stale */
	unsigned int invalidating;
	bool dead;			/* its process has lost its memory, or a rule ended it */

	spinlock_t tsc_lock;
	u64 tsc_offset;			/* what vcpus share that were set at the same time */
	struct {
		spinlock_t lock;
		struct hvk_instant base;
		u64 offset;	/* to base.ns */
	} clock;
	u32 boot_vcpu;			/* id */
	u32 max_vcpu_id;
	u64 identity_map;
	u64 mmu_pages;
	u64 quirks_off;
	bool hide_platform_info;
};

/* Bytes of one page of guest-physical memory. */
struct hvk_piece {
	u64 gpa;
	u32 bytes;
};

/* What only user space can finish: done by the next KVM_RUN. */
struct hvk_pending {
	int (*complete)(struct hvk_vcpu *vcpu);
	u64 rip;	/* of the instruction */
	u32 bytes;	/* of one item */
	u32 count;
};

/*
 * An emulated instruction. A read from a device that the client has stops it; when the answer is
 * there, it begins again, and finds in `read` what it has read so far.
 */
struct hvk_emulation {
	u8 read[32];
	u32 read_bytes;
	u32 used;
	u8 write[8];
	struct hvk_piece piece[2];	/* to write */
	u32 pieces;
	u32 written;			/* of pieces */
};

/* An exception for the guest, kept until the core has taken it. */
struct hvk_exception {
	bool pending;
	bool has_error;
	u8 vector;
	u32 error;
};

/* MSRs that no hardware sees. */
struct hvk_msrs {
	u64 apic_base;	/* without a LAPIC */
	u64 misc_enable;
	u64 mtrr_default;
	u64 mtrr_fixed[11];
	u64 mtrr_variable[2 * HVK_MTRR_VARIABLE];
	u64 mcg_cap, mcg_status, mcg_ctl;
	u64 mce_bank[4 * HVK_MCE_BANKS];
	u64 tsc_adjust;
	u64 platform_info;
	u64 microcode;
	u64 hwcr;
	u64 feature_control;
	u64 misc_features;
	u64 wall_clock, system_time;
	u64 pv[5];	/* 4b564d02 … 4b564d06 */
};

enum hvk_place { HVK_OUTSIDE, HVK_INSIDE };

/* hvk_vcpu.requests: bits */
enum hvk_request {
	HVK_REQUEST_LOOK,	/* something changed that may have to be injected */
	HVK_REQUEST_INIT,
	HVK_REQUEST_SIPI,
	HVK_REQUEST_NMI,
	HVK_REQUEST_IOAPIC_EOI,	/* split: ioapic_eoi_vector goes to user space */
	HVK_REQUEST_CLOCK,
};

struct hvk_vcpu {
	struct hvk_vm *vm;
	u32 id;			/* initial APIC ID, too */
	struct mutex lock;
	struct hvk_lapic *lapic;	/* NULL: in user space */
	u32 mp_state;
	u64 tsc_offset;
	u32 tsc_khz;
	u32 clock_version;
	int clock_cpu;
	u8 ioapic_eoi_vector;
	u8 sipi_vector;

	long handle;
	struct hv_vcpu_exchange *exchange;
	struct hv_vcpu_cpuid *leaves;
	bool system_here;	/* exchange->system is the vcpu's: read or written since it ran */
	struct kvm_run *run;
	u8 *pio;
	void *ring;
	struct fpu_guest fpu;
	u32 pkru;
	u32 client_pkru;	/* while the guest runs */

	wait_queue_head_t wait;
	unsigned long requests;
	int place;
	int cpu;
	struct pid *thread;

	struct hvk_pending pending;
	struct hvk_emulation emulation;
	struct hvk_exception exception;
	int interrupt;		/* vector that is acknowledged and not yet delivered */
	bool interrupt_soft;
	int external;		/* split: vector of the client's 8259, for ExtINT */
	unsigned int nmis;	/* waiting */
	u64 cr8;
	u64 cr4_reserved;
	u64 xcr0_supported;
	struct kvm_cpuid_entry2 *cpuid;
	u32 cpuid_count;
	bool ran;
	struct hvk_msrs msrs;
	bool sigset_active;
	sigset_t sigset;
};

/* vm.c */
int hvk_vm_open(unsigned long type);
void hvk_vm_get(struct hvk_vm *vm);
void hvk_vm_put(struct hvk_vm *vm);
struct hvk_vcpu *hvk_vcpu_by_id(struct hvk_vm *vm, u32 id);
/* Says so where the core refused `what` for the sake of a rule: -EPERM. */
void hvk_tell_limit(const struct hvk_vm *vm, long error, const char *what);

/* vcpu.c */
int hvk_vcpu_open(struct hvk_vm *vm, u32 id);
void hvk_vcpu_free(struct hvk_vcpu *vcpu);

/* What has to happen before the guest goes on, from any context. */
void hvk_kick(struct hvk_vcpu *vcpu);
void hvk_request(struct hvk_vcpu *vcpu, enum hvk_request request);
void hvk_nmi(struct hvk_vcpu *vcpu);
void hvk_init(struct hvk_vcpu *vcpu);
void hvk_sipi(struct hvk_vcpu *vcpu, u8 vector);
u64 hvk_guest_tsc(struct hvk_vcpu *vcpu);

#endif
