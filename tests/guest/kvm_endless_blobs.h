// SPDX-License-Identifier: MIT
// Guests that never come back by themselves.
#ifndef KVM_ENDLESS_BLOBS_H
#define KVM_ENDLESS_BLOBS_H

#include "kvm_machine.h"

// The last one has no name.
extern struct blob const endless_blobs[];

#endif
