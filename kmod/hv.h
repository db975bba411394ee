/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the files of hv.ko share. hv.lock guards everything that has no other note. */
#ifndef HV_H
#define HV_H

#include <linux/cpumask.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <net/netlink.h>
#include <asm/desc_defs.h>
#include <crypto/sha2.h>

#include "abi/call.h"
#include "abi/image.h"
#include "abi/launch.h"
#include "abi/netlink.h"
#include "abi/policy.h"
#include "abi/record.h"

struct genl_info;
struct module;
struct sk_buff;

/* The embedded core, checked once at insmod. */
struct hv_image {
	const u8 *bytes;
	size_t size;
	struct hv_image_header header;
	u8 sha256[SHA256_DIGEST_SIZE];
	u8 *rights; /* for each page of the image: PF_R, PF_W, PF_X of its segment */
};

struct hv_frames_chunk {
	void *address;
	unsigned long pages; /* used, of 1 << order */
	unsigned int order;
};

/* The frames that the core lives in, in the order of abi/image.h. */
struct hv_frames {
	unsigned long pages;
	unsigned long taken; /* pages and what is left over at a chunk's end */
	unsigned long first_table;
	unsigned long table_pages;
	unsigned long first_shared;
	unsigned int shared_cpu_pages;
	unsigned int chunks;
	struct hv_frames_chunk chunk[HV_MAX_CHUNKS];
};

/* What VMX and SVM do differently. All run on the CPU they are about. */
struct hv_backend {
	const char *name;
	const char *rival; /* the kernel's own module for the same hardware */
	bool hotplug_by_module; /* the core cannot start a CPU again (hotplug.c) */
	const char *(*check)(int *error);
	/* table: physical address of one as for the launch, to go on with (SVM) */
	int (*unhoist)(u64 handle, unsigned long table);
	void (*finish)(void); /* after hv_linux_state_restore() */
	long (*hypercall)(u64 number, u64 handle, const u64 *argument);
};

/* What the core leaves wrong for Linux on its way out; GS base is launch_asm.S's own care. */
struct hv_linux_state {
	struct desc_ptr gdtr;
	struct desc_ptr idtr;
	u16 ds;
	u16 es;
	u16 fs;
	u16 gs;
	u16 ldtr;
	unsigned long cr0;
	unsigned long cr4;
	u64 efer;
	u64 pat;
	u64 fs_base;
	u64 kernel_gs_base;
	u64 debugctl;
	unsigned long dr7;
};

struct hv_donation {
	struct list_head list;
	void *address;
	unsigned int order;
};

struct hv {
	struct mutex lock;
	struct hv_image image;
	const struct hv_backend *backend;
	struct cpumask hoisted; /* changes under cpus_read_lock() too */
	struct cpumask resting; /* offline and out of the core, to be launched again (hotplug.c) */
	struct cpumask woken;	/* scratch of hv_stop() */
	struct hv_frames frames;
	struct list_head donations;
	struct list_head exchange_blocks; /* guest.c */
	unsigned int guests;		  /* holders of hv_guests_get() */
	bool offers_guests;		  /* hv_guests_offer() */
	unsigned int cpus;	  /* launched, and so the number of rings */
	unsigned int *cpu_of_ring;
	u64 handle;
	u64 session;
	bool locked;
	u64 markers; /* bit n: marker n has been reached */
	bool ratchet; /* a rule is in force that lasts until the next boot */
	bool suspending;
	bool resume_hoisted;
	bool going_down;
	const char *message; /* why the request in hand was refused */
};

extern struct hv hv;

static inline bool hv_hoisted(void)
{
	return !cpumask_empty(&hv.hoisted);
}

/* Until the next boot, Linux stays hoisted and this module loaded. */
static inline bool hv_held(void)
{
	return hv.locked || hv.ratchet;
}

static inline const char *hv_holder(void)
{
	return hv.locked ? "a policy is locked" : "a rule lasts until the next boot";
}

/* hv_main.c */
__printf(2, 3) int hv_refuse(int error, const char *format, ...);
__printf(2, 3) int hv_fail(int error, const char *format, ...);
int hv_need_hoisted(void);

/* guest.c */
void hv_guests_tell_offer(void);

/* hoist.c */
int hv_start(void);
int hv_stop(void);
u64 hv_reserved_bytes(void);
long hv_hypercall(enum hv_call number, u64 first, u64 second);
int hv_ring_of_cpu(unsigned int cpu);

/* launch.c */
int hv_launch_all(void);
int hv_launch_again(unsigned int cpu);
int hv_unhoist_cpu(unsigned int cpu);
int hv_unhoist_all(void);

/* launch_asm.S */
long hv_launch_here(struct hv_launch *launch, u64 entry, unsigned long launch_cr3);
long hv_vmx_unhoist_here(u64 handle, u64 *vmcs);
int hv_svm_unhoist_here(u64 handle, unsigned long table);

/* restore.c */
void hv_linux_state_save(struct hv_linux_state *state);
void hv_linux_state_restore(const struct hv_linux_state *state);

