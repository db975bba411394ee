// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What hv.ko and the core know of themselves: status, counters, audit, dump. */
#include <linux/smp.h>
#include <linux/string.h>
#include <net/genetlink.h>

#include "hv.h"

#define HV_STATUS_BYTES 512
#define HV_STATUS_CPU_BYTES 128

static u64 exits_of(const struct hv_cpu_shared *shared)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < HV_COUNTERS; i++)
		sum += READ_ONCE(shared->counter[i]);
	return sum;
}

/* What the core counts for one CPU; zeroes where it is not hoisted. */
static int put_ring(struct sk_buff *reply, unsigned int ring, bool counters)
{
	const struct hv_cpu_shared *shared = hv_ring_shared(ring);

	if (nla_put_u64_64bit(reply, HV_ATTR_EXITS, exits_of(shared), HV_ATTR_PAD) ||
	    nla_put_u32(reply, HV_ATTR_RING, ring) ||
	    nla_put_u64_64bit(reply, HV_ATTR_WRITTEN, READ_ONCE(shared->head), HV_ATTR_PAD) ||
	    nla_put_u64_64bit(reply, HV_ATTR_DROPPED, READ_ONCE(shared->dropped), HV_ATTR_PAD) ||
	    nla_put_u8(reply, HV_ATTR_PARKED, READ_ONCE(shared->parked)))
		return -EMSGSIZE;
	if (counters)
		return nla_put(reply, HV_ATTR_COUNTERS, sizeof(shared->counter), shared->counter);
	return 0;
}

static int put_one_cpu(struct sk_buff *reply, unsigned int cpu, bool counters)
{
	bool hoisted = cpumask_test_cpu(cpu, &hv.hoisted);
	struct nlattr *nest = nla_nest_start(reply, HV_ATTR_CPU);
	int error;

	if (!nest || nla_put_u32(reply, HV_ATTR_CPU_ID, cpu) ||
	    nla_put_u8(reply, HV_ATTR_HOISTED, hoisted))
		return -EMSGSIZE;
	if (hoisted)
		error = put_ring(reply, hv_ring_of_cpu(cpu), counters);
	else
		error = nla_put_u64_64bit(reply, HV_ATTR_EXITS, 0, HV_ATTR_PAD);
	if (error)
		return error;
	nla_nest_end(reply, nest);
	return 0;
}

static int put_cpus(struct sk_buff *reply, bool counters)
{
	unsigned int cpu;
	int error;

	for_each_present_cpu(cpu) {
		error = put_one_cpu(reply, cpu, counters);
		if (error)
			return error;
	}
	return 0;
}

static int put_status(struct sk_buff *reply)
{
	if (nla_put_u8(reply, HV_ATTR_HOISTED, hv_hoisted()) ||
	    (hv_hoisted() && nla_put_string(reply, HV_ATTR_BACKEND, hv.backend->name)) ||
	    nla_put_string(reply, HV_ATTR_VERSION, HV_VERSION) ||
	    nla_put(reply, HV_ATTR_CORE_SHA256, sizeof(hv.image.sha256), hv.image.sha256) ||
	    nla_put_u64_64bit(reply, HV_ATTR_RESERVED, hv_reserved_bytes(), HV_ATTR_PAD) ||
	    nla_put_u8(reply, HV_ATTR_LOCKED, hv.locked) ||
	    nla_put_u64_64bit(reply, HV_ATTR_MARKERS, hv.markers, HV_ATTR_PAD) ||
	    nla_put_u64_64bit(reply, HV_ATTR_SESSION, hv.session, HV_ATTR_PAD) ||
	    nla_put_u32(reply, HV_ATTR_VMS, hv.guests) ||
	    nla_put_string(reply, HV_ATTR_DMA, "not protected"))
		return -EMSGSIZE;
	return put_cpus(reply, false);
}

