// SPDX-License-Identifier: MIT
#ifndef SHIM_KERNEL_BITS_H
#define SHIM_KERNEL_BITS_H

#define BIT(number) (1ul << (number))
#define BIT_ULL(number) (1ull << (number))

#endif
