// SPDX-License-Identifier: MIT
// A guest that tries one thing after another: what, and with which values, its own generator says.
#ifndef KVM_RANDOM_BLOB_H
#define KVM_RANDOM_BLOB_H

#include "kvm_machine.h"

enum {
    step_kinds = 32,
    state_page = 0x2b000,    // no single bit, or the wall clock could be put there
    scratch = 0x30000,       // what instructions with a memory operand use
    // A word goes to this port when the last step is done, and where the guest has left 64-bit
    // mode: QEMU's CPU lets it clear CR0.PG there.
    finished = 0x7e5,
};

// At state_page: what guest and client both know. The guest goes on from here when it is loaded
// anew.
struct random_state {
    uint64_t steps, seed, limit, kind, allowed;    // a bit for each kind
    uint64_t vectors[32];
    uint64_t kinds[step_kinds];
    // Bits that DR7 may have: a watch on data that an exception's delivery meets ends QEMU itself.
    uint64_t allowed_dr7;
};

extern struct blob const random_blob;
// The names of the kinds, in order.
extern char const* const random_kinds[step_kinds];

#endif
