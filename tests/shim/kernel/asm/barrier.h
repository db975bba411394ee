// SPDX-License-Identifier: MIT
#ifndef SHIM_KERNEL_BARRIER_H
#define SHIM_KERNEL_BARRIER_H

#define smp_store_release(place, value) ((void)(*(place) = (value)))

#endif
