// SPDX-License-Identifier: MIT
// What a node answers to arguments that make no sense.
#ifndef KVM_BAD_INPUT_H
#define KVM_BAD_INPUT_H

#include "kvm_machine.h"

void bad_input(struct machine* machine);

#endif
