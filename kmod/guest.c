// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What hv.ko offers to modules that run guest VMs: hv_kmod.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/slab.h>

#include "hv.h"
#include "hv_kmod.h"

/* Exchange areas are shared in blocks, because the core can note only so many. */
#define HV_BLOCK_ORDER 5u
#define HV_BLOCK_AREAS ((1u << HV_BLOCK_ORDER) / HV_EXCHANGE_PAGES)

struct hv_exchange_block {
	struct list_head list;
	void *address;
	DECLARE_BITMAP(used, HV_BLOCK_AREAS);
};

int hv_guests_get(void)
{
	int error = -ENXIO;

	mutex_lock(&hv.lock);
	if (hv_hoisted()) {
		hv.guests++;
		error = 0;
	}
	mutex_unlock(&hv.lock);
	return error;
}
EXPORT_SYMBOL_GPL(hv_guests_get);

void hv_guests_put(void)
{
	mutex_lock(&hv.lock);
	hv.guests--;
	mutex_unlock(&hv.lock);
}
EXPORT_SYMBOL_GPL(hv_guests_put);

/* Who holds hv_guests_get() keeps the handle and the backend as they are. */
long hv_guest_call(enum hv_call number, u64 first, u64 second, u64 third, u64 fourth)
{
	const u64 argument[] = { first, second, third, fourth };

	return hv.backend->hypercall(number, hv.handle, argument);
}
EXPORT_SYMBOL_GPL(hv_guest_call);

int hv_guest_donate(void)
{
	int error;

	mutex_lock(&hv.lock);
	error = hv_hoisted() ? hv_donate() : -ENXIO;
	mutex_unlock(&hv.lock);
	return error;
}
EXPORT_SYMBOL_GPL(hv_guest_donate);

static struct hv_exchange_block *share_block(void)
{
	struct hv_exchange_block *block = kzalloc(sizeof(*block), GFP_KERNEL);
	long error;

	if (!block)
		return NULL;
	block->address = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, HV_BLOCK_ORDER);
	if (!block->address)
		goto free_block;
	for (;;) {
		error = hv_guest_call(HV_CALL_SHARE, __pa(block->address), 1u << HV_BLOCK_ORDER,
				      0, 0);
		if (error != -ENOMEM || hv_donate())
			break;
	}
	if (error)
		goto free_pages;
	list_add(&block->list, &hv.exchange_blocks);
	return block;

free_pages:
	free_pages((unsigned long)block->address, HV_BLOCK_ORDER);
free_block:
	kfree(block);
	return NULL;
}

static void *take_area(struct hv_exchange_block *block)
{
	unsigned int area = find_first_zero_bit(block->used, HV_BLOCK_AREAS);
	void *at = block->address + area * HV_EXCHANGE_PAGES * PAGE_SIZE;

	if (area == HV_BLOCK_AREAS)
		return NULL;
	__set_bit(area, block->used);
	memset(at, 0, HV_EXCHANGE_PAGES * PAGE_SIZE);
	return at;
}

void *hv_exchange_alloc(void)
{
	struct hv_exchange_block *block;
	void *area = NULL;

	mutex_lock(&hv.lock);
	list_for_each_entry(block, &hv.exchange_blocks, list) {
		area = take_area(block);
		if (area)
			break;
	}
	if (!area && hv_hoisted()) {
		block = share_block();
		area = block ? take_area(block) : NULL;
	}
	mutex_unlock(&hv.lock);
	return area;
}
EXPORT_SYMBOL_GPL(hv_exchange_alloc);

void hv_exchange_free(void *exchange)
{
	struct hv_exchange_block *block;

	mutex_lock(&hv.lock);
	list_for_each_entry(block, &hv.exchange_blocks, list) {
		unsigned long offset = exchange - block->address;

		if (offset < PAGE_SIZE << HV_BLOCK_ORDER)
			__clear_bit(offset / (HV_EXCHANGE_PAGES * PAGE_SIZE), block->used);
	}
	mutex_unlock(&hv.lock);
}
EXPORT_SYMBOL_GPL(hv_exchange_free);

const char *hv_guest_backend(void)
{
	return hv.backend->name;
}
EXPORT_SYMBOL_GPL(hv_guest_backend);

u64 hv_exchange_bytes(void)
{
	struct hv_exchange_block *block;
	u64 bytes = 0;

	list_for_each_entry(block, &hv.exchange_blocks, list)
		bytes += PAGE_SIZE << HV_BLOCK_ORDER;
	return bytes;
}

/* After the last CPU has left the core. */
void hv_exchange_forget(void)
{
	struct hv_exchange_block *block, *next;

	list_for_each_entry_safe(block, next, &hv.exchange_blocks, list) {
		list_del(&block->list);
		memset(block->address, 0, PAGE_SIZE << HV_BLOCK_ORDER);
		barrier_data(block->address);
		free_pages((unsigned long)block->address, HV_BLOCK_ORDER);
		kfree(block);
	}
}
