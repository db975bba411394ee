// SPDX-License-Identifier: MIT
// Guests that look for what is not theirs.
#ifndef KVM_ISOLATION_BLOBS_H
#define KVM_ISOLATION_BLOBS_H

#include "kvm_machine.h"

enum {
    watched = 0x100000,      // the page that is taken away
    planted_at = 0x2b000,    // what a guest plants
    found_at = 0x2c000,      // what it finds
};

extern struct blob const watcher_blob, scanner_blob, keeper_blob, wide_keeper_blob;

#endif
