// SPDX-License-Identifier: MIT
// Guests that never come back by themselves.
#ifndef KVM_ENDLESS_BLOBS_H
#define KVM_ENDLESS_BLOBS_H

#include "kvm_machine.h"

// The last one has no name.
extern struct blob const endless_blobs[];

// What runs before interrupts_off_again, on the same vcpu: it comes to a state that cannot be
// entered, where its CPU lets it.
extern struct blob const no_entry_blob;

#endif
