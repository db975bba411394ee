// SPDX-License-Identifier: MIT
#ifndef SHIM_KERNEL_MINMAX_H
#define SHIM_KERNEL_MINMAX_H

#ifndef __cplusplus
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define max_t(type, a, b) ((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#endif

#endif
