// SPDX-License-Identifier: MIT
// Memory of the client behind a guest that runs: read only, changed, taken away, in large pages.
#ifndef KVM_SLOTS_H
#define KVM_SLOTS_H

#include "kvm_machine.h"

void read_only_slot(struct machine* machine);
void changed_slots(struct machine* machine);
void large_page_in_part(struct machine* machine);

#endif
