// SPDX-License-Identifier: MIT
#ifndef SHIM_KERNEL_KTIME_H
#define SHIM_KERNEL_KTIME_H

#include <linux/types.h>

#define NSEC_PER_SEC 1000000000L

#define ktime_t s64

#ifdef __cplusplus
extern "C" {
#endif
ktime_t ktime_get(void);
#ifdef __cplusplus
}
#endif

static inline s64 ktime_to_ns(ktime_t time) { return time; }

static inline ktime_t ktime_sub(ktime_t a, ktime_t b) { return a - b; }

static inline ktime_t ktime_add_ns(ktime_t time, u64 ns) { return time + ns; }

static inline int ktime_compare(ktime_t a, ktime_t b) { return a < b ? -1 : a > b; }

#endif
