/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The clock that Linux guests read without an exit: where it stood at some TSC, and its pace. */
#ifndef HVK_CLOCK_H
#define HVK_CLOCK_H

#include "hv_kvm.h"

void hvk_clock_init(struct hvk_vm *vm);
/* Before the guest goes on: what is in its memory is what holds now. */
void hvk_clock_update(struct hvk_vcpu *vcpu);
/* On this CPU the TSC may not agree with what is there: an update is needed. */
bool hvk_clock_is_stale(const struct hvk_vcpu *vcpu);

long hvk_get_clock(struct hvk_vm *vm, unsigned long argument);
long hvk_set_clock(struct hvk_vm *vm, unsigned long argument);

#endif
