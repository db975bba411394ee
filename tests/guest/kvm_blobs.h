// SPDX-License-Identifier: MIT
// What the guests of kvm_client execute.
#ifndef KVM_BLOBS_H
#define KVM_BLOBS_H

#include "kvm_machine.h"

// In order; the last one has no name.
extern struct blob const blobs[];
struct blob const* blob_named(char const* name);

#endif
