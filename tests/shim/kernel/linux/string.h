// SPDX-License-Identifier: MIT
#ifndef SHIM_KERNEL_STRING_H
#define SHIM_KERNEL_STRING_H

#include <string.h>

#endif
