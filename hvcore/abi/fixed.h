// SPDX-License-Identifier: MIT
// Fixed-width types and assertions for the headers that C, C++ and the kernel share.
#ifndef HV_ABI_FIXED_H
#define HV_ABI_FIXED_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stddef.h>
#include <stdint.h>
#endif

#ifdef __cplusplus
#define HV_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define HV_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

// One number for all borders in this folder: hv.ko, hvcore and hvd must have been built with the
// same.
#define HV_ABI_VERSION 4u

#define HV_PAGE_BYTES 4096u

#endif
