// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Generic netlink family "hv": who may ask, in which form, and which file answers. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/module.h>
#include <net/genetlink.h>

#include "hv.h"

#define HV_ATTR_MAX (HV_ATTR_COUNT - 1)
#define HV_GROUP_EVENTS 0

static int do_start(struct sk_buff *request, struct genl_info *info)
{
	return hv_start();
}

static int do_stop(struct sk_buff *request, struct genl_info *info)
{
	int error = hv_stop();

	if (!error)
		hv_policy_forget();
	return error;
}

static const struct nla_policy plain[HV_ATTR_COUNT] = {
	[HV_ATTR_ABI] = { .type = NLA_U32 },
};

static const struct nla_policy with_cpu[HV_ATTR_COUNT] = {
	[HV_ATTR_ABI] = { .type = NLA_U32 },
	[HV_ATTR_CPU_ID] = { .type = NLA_U32 },
};

static const struct nla_policy with_policies[HV_ATTR_COUNT] = {
	[HV_ATTR_ABI] = { .type = NLA_U32 },
	[HV_ATTR_POLICY] = NLA_POLICY_NESTED(hv_policy_nest),
};

static const struct nla_policy with_marker[HV_ATTR_COUNT] = {
	[HV_ATTR_ABI] = { .type = NLA_U32 },
	[HV_ATTR_MARKER] = { .type = NLA_U32 },
};

static const struct nla_policy with_sequence[HV_ATTR_COUNT] = {
	[HV_ATTR_ABI] = { .type = NLA_U32 },
	[HV_ATTR_RING] = { .type = NLA_U32 },
	[HV_ATTR_SEQUENCE] = { .type = NLA_U64 },
	[HV_ATTR_SESSION] = { .type = NLA_U64 },
};

static const struct nla_policy with_place[HV_ATTR_COUNT] = {
	[HV_ATTR_ABI] = { .type = NLA_U32 },
	[HV_ATTR_PLACE] = { .type = NLA_U32 },
	[HV_ATTR_FIRST] = { .type = NLA_U64 },
	[HV_ATTR_BYTES] = { .type = NLA_U64 },
	[HV_ATTR_MODULE] = { .type = NLA_NUL_STRING, .len = HV_MODULE_BYTES - 1 },
};

static const struct nla_policy with_ranges[HV_ATTR_COUNT] = {
	[HV_ATTR_ABI] = { .type = NLA_U32 },
	[HV_ATTR_RANGES] = { .type = NLA_BINARY, .len = HV_MAX_RANGES * sizeof(struct hv_range) },
};

/* Parsed leniently at first, so that check_request() can tell a wrong ABI before anything else. */
#define HV_OP(command, attributes, function) { \
	.cmd = HV_CMD_##command, \
	.doit = (function), \
	.policy = (attributes), \
	.maxattr = HV_ATTR_MAX, \
	.validate = GENL_DONT_VALIDATE_STRICT, \
}

static const struct genl_ops operations[] = {
	HV_OP(START, plain, do_start),
	HV_OP(STOP, plain, do_stop),
	HV_OP(STATUS, plain, hv_do_status),
	HV_OP(STATS, plain, hv_do_stats),
	HV_OP(AUDIT, plain, hv_do_audit),
	HV_OP(DUMP, with_cpu, hv_do_dump),
	HV_OP(POLICY_SET, with_policies, hv_do_policy_set),
	HV_OP(POLICY_GET, plain, hv_do_policy_get),
	HV_OP(POLICY_LOCK, plain, hv_do_policy_lock),
	HV_OP(POLICY_MARK, with_marker, hv_do_policy_mark),
	HV_OP(RECORDS_ATTACH, plain, hv_do_records_attach),
	HV_OP(RECORDS_ACK, with_sequence, hv_do_records_ack),
	HV_OP(PLACE, with_place, hv_do_place),
	HV_OP(HASH, with_ranges, hv_do_hash),
};

static const struct genl_multicast_group groups[] = {
	[HV_GROUP_EVENTS] = { .name = HV_NETLINK_GROUP, .flags = GENL_MCAST_CAP_SYS_ADMIN },
};

