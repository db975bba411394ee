// SPDX-License-Identifier: MIT
// How a guest's exits are told and answered.
#ifndef KVM_EXITS_H
#define KVM_EXITS_H

#include "kvm_machine.h"

// Once in and out, told. False: nothing more will come (halted, shut down, an error).
bool machine_step(struct machine* machine);
// Until then.
void machine_run(struct machine* machine);
void machine_tell_registers(struct machine* machine);

#endif
