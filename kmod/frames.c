// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The frames donated to the core: taken in as few pieces as can be had, mapped one after the other
 * in the core's own page tables.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/elf.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/string.h>

#include "hv.h"

#define HV_CHUNK_MOST_ORDER 9u /* 2 MiB: one large leaf of the second stage */
#define HV_CHUNK_LEAST_ORDER 4u
#define HV_TABLE_ENTRIES 512ul
#define HV_TABLE_RIGHTS (_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED)
#define HV_UPPER_TABLES 3 /* PML4, page directory pointers, page directory */

void *hv_frame(const struct hv_frames *frames, unsigned long index)
{
	unsigned int i;

	for (i = 0; i < frames->chunks; i++) {
		if (index < frames->chunk[i].pages)
			return frames->chunk[i].address + index * PAGE_SIZE;
		index -= frames->chunk[i].pages;
	}
	return NULL;
}

static void lay_out(struct hv_frames *frames, const struct hv_image_header *header,
		    unsigned int cpus)
{
	unsigned long rings = (unsigned long)cpus * header->shared_cpu_pages;
	unsigned long shared = 1 + HV_MAILBOX_PAGES + rings;
	unsigned long tables = HV_UPPER_TABLES;
	unsigned long need;

	frames->first_table = header->image_pages + header->pool_pages +
			      (unsigned long)cpus * header->cpu_pages;
	for (;;) {
		frames->pages = frames->first_table + tables + shared;
		need = HV_UPPER_TABLES + DIV_ROUND_UP(frames->pages + HV_SPARE_PAGES,
						      HV_TABLE_ENTRIES);
		if (need <= tables)
			break;
		tables = need;
	}
	frames->table_pages = tables;
	frames->first_shared = frames->first_table + tables;
	frames->shared_cpu_pages = header->shared_cpu_pages;
}

/*
 * Powers of two, the largest first. Not below 64 KiB while memory allows: such blocks come from
 * and go back to the page allocator itself, not to a CPU's stock of small ones.
 */
static unsigned int chunk_order(unsigned long left, unsigned int most)
{
	return min_t(unsigned int, ilog2(round_up(left, 1ul << HV_CHUNK_LEAST_ORDER)), most);
}

static int take_chunks(struct hv_frames *frames)
{
	unsigned int most = HV_CHUNK_MOST_ORDER;
	unsigned long left = frames->pages;

	while (left) {
		struct hv_frames_chunk *chunk = &frames->chunk[frames->chunks];
		unsigned int order = chunk_order(left, most);

		if (frames->chunks == HV_MAX_CHUNKS)
			return -ENOMEM;
		chunk->address = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN |
							  __GFP_NORETRY, order);
		if (!chunk->address) {
			if (!order)
				return -ENOMEM;
			most = order - 1;
			continue;
		}
		chunk->order = order;
		chunk->pages = min(left, 1ul << order);
		frames->chunks++;
		frames->taken += 1ul << order;
		left -= chunk->pages;
	}
	return 0;
}

int hv_frames_alloc(struct hv_frames *frames, const struct hv_image_header *header,
		    unsigned int cpus)
{
	unsigned long pages;
	int error;

	memset(frames, 0, sizeof(*frames));
	lay_out(frames, header, cpus);
	if (frames->pages + HV_SPARE_PAGES > HV_TABLE_ENTRIES * HV_TABLE_ENTRIES)
		return hv_fail(-E2BIG, "the core does not fit 1 GiB with %u CPUs", cpus);
	error = take_chunks(frames);
	if (error) {
		pages = frames->pages;
		hv_frames_free(frames);
		return hv_fail(error, "%lu KiB for the core are not to be had: free some memory",
			       pages << (PAGE_SHIFT - 10));
	}
	return 0;
}

