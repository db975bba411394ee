// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Modules whose read-only memory rules are about: where it lies, and that it stays. A page that was
 * given back and is used for something else must not be under a rule.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <net/netlink.h>
#include <crypto/sha2.h>

#include "hv.h"

static_assert(HV_MODULE_BYTES == MODULE_NAME_LEN);

/*
 * By the name in /sys/module, whose folder all modules share with this one. While its object is
 * held, a module that goes waits.
 */
static struct module *get_module(const char *name)
{
	struct kobject *object = kset_find_obj(THIS_MODULE->mkobj.kobj.kset, name);
	struct module *module = object ?
		container_of(object, struct module_kobject, kobj)->mod : NULL;

	if (!module)
		hv_refuse(-ESRCH, object ? "%s is part of the kernel image, and of its sections" :
			  "no module %s is loaded", name);
	else if (module->state != MODULE_STATE_LIVE || !try_module_get(module))
		hv_refuse(-ESRCH, "module %s is just coming or going: try again", name);
	else
		goto found;
	module = NULL;
found:
	kobject_put(object);
	return module;
}

/* Text, then constants, then what is written once, each of whole pages. */
static int part_of(const struct module_layout *layout, enum hv_place part, unsigned int *from,
		   unsigned int *to)
{
	*from = part == HV_PLACE_MODULE_TEXT ? 0 :
		part == HV_PLACE_MODULE_RODATA ? layout->text_size : layout->ro_size;
	*to = part == HV_PLACE_MODULE_TEXT ? layout->text_size :
	      part == HV_PLACE_MODULE_RODATA ? layout->ro_size : layout->ro_after_init_size;
	return PAGE_ALIGNED(*from) && PAGE_ALIGNED(*to) ? 0 :
	       hv_refuse(-EOPNOTSUPP, "this kernel does not give modules' parts whole pages");
}

/* Two modules, or one that was loaded twice, have the same only where the same pages serve. */
static int stamp_of(const struct module *module, u64 *stamp)
{
	const struct module_layout *layout = &module->core_layout;
	struct hv_ranges ranges = {};
	struct sha256_state state;
	u8 sum[SHA256_DIGEST_SIZE];
	int error = -ENOMEM;

	ranges.range = kvmalloc_array(HV_MAX_RANGES, sizeof(*ranges.range), GFP_KERNEL);
	if (!ranges.range)
		return hv_refuse(error, "no memory for the pages of a module: free some");
	error = hv_ranges_add_linear(&ranges, (unsigned long)layout->base,
				     layout->ro_after_init_size);
	if (!error) {
		sha256_init(&state);
		sha256_update(&state, (const u8 *)&layout->base, sizeof(layout->base));
		sha256_update(&state, (const u8 *)ranges.range,
			      ranges.count * sizeof(*ranges.range));
		sha256_final(&state, sum);
		memcpy(stamp, sum, sizeof(*stamp));
	}
	kvfree(ranges.range);
	return error;
}

int hv_place_module(struct hv_ranges *ranges, enum hv_place part, const char *name, u64 *stamp)
{
	struct module *module = get_module(name);
	unsigned int from, to;
	int error;

	if (!module)
		return -ESRCH;
	error = part_of(&module->core_layout, part, &from, &to);
	if (!error && from >= to)
		error = hv_refuse(-ENODATA, "module %s has no such memory", name);
	if (!error)
		error = stamp_of(module, stamp);
	if (!error)
		error = hv_ranges_add_linear(ranges, (unsigned long)module->core_layout.base + from,
					     to - from);
	module_put(module);
	return error;
}

static int hold(struct hv_policy *policy, const struct hv_module_stamp *wanted)
{
	struct module *module;
	u64 stamp;
	int error;

	if (strnlen(wanted->name, sizeof(wanted->name)) == sizeof(wanted->name))
		return hv_refuse(-EINVAL, "a module's name has no end");
	module = get_module(wanted->name);
	if (!module)
		return -ESRCH;
	error = stamp_of(module, &stamp);
	if (!error && stamp != wanted->stamp)
		error = hv_refuse(-ESTALE,
			"module %s was loaded anew: apply the policy again", wanted->name);
	if (error) {
		module_put(module);
		return error;
	}
	policy->module[policy->modules] = module;
	policy->stamp[policy->modules++] = *wanted;
	return 0;
}

/* What it has taken on an error goes with the policy. */
int hv_modules_hold(struct hv_policy *policy, const struct nlattr *stamps)
{
	const struct hv_module_stamp *wanted;
	unsigned int count, i;
	int error = 0;

	if (!stamps)
		return 0;
	count = nla_len(stamps) / sizeof(*wanted);
	if (nla_len(stamps) % sizeof(*wanted))
		return hv_refuse(-EINVAL, "policy %s: %u bytes are no whole number of modules",
				 policy->name, nla_len(stamps));
	wanted = nla_data(stamps);
	for (i = 0; i < count && !error; i++)
		error = hold(policy, &wanted[i]);
	return error;
}

void hv_modules_release(struct hv_policy *policy)
{
	while (policy->modules)
		module_put(policy->module[--policy->modules]);
}