static int put_stats(struct sk_buff *reply)
{
	if (nla_put_u64_64bit(reply, HV_ATTR_SESSION, hv.session, HV_ATTR_PAD))
		return -EMSGSIZE;
	return put_cpus(reply, true);
}

static int send_answer(struct genl_info *info, size_t payload, int (*put)(struct sk_buff *reply))
{
	void *header;
	struct sk_buff *reply = hv_netlink_reply(info, payload, &header);
	int error;

	if (!reply)
		return hv_refuse(-ENOMEM, "no memory for the answer: free some");
	error = put(reply);
	if (error) {
		nlmsg_free(reply);
		return error;
	}
	return hv_netlink_send(info, reply, header);
}

int hv_do_status(struct sk_buff *request, struct genl_info *info)
{
	size_t cpu_bytes = HV_STATUS_CPU_BYTES;

	return send_answer(info, HV_STATUS_BYTES + num_present_cpus() * cpu_bytes, put_status);
}

int hv_do_stats(struct sk_buff *request, struct genl_info *info)
{
	size_t cpu_bytes = HV_STATUS_CPU_BYTES + nla_total_size(HV_COUNTERS * sizeof(u64));

	return send_answer(info, HV_STATUS_BYTES + num_present_cpus() * cpu_bytes, put_stats);
}

static int put_audit(struct sk_buff *reply)
{
	struct hv_audit audit;

	hv_mailbox_read(&audit, sizeof(audit));
	return nla_put(reply, HV_ATTR_AUDIT, sizeof(audit), &audit);
}

/* Findings are an answer, not an error: they stand in struct hv_audit. */
int hv_do_audit(struct sk_buff *request, struct genl_info *info)
{
	long error = hv_need_hoisted();

	if (error)
		return error;
	error = hv_hypercall(HV_CALL_AUDIT, 0, 0);
	if (error && error != -EIO)
		return hv_fail(error, "the core refused the audit (error %ld)", error);
	return send_answer(info, nla_total_size(sizeof(struct hv_audit)), put_audit);
}

struct dump_call {
	int ring;
	long error;
};

/* Only the CPU itself can read what the hardware keeps of it. */
static void dump_this_cpu(void *data)
{
	struct dump_call *call = data;

	call->error = hv_hypercall(HV_CALL_DUMP, call->ring, 0);
}

static int dump_cpu(unsigned int cpu, int ring)
{
	struct dump_call call = { .ring = ring };
	int error;

	if (READ_ONCE(hv_ring_shared(ring)->parked))
		return hv_refuse(-EIO, "CPU %u was parked by the core: its records say why", cpu);
	error = smp_call_function_single(cpu, dump_this_cpu, &call, 1);
	if (error)
		return hv_refuse(error, "CPU %u is offline: online it for a dump", cpu);
	if (call.error)
		return hv_fail(call.error, "no dump of CPU %u from the core (error %ld)", cpu,
			       call.error);
	return 0;
}

static int put_dump(struct sk_buff *reply)
{
	struct hv_cpu_dump dump;

	hv_mailbox_read(&dump, sizeof(dump));
	return nla_put(reply, HV_ATTR_DUMP, sizeof(dump), &dump);
}

int hv_do_dump(struct sk_buff *request, struct genl_info *info)
{
	struct nlattr *wanted = info->attrs[HV_ATTR_CPU_ID];
	int error = hv_need_hoisted();
	int ring;

	if (error)
		return error;
	if (!wanted)
		return hv_refuse(-EINVAL, "a dump needs the number of a CPU");
	ring = hv_ring_of_cpu(nla_get_u32(wanted));
	if (ring < 0)
		return hv_refuse(-ENOENT, "CPU %u is not hoisted", nla_get_u32(wanted));
	error = dump_cpu(nla_get_u32(wanted), ring);
	if (error)
		return error;
	return send_answer(info, nla_total_size(sizeof(struct hv_cpu_dump)), put_dump);
}
