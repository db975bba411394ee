/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What hv.ko offers to a module that runs guest VMs (hv_kvm.ko). All may sleep but
 * hv_guest_call(), which runs on the calling CPU.
 */
#ifndef HV_KMOD_H
#define HV_KMOD_H

#include <linux/types.h>

#include "abi/call.h"
#include "abi/guest.h"

/*
 * While somebody holds it, Linux stays hoisted: stop, sleep and rmmod are refused, "guests run".
 * -ENXIO: Linux is not hoisted: hvctl start.
 */
int hv_guests_get(void);
void hv_guests_put(void);

/* Whether there is a node: programs look for VMX or SVM in CPUID before they open it. */
void hv_guests_offer(bool offered);

/*
 * A hypercall of HV_CALL_VM_CREATE and after, up to four arguments; the handle is hv.ko's own care.
 * 0 or positive: the answer. -ENXIO: this CPU is not hoisted.
 */
long hv_guest_call(enum hv_call number, u64 first, u64 second, u64 third, u64 fourth);

/* As many frames more for the core's pool, as a donation that stays until Linux is unhoisted. */
int hv_guest_donate(void);

/* Pages shared with the core, zeroed, and back again: HV_EXCHANGE_PAGES of them. */
void *hv_exchange_alloc(void);
void hv_exchange_free(void *exchange);

/* "vmx" or "svm". */
const char *hv_guest_backend(void);

#endif