/* vmx.c, svm.c */
extern const struct hv_backend hv_vmx;
extern const struct hv_backend hv_svm;

/* core_image.S */
extern const u8 hv_core_image[], hv_core_image_end[];

/* image.c */
int hv_image_parse(struct hv_image *image);
void hv_image_forget(struct hv_image *image);
void hv_image_load(const struct hv_image *image, const struct hv_frames *frames);

/* frames.c */
int hv_frames_alloc(struct hv_frames *frames, const struct hv_image_header *header,
		    unsigned int cpus);
void hv_frames_map(const struct hv_frames *frames, const struct hv_image *image);
void hv_frames_free(struct hv_frames *frames);
u64 hv_frames_root_entry(const struct hv_frames *frames);
void *hv_frame(const struct hv_frames *frames, unsigned long index);
struct hv_cpu_shared *hv_ring_shared(unsigned int ring);
void hv_ring_read(unsigned int ring, u64 sequence, struct hv_record *record);
void hv_mailbox_read(void *to, size_t bytes);
void hv_mailbox_write(size_t offset, const void *from, size_t bytes);

/* lifecycle.c */
int hv_lifecycle_register(void);
void hv_lifecycle_unregister(void);

/* hotplug.c */
int hv_hotplug_register(void);
void hv_hotplug_unregister(void);

/* netlink.c */
int hv_netlink_register(void);
void hv_netlink_unregister(void);
bool hv_netlink_has_listeners(void);
struct sk_buff *hv_netlink_event(enum hv_command command, size_t payload, void **header);
int hv_netlink_multicast(struct sk_buff *event, void *header);
struct sk_buff *hv_netlink_reply(struct genl_info *info, size_t payload, void **header);
int hv_netlink_send(struct genl_info *info, struct sk_buff *reply, void *header);
void hv_netlink_announce(void);

/* status.c */
int hv_do_status(struct sk_buff *request, struct genl_info *info);
int hv_do_stats(struct sk_buff *request, struct genl_info *info);
int hv_do_audit(struct sk_buff *request, struct genl_info *info);
int hv_do_dump(struct sk_buff *request, struct genl_info *info);

/* records.c */
int hv_records_init(void);
int hv_records_open(void);
void hv_records_close(bool keep);
void hv_records_exit(void);
void hv_records_schedule(void);
int hv_do_records_attach(struct sk_buff *request, struct genl_info *info);
int hv_do_records_ack(struct sk_buff *request, struct genl_info *info);

/* policy.c, policy_term.c, policy_load.c */
struct hv_policy {
	struct list_head list;
	char name[HV_NAME_BYTES];
	u32 modules; /* held, so that the memory its rules are about is not given back */
	struct hv_module_stamp stamp[HV_MAX_MODULES];
	struct module *module[HV_MAX_MODULES];
	u32 rules;
	struct hv_rule rule[];
};

extern const struct nla_policy hv_policy_nest[HV_ATTR_COUNT];
extern struct list_head hv_policies; /* in force */
int hv_before_ratchet(const struct list_head *policies, u64 markers);
void hv_hold_under_ratchet(void);
int hv_do_policy_set(struct sk_buff *request, struct genl_info *info);
int hv_do_policy_get(struct sk_buff *request, struct genl_info *info);
int hv_do_policy_lock(struct sk_buff *request, struct genl_info *info);
int hv_do_policy_mark(struct sk_buff *request, struct genl_info *info);
int hv_policy_reload(void);
void hv_policy_forget(void);
int hv_policy_load(struct list_head *policies);
int hv_policy_mark(struct list_head *policies, u32 marker);
int hv_donate(void);
void hv_take_back(unsigned int count);
void hv_donations_free(void);
u64 hv_donated_bytes(void);

/* places.c: physical ranges in the order they were found, those that follow each other as one */
struct hv_ranges {
	struct hv_range *range; /* HV_MAX_RANGES */
	unsigned int count;
};

int hv_ranges_add(struct hv_ranges *ranges, u64 first, u64 bytes);
int hv_ranges_add_linear(struct hv_ranges *ranges, unsigned long first, unsigned long bytes);
int hv_do_place(struct sk_buff *request, struct genl_info *info);

/* place_tables.c */
int hv_place_image_tables(struct hv_ranges *ranges);
int hv_place_gdts(struct hv_ranges *ranges);

/* modules.c */
int hv_place_module(struct hv_ranges *ranges, enum hv_place part, const char *name, u64 *stamp);
int hv_modules_hold(struct hv_policy *policy, const struct nlattr *stamps);
void hv_modules_release(struct hv_policy *policy);

/* hash.c */
int hv_do_hash(struct sk_buff *request, struct genl_info *info);

/* As list_count_nodes(), which the first kernels of Debian 12 do not have. */
static inline unsigned int hv_list_length(const struct list_head *list)
{
	const struct list_head *each;
	unsigned int length = 0;

	list_for_each(each, list)
		length++;
	return length;
}

/* guest.c; what modules call is in hv_kmod.h */
u64 hv_exchange_bytes(void);
void hv_exchange_forget(void);

#endif
