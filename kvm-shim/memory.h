/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The guest's memory: the client's, as slots say, and only as long as Linux leaves it there. */
#ifndef HVK_MEMORY_H
#define HVK_MEMORY_H

#include "hv_kvm.h"

/* notifier.c */
int hvk_memory_start(struct hvk_vm *vm);
/* The client's memory is not followed any more, and none of it is the guest's. */
void hvk_memory_stop(struct hvk_vm *vm);
void hvk_memory_free(struct hvk_vm *vm);
/* Takes it from the guest; with map_lock held. */
void hvk_unmap(struct hvk_vm *vm, u64 gpa, u64 pages);

/* slots.c */
long hvk_set_memory_region(struct hvk_vm *vm, unsigned long argument);
long hvk_get_dirty_log(struct hvk_vm *vm, unsigned long argument);
const struct hvk_slot *hvk_slot_of_id(const struct hvk_slots *slots, u32 id);
/* Under slots_users or map_lock. NULL: there is none. */
const struct hvk_slot *hvk_find_slot(const struct hvk_slots *slots, u64 gpa);

/* dirty.c */
unsigned long *hvk_dirty_alloc(u64 pages);
void hvk_dirty_mark(const struct hvk_slot *slot, u64 gpa);

enum hvk_memory {
	HVK_MEMORY_THERE,	/* mapped: the guest may go on */
	HVK_MEMORY_DEVICE,	/* no slot, or a write to one that is read-only */
};

/* fault.c: enum hvk_memory, or an error. */
int hvk_memory_fault(struct hvk_vm *vm, u64 gpa, bool write);

/*
 * guest_memory.c: bytes of guest-physical memory, in one page. -ENXIO: no slot (or a read-only one)
 * there; -EFAULT: the client has nothing there.
 */
int hvk_read_page(struct hvk_vm *vm, u64 gpa, void *to, unsigned int bytes);
int hvk_write_page(struct hvk_vm *vm, u64 gpa, const void *from, unsigned int bytes);
/* The same across pages. */
int hvk_read_guest(struct hvk_vm *vm, u64 gpa, void *to, unsigned int bytes);
/* Sets bits of a page-table entry that has this value now; -EAGAIN: it has another. */
int hvk_set_entry_bits(struct hvk_vm *vm, u64 gpa, u64 entry, u64 bits, unsigned int bytes);

#endif
