// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Rules on their way into the core. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "hv.h"

#define HV_DONATIONS_AT_ONCE 8

static u64 generation;

static unsigned int fill_mailbox(const struct list_head *policies)
{
	const struct hv_policy *policy;
	unsigned int rules = 0;

	list_for_each_entry(policy, policies, list) {
		hv_mailbox_write(rules * sizeof(struct hv_rule), policy->rule,
				 policy->rules * sizeof(struct hv_rule));
		rules += policy->rules;
	}
	return rules;
}

/* The core names the rule by its place in the whole set, counted from 1. */
static int explain_unsound(const struct list_head *policies)
{
	const struct hv_policy *policy;
	u32 number;

	hv_mailbox_read(&number, sizeof(number));
	list_for_each_entry(policy, policies, list) {
		if (number && number <= policy->rules)
			return hv_refuse(-EINVAL,
				"policy %s: rule %u (id %u) is not sound: nothing was changed",
				policy->name, number, policy->rule[number - 1].id);
		number -= min(number, policy->rules);
	}
	return hv_refuse(-EINVAL, "a rule is not sound: nothing was changed");
}

static int explain(long error, const struct list_head *policies)
{
	switch (error) {
	case -EINVAL:
		return explain_unsound(policies);
	case -EPERM:
		if (!hv.locked)
			return hv_refuse(-EPERM,
				"a rule in force that is not revocable is missing or changed");
		return hv_refuse(-EPERM,
			"the policy is locked, a rule in force is missing: only add rules");
	case -ENOMEM:
		return hv_fail(-ENOMEM, "the core has no memory for these rules: free some");
	}
	return hv_fail(error, "the core refused the rules (error %ld)", error);
}

/* On failure the rules in force before still are. first: but for a load, which fills it in. */
static int ask_core(struct list_head *policies, enum hv_call call, u64 first)
{
	unsigned int donated = 0;
	long error;

	for (;;) {
		if (call == HV_CALL_POLICY_LOAD)
			first = fill_mailbox(policies);
		error = hv_hypercall(call, first, ++generation);
		if (error != -ENOMEM || donated == HV_DONATIONS_AT_ONCE || hv_donate())
			break;
		donated++;
	}
	if (!error)
		return 0;
	error = explain(error, policies);
	hv_take_back(donated);
	return error;
}

int hv_policy_load(struct list_head *policies)
{
	return ask_core(policies, HV_CALL_POLICY_LOAD, 0);
}

/* The rules of `policies` are those that the core has. */
int hv_policy_mark(struct list_head *policies, u32 marker)
{
	return ask_core(policies, HV_CALL_POLICY_MARK, marker);
}
