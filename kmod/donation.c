// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Frames that the core needs while it runs, for tables of rules and of guests, and gives back. */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "hv.h"

#define LEAST_ORDER 5u
#define MOST_ORDER 9u	/* HV_CALL_DONATE takes no more */
#define SAME_ORDER 8u

u64 hv_donated_bytes(void)
{
	const struct hv_donation *donation;
	u64 bytes = 0;

	list_for_each_entry(donation, &hv.donations, list)
		bytes += PAGE_SIZE << donation->order;
	return bytes;
}

static void free_donation(struct hv_donation *donation)
{
	memset(donation->address, 0, PAGE_SIZE << donation->order);
	barrier_data(donation->address);
	free_pages((unsigned long)donation->address, donation->order);
	kfree(donation);
}

/* After the last CPU has left the core. */
void hv_donations_free(void)
{
	struct hv_donation *donation, *next;

	list_for_each_entry_safe(donation, next, &hv.donations, list) {
		list_del(&donation->list);
		free_donation(donation);
	}
}

/* The core can note only so many pieces: the more it has, the larger the next one. */
static unsigned int next_order(void)
{
	unsigned int pieces = hv_list_length(&hv.donations);

	return min(LEAST_ORDER + pieces / SAME_ORDER, MOST_ORDER);
}

static struct hv_donation *get_frames(void)
{
	struct hv_donation *donation = kzalloc(sizeof(*donation), GFP_KERNEL);
	unsigned int order;

	if (!donation)
		return NULL;
	for (order = next_order(); order >= LEAST_ORDER; order--) {
		donation->order = order;
		donation->address = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO |
							     __GFP_NOWARN, order);
		if (donation->address)
			return donation;
	}
	kfree(donation);
	return NULL;
}

int hv_donate(void)
{
	struct hv_donation *donation = get_frames();
	long error;

	if (!donation)
		return -ENOMEM;
	error = hv_hypercall(HV_CALL_DONATE, __pa(donation->address), 1ul << donation->order);
	if (error) {
		free_donation(donation);
		return error;
	}
	list_add(&donation->list, &hv.donations);
	return 0;
}

/* Up to `count` of the newest donations, but for those of which the core uses a page. */
void hv_take_back(unsigned int count)
{
	struct hv_donation *donation, *next;

	list_for_each_entry_safe(donation, next, &hv.donations, list) {
		if (!count--)
			break;
		if (hv_hypercall(HV_CALL_RECLAIM, __pa(donation->address), 0))
			continue;
		list_del(&donation->list);
		free_donation(donation);
	}
}
