/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Generic netlink family "hv", between hv.ko and hvd (or hvctl). Every command needs CAP_SYS_ADMIN.
 * Attributes are strict: unknown or malformed ones are refused; errors carry an extended ack
 * message.
 */
#ifndef HV_ABI_NETLINK_H
#define HV_ABI_NETLINK_H

#include "abi/fixed.h"

#define HV_NETLINK_FAMILY "hv"
#define HV_NETLINK_VERSION 1
#define HV_NETLINK_GROUP "events"

/*
 * Every request carries HV_ATTR_ABI (u32) = HV_ABI_VERSION; another value is refused: EPROTO,
 * "hv.ko speaks ABI …".
 */
enum hv_command {
	HV_CMD_UNSPEC,
	HV_CMD_START,	/* → ack. On failure the ext-ack message names CPU, step and reason */
	HV_CMD_STOP,	/* → ack. EPERM: locked, or a rule lasts until reboot */
	HV_CMD_STATUS,	/* → STATUS reply, see attributes */
	HV_CMD_STATS,	/* → HV_ATTR_CPU nests with COUNTERS */
	HV_CMD_AUDIT,	/* → HV_ATTR_AUDIT (struct hv_audit) */
	HV_CMD_DUMP,	/* HV_ATTR_CPU_ID → HV_ATTR_DUMP (struct hv_cpu_dump) */
	/* any number of HV_ATTR_POLICY nests: the whole new set (none: empty). → ack */
	HV_CMD_POLICY_SET,
	HV_CMD_POLICY_GET,	/* → HV_ATTR_POLICY nests in force, LOCKED, MARKERS */
	HV_CMD_POLICY_LOCK,	/* → ack */
	/* the caller becomes the reader: unreleased records are sent again to the group. → ack */
	HV_CMD_RECORDS_ATTACH,
	/*
	 * HV_ATTR_RING, HV_ATTR_SEQUENCE, HV_ATTR_SESSION (none: the oldest that was sent): records
	 * before SEQUENCE are safe, their slots may be used again. → ack
	 */
	HV_CMD_RECORDS_ACK,
	/*
	 * event: HV_ATTR_RING, HV_ATTR_DROPPED, HV_ATTR_SESSION, HV_ATTR_SEQUENCE (records before
	 * it are released), HV_ATTR_RECORDS (array of struct hv_record), HV_ATTR_PROCESSES,
	 * HV_ATTR_SYMBOLS
	 */
	HV_CMD_RECORDS,
	HV_CMD_STATE,	/* event: hoisted or unhoisted: HV_ATTR_HOISTED, HV_ATTR_SESSION */
	HV_CMD_POLICY_MARK,	/* HV_ATTR_MARKER → ack: rules that wait for it are in force */
	/*
	 * Where memory of Linux lies now: HV_ATTR_PLACE and what that asks for → HV_ATTR_RANGES in
	 * the order of the linear addresses; of a module HV_ATTR_STAMP, too. EFAULT: the first
	 * linear address without a page is named; E2BIG: more than HV_MAX_RANGES
	 */
	HV_CMD_PLACE,
	/* HV_ATTR_RANGES, RAM → HV_ATTR_SHA256 of what stands there */
	HV_CMD_HASH,
	HV_CMD_COUNT
};

