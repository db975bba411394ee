/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The kernel's names of fixed-width types, also where the decoder is built without a kernel. */
#ifndef HVK_DECODE_TYPES_H
#define HVK_DECODE_TYPES_H

#ifdef __KERNEL__
#include <linux/stddef.h>
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;
#endif

#endif
