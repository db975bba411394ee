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

/*
 * Exchange areas are shared in blocks, because the core can note only so many: small ones first,
 * so that a single VM takes little.
 */
#define LEAST_ORDER 2u
#define MOST_ORDER 5u
#define MOST_AREAS ((1u << MOST_ORDER) / HV_EXCHANGE_PAGES)

struct hv_exchange_block {
	struct list_head list;
	void *address;
	unsigned int order;
	DECLARE_BITMAP(used, MOST_AREAS);
};

static size_t block_bytes(const struct hv_exchange_block *block)
{
	return PAGE_SIZE << block->order;
}

static unsigned int block_areas(const struct hv_exchange_block *block)
{
	return (1u << block->order) / HV_EXCHANGE_PAGES;
}

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

static void free_block(struct hv_exchange_block *block)
{
	list_del(&block->list);
	memset(block->address, 0, block_bytes(block));
	barrier_data(block->address);
	free_pages((unsigned long)block->address, block->order);
	kfree(block);
}

static void take_back_blocks(void)
{
	struct hv_exchange_block *block, *next;

	list_for_each_entry_safe(block, next, &hv.exchange_blocks, list)
		if (bitmap_empty(block->used, MOST_AREAS) &&
		    !hv_hypercall(HV_CALL_RECLAIM, __pa(block->address), 0))
			free_block(block);
}

/* What only that guest needed goes back to Linux. */
void hv_guests_put(void)
{
	mutex_lock(&hv.lock);
	hv.guests--;
	take_back_blocks();
	hv_take_back(UINT_MAX);
	mutex_unlock(&hv.lock);
}
EXPORT_SYMBOL_GPL(hv_guests_put);

/* The core forgets it when Linux is unhoisted. With the lock held. */
void hv_guests_tell_offer(void)
{
	if (hv_hoisted() && hv_hypercall(HV_CALL_OFFER, hv.offers_guests, 0))
		WARN_ONCE(1, "hv: the core knows no HV_CALL_OFFER\n");
}

void hv_guests_offer(bool offered)
{
	mutex_lock(&hv.lock);
	hv.offers_guests = offered;
	hv_guests_tell_offer();
	mutex_unlock(&hv.lock);
}
EXPORT_SYMBOL_GPL(hv_guests_offer);

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
	block->order = min(LEAST_ORDER + hv_list_length(&hv.exchange_blocks), MOST_ORDER);
	block->address = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, block->order);
	if (!block->address)
		goto free_block;
	for (;;) {
		error = hv_guest_call(HV_CALL_SHARE, __pa(block->address), 1u << block->order,
				      0, 0);
		if (error != -ENOMEM || hv_donate())
			break;
	}
	if (error)
		goto free_pages;
	list_add(&block->list, &hv.exchange_blocks);
	return block;

free_pages:
	free_pages((unsigned long)block->address, block->order);
free_block:
	kfree(block);
	return NULL;
}

static void *take_area(struct hv_exchange_block *block)
{
	unsigned int area = find_first_zero_bit(block->used, block_areas(block));
	void *at = block->address + area * HV_EXCHANGE_PAGES * PAGE_SIZE;

	if (area >= block_areas(block))
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

		if (offset < block_bytes(block))
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
		bytes += block_bytes(block);
	return bytes;
}

/* After the last CPU has left the core. */
void hv_exchange_forget(void)
{
	struct hv_exchange_block *block, *next;

	list_for_each_entry_safe(block, next, &hv.exchange_blocks, list)
		free_block(block);
}
