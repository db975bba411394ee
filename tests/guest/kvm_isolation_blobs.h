// SPDX-License-Identifier: MIT
// Guests that look for memory that is not theirs, and such as leave some behind.
#ifndef KVM_ISOLATION_BLOBS_H
#define KVM_ISOLATION_BLOBS_H

#include "kvm_machine.h"

enum {
    watched = 0x100000,        // the page that is taken away
    told_at = 0x2b000,         // what a guest is told
    found_at = 0x2c000,        // what it finds
    far_memory = 0x1000000,    // 16 MiB: memory of the filler, and of its successor
    far_end = 0x40000000,
    far_step = 0x200000,
    port_number = 0x90,    // a number is told
    port_filled = 0x94,
    port_held = 0x95,
};

extern struct blob const watcher_blob, scanner_blob, filler_blob, successor_blob, holder_blob;

#endif
