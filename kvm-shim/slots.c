// SPDX-License-Identifier: GPL-2.0 OR MIT
/* KVM_SET_USER_MEMORY_REGION: slots added, deleted, moved, and made read-only or not. */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "memory.h"

#define MOST_PAGES ((1ull << 31) - 1)

/* Binary search: slots do not overlap and are in order. */
const struct hvk_slot *hvk_find_slot(const struct hvk_slots *slots, u64 gpa)
{
	u32 from = 0, to = slots->count;

	while (from < to) {
		u32 middle = from + (to - from) / 2;
		const struct hvk_slot *slot = &slots->slot[middle];

		if (gpa < slot->gpa)
			to = middle;
		else if (gpa - slot->gpa >= slot->pages << PAGE_SHIFT)
			from = middle + 1;
		else
			return slot;
	}
	return NULL;
}

static struct hvk_slots *current_slots(struct hvk_vm *vm)
{
	return rcu_dereference_protected(vm->slots, lockdep_is_held(&vm->slots_lock));
}

const struct hvk_slot *hvk_slot_of_id(const struct hvk_slots *slots, u32 id)
{
	u32 i;

	for (i = 0; i < slots->count; i++)
		if (slots->slot[i].id == id)
			return &slots->slot[i];
	return NULL;
}

static bool overlaps(const struct hvk_slots *slots, const struct hvk_slot *with)
{
	u32 i;

	for (i = 0; i < slots->count; i++) {
		const struct hvk_slot *slot = &slots->slot[i];

		if (slot->id != with->id && slot->gpa < with->gpa + (with->pages << PAGE_SHIFT) &&
		    with->gpa < slot->gpa + (slot->pages << PAGE_SHIFT))
			return true;
	}
	return false;
}

/* The slots with that one instead of whatever had its number; without it where it has no pages. */
static struct hvk_slots *with_slot(const struct hvk_slots *old, const struct hvk_slot *changed)
{
	struct hvk_slots *slots;
	bool put = !changed->pages;
	u32 i;

	slots = kvzalloc(struct_size(slots, slot, old->count + 1), GFP_KERNEL_ACCOUNT);
	if (!slots)
		return NULL;
	for (i = 0; i < old->count; i++) {
		if (!put && changed->gpa < old->slot[i].gpa) {
			slots->slot[slots->count++] = *changed;
			put = true;
		}
		if (old->slot[i].id != changed->id)
			slots->slot[slots->count++] = old->slot[i];
	}
	if (!put)
		slots->slot[slots->count++] = *changed;
	return slots;
}

static int install(struct hvk_vm *vm, const struct hvk_slot *gone, const struct hvk_slot *changed)
{
	struct hvk_slots *old = current_slots(vm);
	struct hvk_slots *slots = with_slot(old, changed);

	if (!slots)
		return -ENOMEM;
	spin_lock(&vm->map_lock);
	rcu_assign_pointer(vm->slots, slots);
	vm->map_generation++;
	if (gone)
		hvk_unmap(vm, gone->gpa, gone->pages);
	spin_unlock(&vm->map_lock);
	synchronize_srcu_expedited(&vm->slots_users);
	kvfree(old);
	return 0;
}

/* The log comes and goes with the flag, and stays over everything else. */
static int replace(struct hvk_vm *vm, const struct hvk_slot *old, struct hvk_slot *wanted)
{
	unsigned long *dirty = old ? old->dirty : NULL;
	int error;

	if (wanted->pages && wanted->flags & KVM_MEM_LOG_DIRTY_PAGES) {
		wanted->dirty = dirty ?: hvk_dirty_alloc(wanted->pages);
		if (!wanted->dirty)
			return -ENOMEM;
	}
	error = install(vm, old, wanted);
	if (wanted->dirty != dirty)
		kvfree(error ? wanted->dirty : dirty);
	return error;
}

static int change(struct hvk_vm *vm, struct hvk_slot *wanted)
{
	struct hvk_slots *slots = current_slots(vm);
	const struct hvk_slot *old = hvk_slot_of_id(slots, wanted->id);

	if (!wanted->pages)
		return old ? replace(vm, old, wanted) : -EINVAL;
	if (!old)
		return overlaps(slots, wanted) ? -EEXIST : replace(vm, NULL, wanted);
	if (wanted->hva != old->hva || wanted->pages != old->pages ||
	    (wanted->flags ^ old->flags) & KVM_MEM_READONLY)
		return -EINVAL;
	if (wanted->gpa == old->gpa)
		return wanted->flags == old->flags ? 0 : replace(vm, old, wanted);
	return overlaps(slots, wanted) ? -EEXIST : replace(vm, old, wanted);
}

static u64 top_of_memory(void)
{
	return 1ull << min_t(u8, boot_cpu_data.x86_phys_bits, 52);
}

static bool possible(const struct kvm_userspace_memory_region *region)
{
	if (region->flags & ~(KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES))
		return false;
	if (region->slot >= HVK_MAX_SLOTS)
		return false;
	if ((region->memory_size | region->guest_phys_addr | region->userspace_addr) & ~PAGE_MASK)
		return false;
	if (!access_ok((void __user *)region->userspace_addr, region->memory_size))
		return false;
	if (region->guest_phys_addr + region->memory_size < region->guest_phys_addr)
		return false;
	return region->memory_size >> PAGE_SHIFT <= MOST_PAGES;
}

long hvk_set_memory_region(struct hvk_vm *vm, unsigned long argument)
{
	struct kvm_userspace_memory_region region;
	struct hvk_slot wanted;
	int error;

	if (copy_from_user(&region, (void __user *)argument, sizeof(region)))
		return -EFAULT;
	if (!possible(&region))
		return -EINVAL;
	if (region.memory_size && region.guest_phys_addr + region.memory_size > top_of_memory())
		return -EINVAL;
	wanted = (struct hvk_slot){
		.id = region.slot,
		.flags = region.flags,
		.gpa = region.guest_phys_addr,
		.pages = region.memory_size >> PAGE_SHIFT,
		.hva = region.userspace_addr,
	};
	mutex_lock(&vm->slots_lock);
	error = change(vm, &wanted);
	mutex_unlock(&vm->slots_lock);
	return error;
}
