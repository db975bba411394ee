// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Which pages of a slot were written: one becomes dirty when it is mapped writable, which a slot
 * with a log allows on a write only; when the log is read, dirty pages leave the guest.
 */
#include <linux/bitmap.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "memory.h"

unsigned long *hvk_dirty_alloc(u64 pages)
{
	return kvcalloc(BITS_TO_LONGS(pages), sizeof(long), GFP_KERNEL_ACCOUNT);
}

void hvk_dirty_mark(const struct hvk_slot *slot, u64 gpa)
{
	if (slot->dirty)
		set_bit((gpa - slot->gpa) >> PAGE_SHIFT, slot->dirty);
}

/* Bits move from the slot's log to the copy, and what they stand for is to be written anew. */
static void take(struct hvk_vm *vm, const struct hvk_slot *slot, unsigned long *copy)
{
	unsigned long first, last, i;

	spin_lock(&vm->map_lock);
	for (i = 0; i < BITS_TO_LONGS(slot->pages); i++)
		copy[i] = xchg(&slot->dirty[i], 0);
	for_each_set_bitrange(first, last, copy, slot->pages)
		hvk_unmap(vm, slot->gpa + (first << PAGE_SHIFT), last - first);
	vm->map_generation++;
	spin_unlock(&vm->map_lock);
}

static long give(struct hvk_vm *vm, const struct hvk_slot *slot, void __user *bitmap)
{
	size_t bytes = BITS_TO_LONGS(slot->pages) * sizeof(long);
	unsigned long *copy = hvk_dirty_alloc(slot->pages);
	long error;

	if (!copy)
		return -ENOMEM;
	take(vm, slot, copy);
	error = copy_to_user(bitmap, copy, bytes) ? -EFAULT : 0;
	kvfree(copy);
	return error;
}

long hvk_get_dirty_log(struct hvk_vm *vm, unsigned long argument)
{
	const struct hvk_slot *slot;
	struct kvm_dirty_log log;
	long error = -ENOENT;

	if (copy_from_user(&log, (void __user *)argument, sizeof(log)))
		return -EFAULT;
	if (log.slot >= HVK_MAX_SLOTS)
		return -EINVAL;
	mutex_lock(&vm->slots_lock);
	slot = hvk_slot_of_id(rcu_dereference_protected(vm->slots,
							lockdep_is_held(&vm->slots_lock)),
			      log.slot);
	if (slot && slot->dirty)
		error = give(vm, slot, log.dirty_bitmap);
	mutex_unlock(&vm->slots_lock);
	return error;
}
