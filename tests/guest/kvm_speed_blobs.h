// SPDX-License-Identifier: MIT
// What is timed in a guest.
#ifndef KVM_SPEED_BLOBS_H
#define KVM_SPEED_BLOBS_H

#include "kvm_machine.h"

extern struct blob const speed_cpuid, speed_vmcall, speed_vmmcall, speed_out, speed_hlt;

#endif