enum hv_attribute {
	HV_ATTR_UNSPEC,
	HV_ATTR_ABI,		/* u32 */
	HV_ATTR_HOISTED,	/* u8 */
	HV_ATTR_BACKEND,	/* string "vmx" or "svm", absent when not hoisted */
	HV_ATTR_VERSION,	/* string, of hv.ko and core */
	HV_ATTR_CORE_SHA256,	/* 32 bytes: of the embedded core image */
	HV_ATTR_RESERVED,	/* u64 bytes taken from Linux now */
	HV_ATTR_LOCKED,		/* u8 */
	HV_ATTR_SESSION,	/* u64: differs at every hoist (not the handle) */
	HV_ATTR_VMS,		/* u32: guest VMs */
	/*
	 * nest, repeated: CPU_ID, HOISTED, EXITS, RING, WRITTEN, DROPPED, PARKED and, in STATS,
	 * COUNTERS
	 */
	HV_ATTR_CPU,
	HV_ATTR_CPU_ID,		/* u32: Linux's number */
	HV_ATTR_EXITS,		/* u64 */
	HV_ATTR_RING,		/* u32 */
	HV_ATTR_WRITTEN,	/* u64: records */
	HV_ATTR_DROPPED,	/* u64: records */
	HV_ATTR_PARKED,		/* u8 */
	HV_ATTR_COUNTERS,	/* array of u64, index = basic exit reason */
	HV_ATTR_AUDIT,		/* struct hv_audit */
	HV_ATTR_DUMP,		/* struct hv_cpu_dump */
	/* More rules of a policy follow at once, in a nest of the same NAME. */
	HV_ATTR_POLICY,		/* nest, repeated: NAME, RULES, MODULES (none: no such rule) */
	HV_ATTR_NAME,		/* string, 1..63 of [a-z0-9-] */
	HV_ATTR_RULES,		/* array of struct hv_rule, at most HV_NEST_RULES */
	HV_ATTR_SEQUENCE,	/* u64 */
	HV_ATTR_RECORDS,	/* array of struct hv_record */
	HV_ATTR_DMA,		/* string: "not protected" (no IOMMU is used) */
	HV_ATTR_PAD,
	/*
	 * NUL-terminated strings, one for each of RECORDS: its RIP as Linux names it (name+0x1/0x2
	 * [module]), shorter than HV_SYMBOL_BYTES; empty where it has no name for it
	 */
	HV_ATTR_SYMBOLS,
	HV_ATTR_MARKERS,	/* u64: bit n: marker n has been reached */
	HV_ATTR_PLACE,		/* u32: enum hv_place */
	HV_ATTR_FIRST,		/* u64: linear address, whole pages of the kernel's half */
	HV_ATTR_BYTES,		/* u64: whole pages, at most HV_MAX_PLACE_BYTES */
	HV_ATTR_MODULE,		/* string: a module's name, shorter than HV_MODULE_BYTES */
	HV_ATTR_RANGES,		/* array of struct hv_range */
	/* u64: of which pages the read-only memory of a module consists, and where it is mapped */
	HV_ATTR_STAMP,
	HV_ATTR_SHA256,		/* 32 bytes */
	/*
	 * In POLICY, array of struct hv_module_stamp: the modules whose memory the rules are about.
	 * They cannot be unloaded while the policy is in force. ESTALE: one is not any more what
	 * its stamp says
	 */
	HV_ATTR_MODULES,
	HV_ATTR_PROCESSES,	/* array of struct hv_process, one for each of RECORDS */
	HV_ATTR_MARKER,		/* u32: from HV_MARKER_SEAL to HV_MARKERS - 1 */
	HV_ATTR_COUNT
};

enum hv_place {
	HV_PLACE_LINEAR = 1,	/* FIRST, BYTES */
	/* the tables that map the kernel image, but for the top one; EOPNOTSUPP: SVM */
	HV_PLACE_IMAGE_TABLES,
	HV_PLACE_GDT,		/* the page of each possible CPU's */
	HV_PLACE_MODULE_TEXT,	/* MODULE, as are the next */
	HV_PLACE_MODULE_RODATA,
	HV_PLACE_MODULE_RO_AFTER_INIT,
};

/* Physical, both inclusive, whole pages. */
struct hv_range {
	uint64_t first;
	uint64_t last;
};
HV_STATIC_ASSERT(sizeof(struct hv_range) == 16, "hv_range");

#define HV_MODULE_BYTES 56

struct hv_module_stamp {
	char name[HV_MODULE_BYTES];
	uint64_t stamp;
};
HV_STATIC_ASSERT(sizeof(struct hv_module_stamp) == 64, "hv_module_stamp");

#define HV_MAX_PLACE_BYTES (64u << 20)
#define HV_MAX_RANGES 4000u
#define HV_MAX_MODULES 64u

/* Who ran when a record was written; all zero where that is not known, or nobody's doing. */
struct hv_process {
	int32_t pid;	/* of the process, not the thread; 0: an idle CPU */
	char name[16];	/* of the thread, ends in a zero */
};

#define HV_NAME_BYTES 64
#define HV_NEST_RULES 512	/* an attribute has less than 64 KiB */
#define HV_SYMBOL_BYTES 128

#endif
