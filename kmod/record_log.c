// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Records in the core's rings, and those that outlive them. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "hv.h"
#include "record_log.h"

#define HV_KEPT_BYTES (64ul << 10)

LIST_HEAD(hv_record_logs);

struct hv_record_log *hv_record_log_open(u64 session, unsigned int rings)
{
	struct hv_record_log *log = kzalloc(struct_size(log, ring, rings), GFP_KERNEL);

	if (!log)
		return NULL;
	log->session = session;
	log->rings = rings;
	log->live = true;
	list_add_tail(&log->list, &hv_record_logs);
	return log;
}

void hv_record_log_free(struct hv_record_log *log)
{
	unsigned int ring;

	for (ring = 0; ring < log->rings; ring++)
		kvfree(log->ring[ring].kept);
	list_del(&log->list);
	kfree(log);
}

/* What the core has written by now; nothing from a ring whose indices make no sense. */
void hv_record_log_refresh(struct hv_record_log *log)
{
	unsigned int ring;

	for (ring = 0; log->live && ring < log->rings; ring++) {
		const struct hv_cpu_shared *shared = hv_ring_shared(ring);
		struct hv_ring_cursor *cursor = &log->ring[ring];
		u64 tail = READ_ONCE(shared->tail);
		/* Pairs with the core's release: records before head are whole. */
		u64 head = smp_load_acquire(&shared->head);

		cursor->dropped = READ_ONCE(shared->dropped);
		if (head < tail || head - tail > HV_RING_RECORDS)
			continue;
		cursor->tail = tail;
		cursor->head = head;
		cursor->sent = clamp(cursor->sent, tail, head);
	}
}

void hv_record_log_rewind(struct hv_record_log *log)
{
	unsigned int ring;

	for (ring = 0; ring < log->rings; ring++) {
		log->ring[ring].sent = log->ring[ring].tail;
		log->ring[ring].dropped_sent = 0;
	}
}

bool hv_record_log_done(const struct hv_record_log *log)
{
	unsigned int ring;

	for (ring = 0; ring < log->rings; ring++) {
		const struct hv_ring_cursor *cursor = &log->ring[ring];

		if (cursor->tail != cursor->head || cursor->dropped != cursor->dropped_sent)
			return false;
	}
	return true;
}

struct hv_record_log *hv_record_log_find(u64 session)
{
	struct hv_record_log *log;

	list_for_each_entry(log, &hv_record_logs, list)
		if (log->session == session)
			return log;
	return NULL;
}

void hv_record_log_read(const struct hv_record_log *log, unsigned int ring, u64 sequence,
			struct hv_record *record, struct hv_process *process)
{
	const struct hv_ring_cursor *cursor = &log->ring[ring];

	if (log->live) {
		hv_ring_read(ring, sequence, record);
		hv_process_of(ring, record, process);
	} else {
		*record = cursor->kept[sequence - cursor->kept_from].record;
		*process = cursor->kept[sequence - cursor->kept_from].process;
	}
}

static size_t kept_bytes(const struct hv_record_log *log)
{
	size_t bytes = 0;
	unsigned int ring;

	for (ring = 0; ring < log->rings; ring++)
		if (log->ring[ring].kept)
			bytes += (log->ring[ring].head - log->ring[ring].kept_from) *
				 sizeof(struct hv_kept_record);
	return bytes;
}

/* Old sessions that no reader asked for make room for this one. */
static void limit_kept(const struct hv_record_log *newest)
{
	struct hv_record_log *log, *next;
	size_t bytes = 0;

	list_for_each_entry(log, &hv_record_logs, list)
		bytes += kept_bytes(log);
	list_for_each_entry_safe(log, next, &hv_record_logs, list) {
		if (bytes <= HV_KEPT_BYTES || log == newest)
			break;
		pr_info("no reader took the records of session 0x%llx: dropped\n", log->session);
		bytes -= kept_bytes(log);
		hv_record_log_free(log);
	}
}

static void keep_ring(struct hv_record_log *log, unsigned int ring)
{
	struct hv_ring_cursor *cursor = &log->ring[ring];
	u64 count = cursor->head - cursor->tail;
	struct hv_kept_record *kept;
	u64 i;

	if (!count)
		return;
	kept = kvmalloc_array(count, sizeof(*kept), GFP_KERNEL);
	if (!kept) {
		pr_warn("no memory to keep %llu records of ring %u: dropped\n", count, ring);
		cursor->dropped += count;
		cursor->tail = cursor->head;
		cursor->sent = cursor->head;
		return;
	}
	for (i = 0; i < count; i++)
		hv_record_log_read(log, ring, cursor->tail + i, &kept[i].record, &kept[i].process);
	cursor->kept = kept;
	cursor->kept_from = cursor->tail;
}

/* All CPUs have left the core, its rings still exist: for the last time. */
void hv_record_log_keep(struct hv_record_log *log)
{
	unsigned int ring;

	hv_record_log_refresh(log);
	for (ring = 0; ring < log->rings; ring++)
		keep_ring(log, ring);
	log->live = false;
	if (hv_record_log_done(log))
		hv_record_log_free(log);
	else
		limit_kept(log);
}