/* Zeroed first: whatever the core or its guests knew is gone before Linux gets a frame back. */
void hv_frames_free(struct hv_frames *frames)
{
	unsigned int i;

	for (i = 0; i < frames->chunks; i++) {
		const struct hv_frames_chunk *chunk = &frames->chunk[i];

		memset(chunk->address, 0, chunk->pages * PAGE_SIZE);
		barrier_data(chunk->address);
		free_pages((unsigned long)chunk->address, chunk->order);
	}
	memset(frames, 0, sizeof(*frames));
}

static u64 leaf_rights(const struct hv_image *image, unsigned long page)
{
	u8 rights = PF_R | PF_W;

	if (page < image->header.image_pages && image->rights[page])
		rights = image->rights[page];
	return _PAGE_PRESENT | _PAGE_ACCESSED | (rights & PF_W ? _PAGE_RW | _PAGE_DIRTY : 0) |
	       (rights & PF_X ? 0 : _PAGE_NX);
}

static u64 *table_at(const struct hv_frames *frames, unsigned long index)
{
	return hv_frame(frames, frames->first_table + index);
}

/* The only entry of the core's PML4: what a table that maps the core too has in this place. */
u64 hv_frames_root_entry(const struct hv_frames *frames)
{
	return __pa(table_at(frames, 1)) | HV_TABLE_RIGHTS;
}

void hv_frames_map(const struct hv_frames *frames, const struct hv_image *image)
{
	u64 *pml4 = table_at(frames, 0), *pointers = table_at(frames, 1);
	u64 *directory = table_at(frames, 2);
	unsigned long i;

	BUILD_BUG_ON(HV_CORE_BASE != 1u << PUD_SHIFT);
	pml4[0] = hv_frames_root_entry(frames);
	pointers[HV_CORE_BASE >> PUD_SHIFT] = __pa(directory) | HV_TABLE_RIGHTS;
	for (i = 0; i < frames->table_pages - HV_UPPER_TABLES; i++)
		directory[i] = __pa(table_at(frames, HV_UPPER_TABLES + i)) | HV_TABLE_RIGHTS;
	for (i = 0; i < frames->pages; i++) {
		u64 *table = table_at(frames, HV_UPPER_TABLES + i / HV_TABLE_ENTRIES);

		table[i % HV_TABLE_ENTRIES] = __pa(hv_frame(frames, i)) | leaf_rights(image, i);
	}
}

/* Page `page` of ring `ring`'s shared area; page 0 is struct hv_cpu_shared, records follow. */
static void *ring_page(unsigned int ring, unsigned long page)
{
	return hv_frame(&hv.frames, hv.frames.first_shared + 1 + HV_MAILBOX_PAGES +
			(unsigned long)ring * hv.frames.shared_cpu_pages + page);
}

struct hv_cpu_shared *hv_ring_shared(unsigned int ring)
{
	return ring_page(ring, 0);
}

void hv_ring_read(unsigned int ring, u64 sequence, struct hv_record *record)
{
	unsigned long at = sequence % HV_RING_RECORDS * sizeof(*record);

	memcpy(record, ring_page(ring, 1 + (at >> PAGE_SHIFT)) + offset_in_page(at),
	       sizeof(*record));
}

static void *mailbox_at(size_t offset)
{
	return hv_frame(&hv.frames, hv.frames.first_shared + 1 + (offset >> PAGE_SHIFT)) +
	       offset_in_page(offset);
}

void hv_mailbox_read(void *to, size_t bytes)
{
	size_t done, part;

	for (done = 0; done < bytes; done += part) {
		part = min_t(size_t, bytes - done, PAGE_SIZE);
		memcpy(to + done, mailbox_at(done), part);
	}
}

void hv_mailbox_write(size_t offset, const void *from, size_t bytes)
{
	size_t done, part;

	for (done = 0; done < bytes; done += part) {
		part = min_t(size_t, bytes - done, PAGE_SIZE - offset_in_page(offset + done));
		memcpy(mailbox_at(offset + done), from + done, part);
	}
}
