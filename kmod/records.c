// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Records to the group "events", in batches; their slots are the core's again once the reader has
 * acknowledged them. A batch that did not reach every listener is sent again later.
 */
#include <linux/jiffies.h>
#include <linux/kallsyms.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>

#include "hv.h"
#include "record_log.h"

#define HV_BATCH_RECORDS 64u
#define HV_INTERVAL msecs_to_jiffies(100)

static void send_all(struct work_struct *work);
static DECLARE_DELAYED_WORK(sender, send_all);

/* What Linux calls the instruction, to `at`, which has HV_SYMBOL_BYTES. The bytes of it. */
static unsigned int put_symbol(char *at, u64 rip)
{
	char name[KSYM_SYMBOL_LEN] = "";

	/* Addresses without a name come back as numbers. */
	if ((s64)rip < 0)
		sprint_symbol(name, rip);
	if (name[0] == '0')
		name[0] = 0;
	return strscpy(at, name, HV_SYMBOL_BYTES) < 0 ? HV_SYMBOL_BYTES : strlen(name) + 1;
}

static int put_symbols(struct sk_buff *event, const struct hv_record *records, unsigned int count)
{
	char *names = kmalloc_array(count, HV_SYMBOL_BYTES, GFP_KERNEL);
	unsigned int i, bytes = 0;
	int error;

	if (!names)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		bytes += put_symbol(names + bytes, records[i].rip);
	error = nla_put(event, HV_ATTR_SYMBOLS, bytes, names);
	kfree(names);
	return error;
}

/* The first records of the ring that are not sent yet, each with its process. */
static int put_records(struct sk_buff *event, const struct hv_record_log *log, unsigned int ring,
		       unsigned int count)
{
	u64 first = log->ring[ring].sent;
	struct nlattr *records = nla_reserve(event, HV_ATTR_RECORDS,
					     count * sizeof(struct hv_record));
	struct nlattr *processes = nla_reserve(event, HV_ATTR_PROCESSES,
					       count * sizeof(struct hv_process));
	unsigned int i;

	if (!records || !processes)
		return -EMSGSIZE;
	for (i = 0; i < count; i++)
		hv_record_log_read(log, ring, first + i,
				   (struct hv_record *)nla_data(records) + i,
				   (struct hv_process *)nla_data(processes) + i);
	return put_symbols(event, nla_data(records), count);
}

/* On failure *event is freed. */
static int fill_event(struct sk_buff *event, const struct hv_record_log *log, unsigned int ring,
		      unsigned int count)
{
	const struct hv_ring_cursor *cursor = &log->ring[ring];
	int error = -EMSGSIZE;

	if (nla_put_u32(event, HV_ATTR_RING, ring) ||
	    nla_put_u64_64bit(event, HV_ATTR_DROPPED, cursor->dropped, HV_ATTR_PAD) ||
	    nla_put_u64_64bit(event, HV_ATTR_SESSION, log->session, HV_ATTR_PAD) ||
	    nla_put_u64_64bit(event, HV_ATTR_SEQUENCE, cursor->tail, HV_ATTR_PAD))
		goto failed;
	error = put_records(event, log, ring, count);
	if (!error)
		return 0;

failed:
	nlmsg_free(event);
	return error;
}

static int send_batch(struct hv_record_log *log, unsigned int ring)
{
	struct hv_ring_cursor *cursor = &log->ring[ring];
	unsigned int count = min_t(u64, cursor->head - cursor->sent, HV_BATCH_RECORDS);
	size_t bytes = 4 * nla_total_size_64bit(sizeof(u64)) +
		       nla_total_size(count * sizeof(struct hv_record)) +
		       nla_total_size(count * sizeof(struct hv_process)) +
		       nla_total_size(count * HV_SYMBOL_BYTES);
	void *header;
	struct sk_buff *event = hv_netlink_event(HV_CMD_RECORDS, bytes, &header);
	int error;

	if (!event)
		return -ENOMEM;
	error = fill_event(event, log, ring, count);
	if (!error)
		error = hv_netlink_multicast(event, header);
	if (!error) {
		cursor->sent += count;
		cursor->dropped_sent = cursor->dropped;
	}
	return error;
}

/* Of each record that goes out now it is known whose it is. */
static void settle(const struct hv_record_log *log)
{
	unsigned int ring;

	for (ring = 0; log->live && ring < log->rings; ring++)
		if (log->ring[ring].sent != log->ring[ring].head)
			hv_processes_settle(ring);
}

static int send_log(struct hv_record_log *log)
{
	unsigned int ring;
	int error = 0;

	hv_record_log_refresh(log);
	settle(log);
	for (ring = 0; ring < log->rings; ring++) {
		const struct hv_ring_cursor *cursor = &log->ring[ring];

		while (!error && (cursor->sent != cursor->head ||
				  cursor->dropped != cursor->dropped_sent))
			error = send_batch(log, ring);
	}
	return error;
}

