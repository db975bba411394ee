// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Linux says which of the client's memory it is about to take back; the guest loses it first.
 * Faults that were being resolved meanwhile see that map_generation has moved on, and start again.
 */
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "memory.h"

#define PAGES_AT_ONCE (1ull << (30 - PAGE_SHIFT))

/*
 * Part of a large leaf takes a table, and the core may have none left, nor may this place get it
 * one. Whole leaves take none; what goes with them comes back with the next access.
 */
static long unmap(struct hvk_vm *vm, u64 gpa, u64 pages)
{
	u64 end = gpa + (pages << PAGE_SHIFT);
	long error = hv_guest_call(HV_CALL_VM_UNMAP, vm->handle, gpa, pages, 0);

	if (error != -ENOMEM)
		return error;
	gpa = ALIGN_DOWN(gpa, PMD_SIZE);
	return hv_guest_call(HV_CALL_VM_UNMAP, vm->handle, gpa,
			     (ALIGN(end, PMD_SIZE) - gpa) >> PAGE_SHIFT, 0);
}

void hvk_unmap(struct hvk_vm *vm, u64 gpa, u64 pages)
{
	lockdep_assert_held(&vm->map_lock);
	while (pages) {
		u64 now = min(pages, PAGES_AT_ONCE);

		if (unmap(vm, gpa, now))
			WARN_ONCE(1, "hv_kvm: memory of VM %ld stays mapped\n", vm->handle);
		gpa += now << PAGE_SHIFT;
		pages -= now;
	}
}

static void unmap_range(struct hvk_vm *vm, const struct hvk_slot *slot, u64 start, u64 end)
{
	u64 from = max(start, slot->hva);
	u64 to = min(end, slot->hva + (slot->pages << PAGE_SHIFT));

	if (from < to)
		hvk_unmap(vm, slot->gpa + ((from - slot->hva) & PAGE_MASK),
			  (PAGE_ALIGN(to) - (from & PAGE_MASK)) >> PAGE_SHIFT);
}

static struct hvk_slots *slots_now(struct hvk_vm *vm)
{
	return rcu_dereference_protected(vm->slots, lockdep_is_held(&vm->map_lock));
}

static int range_start(struct mmu_notifier *notifier, const struct mmu_notifier_range *range)
{
	struct hvk_vm *vm = container_of(notifier, struct hvk_vm, notifier);
	struct hvk_slots *slots;
	u32 i;

	spin_lock(&vm->map_lock);
	vm->invalidating++;
	slots = slots_now(vm);
	for (i = 0; i < slots->count; i++)
		unmap_range(vm, &slots->slot[i], range->start, range->end);
	spin_unlock(&vm->map_lock);
	return 0;
}

static void range_end(struct mmu_notifier *notifier, const struct mmu_notifier_range *range)
{
	struct hvk_vm *vm = container_of(notifier, struct hvk_vm, notifier);

	spin_lock(&vm->map_lock);
	vm->map_generation++;
	vm->invalidating--;
	spin_unlock(&vm->map_lock);
}

static void unmap_all(struct hvk_vm *vm)
{
	struct hvk_slots *slots;
	u32 i;

	spin_lock(&vm->map_lock);
	vm->dead = true;
	vm->map_generation++;
	slots = slots_now(vm);
	for (i = 0; i < slots->count; i++)
		hvk_unmap(vm, slots->slot[i].gpa, slots->slot[i].pages);
	spin_unlock(&vm->map_lock);
}

static void released(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	unmap_all(container_of(notifier, struct hvk_vm, notifier));
}

static const struct mmu_notifier_ops notifier_operations = {
	.invalidate_range_start = range_start,
	.invalidate_range_end = range_end,
	.release = released,
};

int hvk_memory_start(struct hvk_vm *vm)
{
	struct hvk_slots *none = kvzalloc(sizeof(*none), GFP_KERNEL_ACCOUNT);
	int error;

	if (!none)
		return -ENOMEM;
	RCU_INIT_POINTER(vm->slots, none);
	mutex_init(&vm->slots_lock);
	spin_lock_init(&vm->map_lock);
	error = init_srcu_struct(&vm->slots_users);
	if (error)
		goto no_users;
	vm->notifier.ops = &notifier_operations;
	error = mmu_notifier_register(&vm->notifier, vm->mm);
	if (!error)
		return 0;
	cleanup_srcu_struct(&vm->slots_users);
no_users:
	kvfree(none);
	return error;
}

void hvk_memory_stop(struct hvk_vm *vm)
{
	mmu_notifier_unregister(&vm->notifier, vm->mm);
	unmap_all(vm);
}

void hvk_memory_free(struct hvk_vm *vm)
{
	struct hvk_slots *slots = rcu_dereference_protected(vm->slots, true);
	u32 i;

	cleanup_srcu_struct(&vm->slots_users);
	for (i = 0; i < slots->count; i++)
		kvfree(slots->slot[i].dirty);
	kvfree(slots);
}
