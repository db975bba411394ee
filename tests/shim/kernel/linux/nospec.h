// SPDX-License-Identifier: MIT
#ifndef SHIM_KERNEL_NOSPEC_H
#define SHIM_KERNEL_NOSPEC_H

#define array_index_nospec(index, size) ((void)(size), (index))

#endif
