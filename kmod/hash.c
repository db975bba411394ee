// SPDX-License-Identifier: GPL-2.0 OR MIT
/* SHA-256 of physical pages, as Linux reads them. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <net/genetlink.h>
#include <asm/asm.h>
#include <crypto/sha2.h>

#include "hv.h"

/* A page may be the core's, or missing from the direct map. */
static bool read_page(void *to, u64 physical)
{
	const void *from = __va(physical);
	unsigned long words = PAGE_SIZE / sizeof(u64);

	asm volatile("1:	rep movsq\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : "+S" (from), "+D" (to), "+c" (words)
		     :
		     : "memory");
	return !words;
}

static int check_ranges(const struct hv_range *range, unsigned int count)
{
	u64 bytes = 0;
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (!PAGE_ALIGNED(range[i].first) || !PAGE_ALIGNED(range[i].last + 1) ||
		    range[i].last < range[i].first)
			return hv_refuse(-EINVAL, "0x%llx..0x%llx is not of whole pages",
					 range[i].first, range[i].last);
		if (range[i].last - range[i].first >= HV_MAX_PLACE_BYTES - bytes)
			return hv_refuse(-E2BIG, "a sum is of at most %u MiB",
					 HV_MAX_PLACE_BYTES >> 20);
		bytes += range[i].last - range[i].first + 1;
	}
	return bytes ? 0 : hv_refuse(-EINVAL, "a sum of nothing was asked for");
}

static int sum_pages(struct sha256_state *state, const struct hv_range *range, void *page)
{
	u64 at;

	for (at = range->first; at < range->last; at += PAGE_SIZE) {
		if (!page_is_ram(PHYS_PFN(at)) || !pfn_valid(PHYS_PFN(at)))
			return hv_refuse(-EFAULT, "0x%llx is no RAM of Linux", at);
		if (!read_page(page, at))
			return hv_refuse(-EFAULT, "Linux cannot read its page 0x%llx", at);
		sha256_update(state, page, PAGE_SIZE);
		cond_resched();
	}
	return 0;
}

static int sum_up(const struct hv_range *range, unsigned int count, u8 *sum)
{
	void *page = (void *)__get_free_page(GFP_KERNEL);
	struct sha256_state state;
	unsigned int i;
	int error = 0;

	if (!page)
		return hv_refuse(-ENOMEM, "no memory for a page: free some");
	sha256_init(&state);
	for (i = 0; i < count && !error; i++)
		error = sum_pages(&state, &range[i], page);
	sha256_final(&state, sum);
	free_page((unsigned long)page);
	return error;
}

int hv_do_hash(struct sk_buff *request, struct genl_info *info)
{
	struct nlattr *ranges = info->attrs[HV_ATTR_RANGES];
	u8 sum[SHA256_DIGEST_SIZE];
	struct sk_buff *reply;
	unsigned int count;
	void *header;
	int error;

	if (!ranges || nla_len(ranges) % sizeof(struct hv_range))
		return hv_refuse(-EINVAL, "of which ranges is not said, or not in whole ones");
	count = nla_len(ranges) / sizeof(struct hv_range);
	error = check_ranges(nla_data(ranges), count);
	if (!error)
		error = sum_up(nla_data(ranges), count, sum);
	if (error)
		return error;
	reply = hv_netlink_reply(info, nla_total_size(sizeof(sum)), &header);
	if (!reply)
		return hv_refuse(-ENOMEM, "no memory for the answer: free some");
	if (nla_put(reply, HV_ATTR_SHA256, sizeof(sum), sum)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	return hv_netlink_send(info, reply, header);
}
