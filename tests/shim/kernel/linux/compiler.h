// SPDX-License-Identifier: MIT
#ifndef SHIM_KERNEL_COMPILER_H
#define SHIM_KERNEL_COMPILER_H

// The hosted tests have one thread.
#define READ_ONCE(place) (place)
#define WRITE_ONCE(place, value) ((void)((place) = (value)))

#endif
