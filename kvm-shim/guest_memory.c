// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The guest's memory as the shim reads and writes it: through the client's addresses. */
#include <linux/uaccess.h>

#include "memory.h"

/* With slots_users held. */
static const struct hvk_slot *slot_at(struct hvk_vm *vm, u64 gpa)
{
	return hvk_find_slot(srcu_dereference(vm->slots, &vm->slots_users), gpa);
}

static const struct hvk_slot *writable_slot_at(struct hvk_vm *vm, u64 gpa)
{
	const struct hvk_slot *slot = slot_at(vm, gpa);

	return slot && slot->flags & KVM_MEM_READONLY ? NULL : slot;
}

static void __user *client_address(const struct hvk_slot *slot, u64 gpa)
{
	return (void __user *)(slot->hva + (gpa - slot->gpa));
}

int hvk_read_page(struct hvk_vm *vm, u64 gpa, void *to, unsigned int bytes)
{
	int key = srcu_read_lock(&vm->slots_users);
	const struct hvk_slot *slot = slot_at(vm, gpa);
	int error = -ENXIO;

	if (slot)
		error = copy_from_user(to, client_address(slot, gpa), bytes) ? -EFAULT : 0;
	srcu_read_unlock(&vm->slots_users, key);
	return error;
}

int hvk_write_page(struct hvk_vm *vm, u64 gpa, const void *from, unsigned int bytes)
{
	int key = srcu_read_lock(&vm->slots_users);
	const struct hvk_slot *slot = writable_slot_at(vm, gpa);
	int error = -ENXIO;

	if (slot) {
		error = copy_to_user(client_address(slot, gpa), from, bytes) ? -EFAULT : 0;
		hvk_dirty_mark(slot, gpa);
	}
	srcu_read_unlock(&vm->slots_users, key);
	return error;
}

int hvk_read_guest(struct hvk_vm *vm, u64 gpa, void *to, unsigned int bytes)
{
	while (bytes) {
		unsigned int now = min_t(u64, bytes, PAGE_SIZE - offset_in_page(gpa));
		int error = hvk_read_page(vm, gpa, to, now);

		if (error)
			return error;
		gpa += now;
		to += now;
		bytes -= now;
	}
	return 0;
}

/* Atomically: another vcpu may be changing the same entry. */
static int exchange_entry(void __user *at, u64 entry, u64 bits, unsigned int bytes)
{
	u32 entry32 = entry;
	int result;

	if (!user_access_begin(at, bytes))
		return -EFAULT;
	if (bytes == 4)
		result = !unsafe_try_cmpxchg_user((u32 __user *)at, &entry32, entry32 | (u32)bits,
						  fault);
	else
		result = !unsafe_try_cmpxchg_user((u64 __user *)at, &entry, entry | bits, fault);
	user_access_end();
	return result ? -EAGAIN : 0;
fault:
	user_access_end();
	return -EFAULT;
}

int hvk_set_entry_bits(struct hvk_vm *vm, u64 gpa, u64 entry, u64 bits, unsigned int bytes)
{
	int key = srcu_read_lock(&vm->slots_users);
	const struct hvk_slot *slot = writable_slot_at(vm, gpa);
	int error = -ENXIO;

	if (slot) {
		error = exchange_entry(client_address(slot, gpa), entry, bits, bytes);
		hvk_dirty_mark(slot, gpa);
	}
	srcu_read_unlock(&vm->slots_users, key);
	return error;
}