static int check_request(const struct genl_ops *operation, struct genl_info *info)
{
	struct nlattr *abi = info->attrs[HV_ATTR_ABI];

	if (!abi)
		return hv_refuse(-EPROTO,
				 "hv.ko speaks ABI %u, the request none: install matching versions",
				 HV_ABI_VERSION);
	if (nla_get_u32(abi) != HV_ABI_VERSION)
		return hv_refuse(-EPROTO,
				 "hv.ko speaks ABI %u, the request %u: install matching versions",
				 HV_ABI_VERSION, nla_get_u32(abi));
	return __nla_validate(genlmsg_data(info->genlhdr), genlmsg_len(info->genlhdr),
			      operation->maxattr, operation->policy, NL_VALIDATE_STRICT,
			      info->extack);
}

static void tell_why(struct genl_info *info)
{
	if (hv.message && info->extack)
		info->extack->_msg = hv.message;
}

/* Success holds hv.lock until after_operation(). */
static int before_operation(const struct genl_ops *operation, struct sk_buff *request,
			    struct genl_info *info)
{
	int error;

	mutex_lock(&hv.lock);
	hv.message = NULL;
	if (netlink_capable(request, CAP_SYS_ADMIN))
		error = check_request(operation, info);
	else
		error = hv_refuse(-EPERM, "CAP_SYS_ADMIN is needed: ask as root");
	if (error) {
		tell_why(info);
		mutex_unlock(&hv.lock);
	}
	return error;
}

static void after_operation(const struct genl_ops *operation, struct sk_buff *request,
			    struct genl_info *info)
{
	tell_why(info);
	mutex_unlock(&hv.lock);
}

static struct genl_family family = {
	.name = HV_NETLINK_FAMILY,
	.version = HV_NETLINK_VERSION,
	.module = THIS_MODULE,
	.parallel_ops = true, /* hv.lock orders them; a start must not hold up other families */
	.ops = operations,
	.n_ops = ARRAY_SIZE(operations),
	.resv_start_op = HV_CMD_COUNT,
	.maxattr = HV_ATTR_MAX,
	.policy = plain,
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
	.pre_doit = before_operation,
	.post_doit = after_operation,
};

int hv_netlink_register(void)
{
	return genl_register_family(&family);
}

void hv_netlink_unregister(void)
{
	genl_unregister_family(&family);
}

bool hv_netlink_has_listeners(void)
{
	return genl_has_listeners(&family, &init_net, HV_GROUP_EVENTS);
}

struct sk_buff *hv_netlink_event(enum hv_command command, size_t payload, void **header)
{
	struct sk_buff *event = genlmsg_new(payload, GFP_KERNEL);

	if (!event)
		return NULL;
	*header = genlmsg_put(event, 0, 0, &family, 0, command);
	if (!*header) {
		nlmsg_free(event);
		return NULL;
	}
	return event;
}

int hv_netlink_multicast(struct sk_buff *event, void *header)
{
	genlmsg_end(event, header);
	return genlmsg_multicast(&family, event, 0, HV_GROUP_EVENTS, GFP_KERNEL);
}

struct sk_buff *hv_netlink_reply(struct genl_info *info, size_t payload, void **header)
{
	struct sk_buff *reply = genlmsg_new(payload, GFP_KERNEL);

	if (!reply)
		return NULL;
	*header = genlmsg_put_reply(reply, info, &family, 0, info->genlhdr->cmd);
	if (!*header) {
		nlmsg_free(reply);
		return NULL;
	}
	return reply;
}

int hv_netlink_send(struct genl_info *info, struct sk_buff *reply, void *header)
{
	genlmsg_end(reply, header);
	return genlmsg_reply(reply, info);
}

/* That Linux is hoisted now, or no longer. Nobody listening is no error. */
void hv_netlink_announce(void)
{
	size_t bytes = nla_total_size(sizeof(u8)) + nla_total_size_64bit(sizeof(u64));
	void *header;
	struct sk_buff *event = hv_netlink_event(HV_CMD_STATE, bytes, &header);

	if (!event)
		return;
	if (nla_put_u8(event, HV_ATTR_HOISTED, hv_hoisted()) ||
	    nla_put_u64_64bit(event, HV_ATTR_SESSION, hv.session, HV_ATTR_PAD)) {
		nlmsg_free(event);
		return;
	}
	hv_netlink_multicast(event, header);
}
