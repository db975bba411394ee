// SPDX-License-Identifier: MIT
#ifndef SHIM_KERNEL_TYPES_H
#define SHIM_KERNEL_TYPES_H

// The kernel's own names beside those that user space has of it.
#include_next <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#endif
