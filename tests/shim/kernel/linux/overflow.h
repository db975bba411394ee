// SPDX-License-Identifier: MIT
#ifndef SHIM_KERNEL_OVERFLOW_H
#define SHIM_KERNEL_OVERFLOW_H

#define struct_size(pointer, member, count) \
    (sizeof(*(pointer)) + sizeof((pointer)->member[0]) * (count))

#endif
