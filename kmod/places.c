// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Where memory of Linux lies: linear addresses of the kernel as physical pages. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include <asm/pgtable.h>

#include "hv.h"

int hv_ranges_add(struct hv_ranges *ranges, u64 first, u64 bytes)
{
	struct hv_range *next = &ranges->range[ranges->count];

	if (ranges->count && next[-1].last + 1 == first) {
		next[-1].last += bytes;
		return 0;
	}
	if (ranges->count == HV_MAX_RANGES)
		return hv_refuse(-E2BIG,
			"it lies in more than %u separate pieces of physical memory: ask for less",
			HV_MAX_RANGES);
	*next = (struct hv_range){ first, first + bytes - 1 };
	ranges->count++;
	return 0;
}

/* The mapping that ADDRESS lies in: where it starts physically, and its length; 0: none. */
static unsigned long mapping_of(unsigned long address, u64 *base)
{
	unsigned int level;
	pte_t *entry = lookup_address(address, &level);

	/* pmd_present() takes a huge page without the bit for present, too. */
	if (!entry || !(pte_flags(*entry) & _PAGE_PRESENT))
		return 0;
	switch (level) {
	case PG_LEVEL_4K:
		*base = PFN_PHYS(pte_pfn(*entry));
		return PAGE_SIZE;
	case PG_LEVEL_2M:
		*base = PFN_PHYS(pmd_pfn(*(pmd_t *)entry));
		return PMD_SIZE;
	case PG_LEVEL_1G:
		*base = PFN_PHYS(pud_pfn(*(pud_t *)entry));
		return PUD_SIZE;
	}
	return 0;
}

int hv_ranges_add_linear(struct hv_ranges *ranges, unsigned long first, unsigned long bytes)
{
	while (bytes) {
		u64 base;
		unsigned long size = mapping_of(first, &base), skip, part;
		int error;

		if (!size)
			return hv_refuse(-EFAULT, "there is no page at 0x%lx", first);
		skip = first & (size - 1);
		part = min(bytes, size - skip);
		error = hv_ranges_add(ranges, base + skip, part);
		if (error)
			return error;
		first += part;
		bytes -= part;
	}
	return 0;
}

static int place_linear(struct hv_ranges *ranges, struct genl_info *info)
{
	u64 first, bytes;

	if (!info->attrs[HV_ATTR_FIRST] || !info->attrs[HV_ATTR_BYTES])
		return hv_refuse(-EINVAL, "linear addresses need a first one and bytes");
	first = nla_get_u64(info->attrs[HV_ATTR_FIRST]);
	bytes = nla_get_u64(info->attrs[HV_ATTR_BYTES]);
	if (!bytes || !PAGE_ALIGNED(first) || !PAGE_ALIGNED(bytes))
		return hv_refuse(-EINVAL, "0x%llx and 0x%llx bytes are not whole pages", first,
				 bytes);
	if (bytes > HV_MAX_PLACE_BYTES)
		return hv_refuse(-E2BIG, "0x%llx bytes are more than %u MiB", bytes,
				 HV_MAX_PLACE_BYTES >> 20);
	/* 0: up to the last address there is. */
	if (first < ~(u64)__VIRTUAL_MASK || (first + bytes && first + bytes < first))
		return hv_refuse(-EINVAL, "0x%llx is no address of the kernel's half", first);
	if (first < MODULES_END && first + bytes > MODULES_VADDR)
		return hv_refuse(-EINVAL,
			"0x%llx is a module's or BPF's, and given back with it: name the module",
			first);
	return hv_ranges_add_linear(ranges, first, bytes);
}

static int find_place(struct hv_ranges *ranges, struct genl_info *info, u64 *stamp)
{
	struct nlattr *name = info->attrs[HV_ATTR_MODULE];
	u32 place = nla_get_u32(info->attrs[HV_ATTR_PLACE]);

	switch (place) {
	case HV_PLACE_LINEAR:
		return place_linear(ranges, info);
	case HV_PLACE_IMAGE_TABLES:
		return hv_place_image_tables(ranges);
	case HV_PLACE_GDT:
		return hv_place_gdts(ranges);
	case HV_PLACE_MODULE_TEXT:
	case HV_PLACE_MODULE_RODATA:
	case HV_PLACE_MODULE_RO_AFTER_INIT:
		if (!name)
			return hv_refuse(-EINVAL, "which module's memory is not said");
		return hv_place_module(ranges, place, nla_data(name), stamp);
	}
	return hv_refuse(-EINVAL, "no kind of place has the number %u", place);
}

static int send_answer(struct genl_info *info, const struct hv_ranges *ranges, u64 stamp)
{
	size_t bytes = ranges->count * sizeof(ranges->range[0]);
	struct sk_buff *reply;
	void *header;

	reply = hv_netlink_reply(info, nla_total_size(bytes) + nla_total_size_64bit(sizeof(u64)),
				 &header);
	if (!reply)
		return hv_refuse(-ENOMEM, "no memory for the answer: free some");
	if (nla_put(reply, HV_ATTR_RANGES, bytes, ranges->range) ||
	    (stamp && nla_put_u64_64bit(reply, HV_ATTR_STAMP, stamp, HV_ATTR_PAD))) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	return hv_netlink_send(info, reply, header);
}

int hv_do_place(struct sk_buff *request, struct genl_info *info)
{
	struct hv_ranges ranges = {};
	u64 stamp = 0;
	int error;

	if (!info->attrs[HV_ATTR_PLACE])
		return hv_refuse(-EINVAL, "which place is not said");
	ranges.range = kvmalloc_array(HV_MAX_RANGES, sizeof(*ranges.range), GFP_KERNEL);
	if (!ranges.range)
		return hv_refuse(-ENOMEM, "no memory for the answer: free some");
	error = find_place(&ranges, info, &stamp);
	if (!error)
		error = send_answer(info, &ranges, stamp);
	kvfree(ranges.range);
	return error;
}
