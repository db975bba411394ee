/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Who has guests: what the node tells root of all VMs. */
#ifndef HVK_GUESTS_H
#define HVK_GUESTS_H

#include "hv_kvm.h"

extern const struct attribute_group *hvk_node_groups[];

/* Of the calling process, from now on. */
void hvk_guests_add(struct hvk_vm *vm);
void hvk_guests_remove(struct hvk_vm *vm);

#endif
