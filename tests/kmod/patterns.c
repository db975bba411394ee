// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Looks through all of RAM for a run of bytes. */
#include <linux/io.h>
#include <linux/mm.h>

#include "hv_test.h"

#define STEP 64u /* bytes; what is looked for starts at a multiple of it */

/* The words are kept xored with a key, so that no copy of them on the way here is found. */
struct pattern {
	u64 key;
	const u64 *words;
	unsigned int count;
	u64 pages, unreadable, found;
};

static bool matches(const u64 *at, const struct pattern *p)
{
	unsigned int i;

	for (i = 0; i < p->count; i++)
		if ((READ_ONCE(at[i]) ^ p->key) != p->words[i])
			return false;
	return true;
}

static int look(u64 page, void *data)
{
	struct pattern *p = data;
	u8 *bytes = __va(page);
	unsigned int at;

	p->pages++;
	if (HV_FAULT_OF("testb $1, %1", "m" (*bytes))) {
		p->unreadable++;
		return 0;
	}
	for (at = 0; at < PAGE_SIZE; at += STEP) {
		if (!matches((u64 *)(bytes + at), p))
			continue;
		if (!p->found++)
			hv_tell("first 0x%llx\n", page + at);
	}
	return 0;
}

int hv_test_find(const u64 *argument, unsigned int count)
{
	struct pattern p = { argument[0], argument + 1, count - 1 };
	int error = hv_test_each_ram_page(look, &p);

	hv_tell("pages %llu\nunreadable %llu\nfound %llu\n", p.pages, p.unreadable, p.found);
	return error;
}
