// SPDX-License-Identifier: MIT
#ifndef SHIM_KERNEL_BITOPS_H
#define SHIM_KERNEL_BITOPS_H

#include <linux/bits.h>
#include <linux/types.h>

static inline int fls(unsigned int value) { return value ? 32 - __builtin_clz(value) : 0; }

#endif
