// SPDX-License-Identifier: MIT
#ifndef SHIM_KERNEL_KERNEL_H
#define SHIM_KERNEL_KERNEL_H

#include <linux/bits.h>
#include <linux/minmax.h>
#include <linux/types.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define container_of(pointer, type, member) \
    ((type*)((char*)(pointer) - __builtin_offsetof(type, member)))

#endif
