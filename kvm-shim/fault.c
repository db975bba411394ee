// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A guest's access that its tables do not allow: the client's page is brought in and mapped, in one
 * piece with its neighbours where Linux has them in a large page.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>

#include "abi/policy.h"
#include "memory.h"

#define LARGE_BYTES PMD_SIZE
#define LARGE_PAGES (PMD_SIZE >> PAGE_SHIFT)
#define READ_ACCESS ((u64)(HV_ACCESS_READ | HV_ACCESS_EXECUTE))
#define WRITE_ACCESS (READ_ACCESS | HV_ACCESS_WRITE)
#define ACCESS_SHIFT 56

/* One attempt: what the slot said, and whether that still holds when the page is there. */
struct attempt {
	struct hvk_slot slot;
	u64 gpa;
	u64 hva;
	unsigned long generation;
	bool writable;
	struct page *page;
};

static bool look_up(struct hvk_vm *vm, struct attempt *attempt)
{
	const struct hvk_slot *slot;

	spin_lock(&vm->map_lock);
	attempt->generation = vm->map_generation;
	slot = hvk_find_slot(rcu_dereference_protected(vm->slots, true), attempt->gpa);
	if (slot) {
		attempt->slot = *slot;
		attempt->hva = slot->hva + (attempt->gpa - slot->gpa);
	}
	spin_unlock(&vm->map_lock);
	return slot;
}

/* Writable at once where that needs no copy; else as the access wants it. */
static int get_page_of(struct attempt *attempt, bool write)
{
	bool readonly = attempt->slot.flags & KVM_MEM_READONLY;
	long got;

	attempt->writable = !readonly && (write || !attempt->slot.dirty);
	if (attempt->writable &&
	    get_user_pages_fast_only(attempt->hva, 1, FOLL_WRITE, &attempt->page) == 1)
		return 0;
	attempt->writable = write;
	got = get_user_pages_unlocked(attempt->hva, 1, &attempt->page,
				      FOLL_HWPOISON | (write ? FOLL_WRITE : 0));
	return got == 1 ? 0 : got < 0 ? got : -EFAULT;
}

/*
 * The client's own tables have a large page there. That the page is a part of one says nothing
 * about its neighbours: the client may have given them back. Interrupts are off, so that no table
 * goes before its last reader; while map_lock is held and nothing is stale, the entry does not
 * change.
 */
static bool mapped_large(struct mm_struct *mm, u64 hva)
{
	unsigned long flags;
	bool large = false;
	p4d_t *p4d;
	pud_t *pud;
	pmd_t pmd;

	local_irq_save(flags);
	p4d = p4d_offset(pgd_offset(mm, hva), hva);
	if (!p4d_present(READ_ONCE(*p4d)))
		goto out;
	pud = pud_offset(p4d, hva);
	if (!pud_present(READ_ONCE(*pud)) || pud_large(READ_ONCE(*pud)))
		goto out;
	pmd = READ_ONCE(*pmd_offset(pud, hva));
	large = pmd_present(pmd) && pmd_large(pmd);
out:
	local_irq_restore(flags);
	return large;
}

/* A large page that slot, addresses and the client allow to be mapped whole. */
static u64 pages_at_once(struct hvk_vm *vm, const struct attempt *attempt)
{
	u64 offset = attempt->gpa & (LARGE_BYTES - 1);
	u64 start = attempt->gpa - offset;

	if (attempt->slot.dirty || (attempt->hva & (LARGE_BYTES - 1)) != offset)
		return 1;
	if (start < attempt->slot.gpa ||
	    start + LARGE_BYTES > attempt->slot.gpa + (attempt->slot.pages << PAGE_SHIFT))
		return 1;
	return mapped_large(vm->mm, attempt->hva) ? LARGE_PAGES : 1;
}

static bool stale(const struct hvk_vm *vm, const struct attempt *attempt)
{
	return vm->invalidating || vm->map_generation != attempt->generation;
}

static long map_pages(struct hvk_vm *vm, const struct attempt *attempt)
{
	u64 pages = pages_at_once(vm, attempt);
	u64 mask = ~((pages << PAGE_SHIFT) - 1);
	u64 rights = attempt->writable ? WRITE_ACCESS : READ_ACCESS;

	return hv_guest_call(HV_CALL_VM_MAP, vm->handle, attempt->gpa & mask,
			     page_to_phys(attempt->page) & mask,
			     pages | rights << ACCESS_SHIFT);
}

static int map(struct hvk_vm *vm, const struct attempt *attempt)
{
	long result = -EAGAIN;

	spin_lock(&vm->map_lock);
	if (vm->dead)
		result = -EIO;
	else if (!stale(vm, attempt))
		result = map_pages(vm, attempt);
	if (!result) {
		if (attempt->writable) {
			SetPageDirty(attempt->page);
			hvk_dirty_mark(&attempt->slot, attempt->gpa);
		}
		mark_page_accessed(attempt->page);
	}
	spin_unlock(&vm->map_lock);
	return result;
}

static int try_once(struct hvk_vm *vm, struct attempt *attempt, bool write)
{
	int error = get_page_of(attempt, write);

	if (error)
		return error;
	error = map(vm, attempt);
	put_page(attempt->page);
	return error;
}

int hvk_memory_fault(struct hvk_vm *vm, u64 gpa, bool write)
{
	struct attempt attempt = { .gpa = gpa & PAGE_MASK };
	int error;

	do {
		if (!look_up(vm, &attempt))
			return HVK_MEMORY_DEVICE;
		if (write && attempt.slot.flags & KVM_MEM_READONLY)
			return HVK_MEMORY_DEVICE;
		error = try_once(vm, &attempt, write);
		if (error == -ENOMEM)
			error = hv_guest_donate() ?: -EAGAIN;
		if (error == -EAGAIN && signal_pending(current))
			return -EINTR;
		cond_resched();
	} while (error == -EAGAIN);
	hvk_tell_limit(vm, error, "memory");
	/* Memory that the core does not give to guests is as good as none. */
	if (error == -EPERM || error == -EINVAL)
		error = -EFAULT;
	return error ? error : HVK_MEMORY_THERE;
}