static void send_all(struct work_struct *work)
{
	struct hv_record_log *log, *next;
	bool again = false;

	mutex_lock(&hv.lock);
	if (hv_netlink_has_listeners()) {
		list_for_each_entry_safe(log, next, &hv_record_logs, list) {
			again |= send_log(log) || log->live;
			if (!log->live && hv_record_log_done(log))
				hv_record_log_free(log);
		}
	}
	mutex_unlock(&hv.lock);
	if (again)
		schedule_delayed_work(&sender, HV_INTERVAL);
}

/* Sending costs nothing while nobody listens; a reader that attaches sets it going again. */
void hv_records_schedule(void)
{
	mod_delayed_work(system_wq, &sender, 0);
}

int hv_records_open(void)
{
	struct hv_record_log *log = hv_record_log_open(hv.session, hv.cpus);
	int error = log ? hv_processes_open() : -ENOMEM;

	if (!error)
		return 0;
	if (log)
		hv_record_log_free(log);
	return hv_fail(error, "no memory for the records: free some");
}

/* The session is over: keep what the reader has not got, or forget a launch that failed. */
void hv_records_close(bool keep)
{
	struct hv_record_log *log, *next;

	list_for_each_entry_safe(log, next, &hv_record_logs, list) {
		if (!log->live)
			continue;
		if (keep)
			hv_record_log_keep(log);
		else
			hv_record_log_free(log);
		hv_processes_close();
	}
}

int hv_records_init(void)
{
	return hv_processes_register();
}

void hv_records_exit(void)
{
	struct hv_record_log *log, *next;

	cancel_delayed_work_sync(&sender);
	hv_processes_unregister();
	list_for_each_entry_safe(log, next, &hv_record_logs, list)
		hv_record_log_free(log);
}

int hv_do_records_attach(struct sk_buff *request, struct genl_info *info)
{
	struct hv_record_log *log;

	list_for_each_entry(log, &hv_record_logs, list) {
		hv_record_log_refresh(log);
		hv_record_log_rewind(log);
	}
	hv_records_schedule();
	return 0;
}

static int release_live(struct hv_record_log *log, unsigned int ring, u64 sequence)
{
	struct hv_ring_cursor *cursor = &log->ring[ring];
	long error = hv_hypercall(HV_CALL_RECORDS_RELEASE, ring, sequence);

	if (error)
		return hv_fail(error, "the core did not release ring %u up to %llu (error %ld)",
			       ring, sequence, error);
	cursor->tail = sequence;
	cursor->sent = max(cursor->sent, sequence);
	return 0;
}

static int release(struct hv_record_log *log, unsigned int ring, u64 sequence)
{
	struct hv_ring_cursor *cursor = &log->ring[ring];

	hv_record_log_refresh(log);
	if (sequence < cursor->tail || sequence > cursor->head)
		return hv_refuse(-EINVAL, "ring %u holds records %llu to %llu, not %llu",
				 ring, cursor->tail, cursor->head, sequence);
	if (log->live)
		return release_live(log, ring, sequence);
	cursor->tail = sequence;
	cursor->sent = max(cursor->sent, sequence);
	if (hv_record_log_done(log))
		hv_record_log_free(log);
	return 0;
}

/* A reader that names no session means what it was sent first and has not acknowledged yet. */
static struct hv_record_log *log_of(const struct nlattr *session, unsigned int ring, u64 sequence)
{
	struct hv_record_log *log;

	if (session)
		return hv_record_log_find(nla_get_u64(session));
	list_for_each_entry(log, &hv_record_logs, list)
		if (ring < log->rings && sequence > log->ring[ring].tail &&
		    sequence <= log->ring[ring].sent)
			return log;
	return NULL;
}

int hv_do_records_ack(struct sk_buff *request, struct genl_info *info)
{
	struct nlattr *ring = info->attrs[HV_ATTR_RING];
	struct nlattr *sequence = info->attrs[HV_ATTR_SEQUENCE];
	struct hv_record_log *log;

	if (!ring || !sequence)
		return hv_refuse(-EINVAL, "an acknowledgement needs ring and sequence");
	log = log_of(info->attrs[HV_ATTR_SESSION], nla_get_u32(ring), nla_get_u64(sequence));
	if (!log)
		return hv_refuse(-ESTALE, "no records of that session, ring and sequence are held");
	if (nla_get_u32(ring) >= log->rings)
		return hv_refuse(-EINVAL, "session 0x%llx has %u rings, ring %u is none of them",
				 log->session, log->rings, nla_get_u32(ring));
	return release(log, nla_get_u32(ring), nla_get_u64(sequence));
}
