// SPDX-License-Identifier: GPL-2.0 OR MIT
/* From when on rules are in force, and until when: markers, what lasts until the next boot. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <net/genetlink.h>

#include "hv.h"

/*
 * A CPU that was offline at the start is outside the core, and nothing but Linux's own good will
 * keeps it off: that is not enough for what lasts until the next boot.
 */
static int check_all_hoisted(void)
{
	unsigned int cpu;

	for_each_present_cpu(cpu)
		if (!cpumask_test_cpu(cpu, &hv.hoisted))
			return hv_fail(-EBUSY,
				       "CPU %u is not hoisted: stop, online it, start, try again",
				       cpu);
	return 0;
}

static u32 marker_of(const struct hv_rule *rule)
{
	return (rule->flags & HV_RULE_MARKER_MASK) >> HV_RULE_MARKER_SHIFT;
}

/* Whether one of these lasts until the next boot, and waits for none but these markers. */
static bool any_ratchet(const struct list_head *policies, u64 markers)
{
	const struct hv_policy *policy;
	unsigned int i;

	/* No marker has the number 0: a rule that has it waits for none. */
	markers |= BIT_ULL(0);
	list_for_each_entry(policy, policies, list)
		for (i = 0; i < policy->rules; i++)
			if ((policy->rule[i].flags & HV_RULE_RATCHET) &&
			    (markers & BIT_ULL(marker_of(&policy->rule[i]))))
				return true;
	return false;
}

int hv_before_ratchet(const struct list_head *policies, u64 markers)
{
	return any_ratchet(policies, markers) ? check_all_hoisted() : 0;
}

/* The core lets no such rule go: what is held once stays so. */
void hv_hold_under_ratchet(void)
{
	if (hv.ratchet || !any_ratchet(&hv_policies, hv.markers))
		return;
	hv.ratchet = true;
	__module_get(THIS_MODULE); /* never put: rmmod is refused until the next boot */
	pr_info("a rule lasts until the next boot\n");
}

static int marker_wanted(struct genl_info *info, u32 *marker)
{
	struct nlattr *wanted = info->attrs[HV_ATTR_MARKER];

	if (!wanted)
		return hv_refuse(-EINVAL, "a mark needs the number of a marker");
	*marker = nla_get_u32(wanted);
	if (*marker < HV_MARKER_SEAL || *marker >= HV_MARKERS)
		return hv_refuse(-EINVAL, "marker %u: there are only those from %u to %u", *marker,
				 HV_MARKER_SEAL, HV_MARKERS - 1);
	return 0;
}

int hv_do_policy_mark(struct sk_buff *request, struct genl_info *info)
{
	u32 marker;
	int error = hv_need_hoisted();

	if (!error)
		error = marker_wanted(info, &marker);
	if (error || (hv.markers & BIT_ULL(marker)))
		return error;
	error = hv_before_ratchet(&hv_policies, hv.markers | BIT_ULL(marker));
	if (!error)
		error = hv_policy_mark(&hv_policies, marker);
	if (error)
		return error;
	hv.markers |= BIT_ULL(marker);
	hv_hold_under_ratchet();
	return 0;
}

/*
 * After a sleep: the rules that were in force before it. The markers first, so that none of them
 * waits again for what has been reached.
 */
int hv_policy_reload(void)
{
	LIST_HEAD(none);
	u32 marker;

	for (marker = HV_MARKER_SEAL; marker < HV_MARKERS; marker++) {
		int error = 0;

		if (hv.markers & BIT_ULL(marker))
			error = hv_policy_mark(&none, marker);
		if (error)
			return error;
	}
	return list_empty(&hv_policies) ? 0 : hv_policy_load(&hv_policies);
}

int hv_do_policy_lock(struct sk_buff *request, struct genl_info *info)
{
	long error = hv_need_hoisted();

	if (error || hv.locked)
		return error;
	error = check_all_hoisted();
	if (error)
		return error;
	error = hv_hypercall(HV_CALL_POLICY_LOCK, 0, 0);
	if (error)
		return hv_fail(error, "the core refused the lock (error %ld)", error);
	hv.locked = true;
	__module_get(THIS_MODULE); /* never put: rmmod is refused until the next boot */
	pr_info("the policy is locked until the next boot\n");
	return 0;
}
