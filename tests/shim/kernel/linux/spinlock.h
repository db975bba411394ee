// SPDX-License-Identifier: MIT
#ifndef SHIM_KERNEL_SPINLOCK_H
#define SHIM_KERNEL_SPINLOCK_H

// A lock that is taken twice, or given back twice, ends the test: nobody else could free it.
#include <linux/compiler.h>
#include <linux/types.h>
#include <stdlib.h>

typedef struct fake_spinlock {
    bool held;
} spinlock_t;

static inline void spin_lock_init(spinlock_t* lock) { lock->held = false; }

static inline void fake_spinlock_change(spinlock_t* lock, bool held) {
    if (lock->held == held) abort();
    lock->held = held;
}

#define spin_lock_irqsave(lock, flags) (fake_spinlock_change(lock, true), (void)((flags) = 1))
#define spin_unlock_irqrestore(lock, flags) ((void)(flags), fake_spinlock_change(lock, false))

#endif
