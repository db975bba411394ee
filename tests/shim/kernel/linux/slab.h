// SPDX-License-Identifier: MIT
#ifndef SHIM_KERNEL_SLAB_H
#define SHIM_KERNEL_SLAB_H

// An allocation fails when the test says so (fake_kernel.cpp).
#include <stddef.h>

#define GFP_KERNEL_ACCOUNT 0

#ifdef __cplusplus
extern "C" {
#endif
void* fake_zalloc(size_t bytes);
void fake_free(const void* memory);
#ifdef __cplusplus
}
#endif

#define kzalloc(bytes, flags) fake_zalloc(bytes)
#define kvzalloc(bytes, flags) fake_zalloc(bytes)
#define kfree(memory) fake_free(memory)
#define kvfree(memory) fake_free(memory)

#endif
