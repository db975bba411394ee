/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The records of one session, from a start to its stop. While hoisted they lie in the core's rings;
 * what was not released by then is kept here until the reader has it.
 */
#ifndef HV_RECORD_LOG_H
#define HV_RECORD_LOG_H

#include <linux/list.h>
#include <linux/types.h>

#include "abi/netlink.h"
#include "abi/record.h"

/* What is left of a record once its ring is gone. */
struct hv_kept_record {
	struct hv_record record;
	struct hv_process process;
};

/* Records tail … head - 1 are not released yet; those before sent went out to the group. */
struct hv_ring_cursor {
	u64 tail;
	u64 head;
	u64 sent;
	u64 dropped;
	u64 dropped_sent;
	u64 kept_from;
	struct hv_kept_record *kept;
};

struct hv_record_log {
	struct list_head list;
	u64 session;
	bool live;
	unsigned int rings;
	struct hv_ring_cursor ring[];
};

extern struct list_head hv_record_logs; /* oldest first; the live one, if any, is the last */

struct hv_record_log *hv_record_log_open(u64 session, unsigned int rings);
void hv_record_log_keep(struct hv_record_log *log);
void hv_record_log_free(struct hv_record_log *log);
void hv_record_log_refresh(struct hv_record_log *log);
void hv_record_log_rewind(struct hv_record_log *log);
bool hv_record_log_done(const struct hv_record_log *log);
struct hv_record_log *hv_record_log_find(u64 session);
void hv_record_log_read(const struct hv_record_log *log, unsigned int ring, u64 sequence,
			struct hv_record *record, struct hv_process *process);

/* record_process.c: open from hv_record_log_open() until the log is kept or freed */
int hv_processes_register(void);
void hv_processes_unregister(void);
int hv_processes_open(void);
void hv_processes_close(void);
void hv_processes_settle(unsigned int ring);
void hv_process_of(unsigned int ring, const struct hv_record *record, struct hv_process *process);

#endif
