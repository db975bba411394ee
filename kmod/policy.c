// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Policies as netlink sees them: named sets of rules, replaced as a whole, given back. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/slab.h>
#include <linux/sort.h>
#include <net/genetlink.h>

#include "hv.h"

#define HV_ATTR_MAX (HV_ATTR_COUNT - 1)

const struct nla_policy hv_policy_nest[HV_ATTR_COUNT] = {
	[HV_ATTR_NAME] = { .type = NLA_NUL_STRING, .len = HV_NAME_BYTES - 1 },
	[HV_ATTR_RULES] = { .type = NLA_BINARY, .len = HV_NEST_RULES * sizeof(struct hv_rule) },
	[HV_ATTR_MODULES] = { .type = NLA_BINARY,
			      .len = HV_MAX_MODULES * sizeof(struct hv_module_stamp) },
};

LIST_HEAD(hv_policies);

static void free_list(struct list_head *policies)
{
	struct hv_policy *policy, *next;

	list_for_each_entry_safe(policy, next, policies, list) {
		list_del(&policy->list);
		hv_modules_release(policy);
		kvfree(policy);
	}
}

void hv_policy_forget(void)
{
	free_list(&hv_policies);
	hv.markers = 0;
}

static bool sound_name(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return length && !name[length];
}

static int check_name(const struct list_head *policies, const char *name)
{
	const struct hv_policy *policy;

	if (!sound_name(name))
		return hv_refuse(-EINVAL, "a policy's name is 1 to %u of a-z, 0-9 and -",
				 HV_NAME_BYTES - 1);
	/* The last one goes on here. */
	list_for_each_entry(policy, policies, list)
		if (!strcmp(policy->name, name) && !list_is_last(&policy->list, policies))
			return hv_refuse(-EEXIST, "two policies are named %s: rename one", name);
	return 0;
}

static int add_policy(struct list_head *policies, const struct nlattr *nest,
		      struct netlink_ext_ack *extack)
{
	struct nlattr *attributes[HV_ATTR_COUNT], *name, *rules;
	struct hv_policy *policy;
	int error = nla_parse_nested(attributes, HV_ATTR_MAX, nest, hv_policy_nest, extack);

	if (error)
		return error;
	name = attributes[HV_ATTR_NAME];
	rules = attributes[HV_ATTR_RULES];
	if (!name || !rules)
		return hv_refuse(-EINVAL, "a policy needs a name and rules");
	error = check_name(policies, nla_data(name));
	if (error)
		return error;
	if (nla_len(rules) % sizeof(struct hv_rule))
		return hv_refuse(-EINVAL, "policy %s: %u bytes are no whole number of rules",
				 (char *)nla_data(name), nla_len(rules));
	policy = kvzalloc(sizeof(*policy) + nla_len(rules), GFP_KERNEL);
	if (!policy)
		return hv_refuse(-ENOMEM, "no memory for the policies: free some");
	strscpy(policy->name, nla_data(name), sizeof(policy->name));
	policy->rules = nla_len(rules) / sizeof(struct hv_rule);
	memcpy(policy->rule, nla_data(rules), nla_len(rules));
	list_add_tail(&policy->list, policies);
	return hv_modules_hold(policy, attributes[HV_ATTR_MODULES]);
}

static int by_id(const void *left, const void *right)
{
	u32 a = *(const u32 *)left, b = *(const u32 *)right;

	return a < b ? -1 : a > b;
}

static int check_ids(u32 *ids, unsigned int count)
{
	unsigned int i;

	sort(ids, count, sizeof(*ids), by_id, NULL);
	for (i = 0; i < count; i++) {
		if (!ids[i])
			return hv_refuse(-EINVAL, "a rule has the id 0");
		if (i && ids[i] == ids[i - 1])
			return hv_refuse(-EINVAL, "two rules have the id %u", ids[i]);
	}
	return 0;
}

static int check_rules(const struct list_head *policies)
{
	const struct hv_policy *policy;
	unsigned int count = 0, i;
	u32 *ids;
	int error;

	list_for_each_entry(policy, policies, list)
		count += policy->rules;
	if (count > HV_MAX_RULES)
		return hv_refuse(-E2BIG, "%u rules, the core takes at most %u", count,
				 HV_MAX_RULES);
	ids = kvmalloc_array(count ?: 1, sizeof(*ids), GFP_KERNEL);
	if (!ids)
		return hv_refuse(-ENOMEM, "no memory for the policies: free some");
	count = 0;
	list_for_each_entry(policy, policies, list)
		for (i = 0; i < policy->rules; i++)
			ids[count++] = policy->rule[i].id;
	error = check_ids(ids, count);
	kvfree(ids);
	return error;
}

int hv_do_policy_set(struct sk_buff *request, struct genl_info *info)
{
	LIST_HEAD(wanted);
	struct nlattr *attribute;
	int left, error = hv_need_hoisted();

	if (error)
		return error;
	nlmsg_for_each_attr(attribute, info->nlhdr, GENL_HDRLEN, left) {
		if (nla_type(attribute) == HV_ATTR_POLICY)
			error = add_policy(&wanted, attribute, info->extack);
		if (error)
			break;
	}
	if (!error)
		error = check_rules(&wanted);
	if (!error)
		error = hv_before_ratchet(&wanted, hv.markers);
	if (!error)
		error = hv_policy_load(&wanted);
	if (!error) {
		free_list(&hv_policies);
		list_splice_init(&wanted, &hv_policies);
		hv_hold_under_ratchet();
	}
	free_list(&wanted);
	return error;
}

static int put_policies(struct sk_buff *reply)
{
	const struct hv_policy *policy;

	if (nla_put_u8(reply, HV_ATTR_LOCKED, hv.locked) ||
	    nla_put_u64_64bit(reply, HV_ATTR_MARKERS, hv.markers, HV_ATTR_PAD))
		return -EMSGSIZE;
	list_for_each_entry(policy, &hv_policies, list) {
		struct nlattr *nest = nla_nest_start(reply, HV_ATTR_POLICY);

		if (!nest || nla_put_string(reply, HV_ATTR_NAME, policy->name) ||
		    nla_put(reply, HV_ATTR_RULES, policy->rules * sizeof(struct hv_rule),
			    policy->rule))
			return -EMSGSIZE;
		if (policy->modules &&
		    nla_put(reply, HV_ATTR_MODULES, policy->modules * sizeof(policy->stamp[0]),
			    policy->stamp))
			return -EMSGSIZE;
		nla_nest_end(reply, nest);
	}
	return 0;
}

int hv_do_policy_get(struct sk_buff *request, struct genl_info *info)
{
	const struct hv_policy *policy;
	size_t bytes = nla_total_size(sizeof(u8)) + nla_total_size_64bit(sizeof(u64));
	struct sk_buff *reply;
	void *header;

	list_for_each_entry(policy, &hv_policies, list)
		bytes += nla_total_size(nla_total_size(HV_NAME_BYTES) +
					nla_total_size(policy->rules * sizeof(struct hv_rule)) +
					nla_total_size(policy->modules *
						       sizeof(policy->stamp[0])));
	reply = hv_netlink_reply(info, bytes, &header);
	if (!reply)
		return hv_refuse(-ENOMEM, "no memory for the answer: free some");
	if (put_policies(reply)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	return hv_netlink_send(info, reply, header);
}
