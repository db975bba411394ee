// SPDX-License-Identifier: MIT
// What guests and clients plant in registers, and a KVM_RUN between planting and looking.
#ifndef KVM_PLANTED_H
#define KVM_PLANTED_H

#include "kvm_keeper_blob.h"

// What this CPU has beyond FXSAVE.
struct abilities {
    uint32_t states;    // of XSAVE
    bool tsc_aux, pkru;
    bool dr7;    // breakpoints that one world has on do not end the machine in another
};

// What a client holds over KVM_RUN, beside what the kernel knows of it.
struct client_state {
    unsigned char vectors[vector_bytes];
    uint64_t general[12];    // rbx rbp r8 r9 r10 r12 r13 r14 r15; the others are 0
} __attribute__((aligned(64)));

// Without `xsave`, none of XSAVE's states.
struct abilities abilities_of(bool xsave);
void plant_guest(struct keeper_state* s, struct abilities has, unsigned seed);
// A guest's registers before it has touched one.
void plant_start(struct keeper_state* s, struct abilities has);
void plant_client(struct client_state* s, struct abilities has, unsigned seed);
// How many bytes of it are not as they are to be; it is empty then. `header`: so is XSAVE's header,
// which names the states that are not as they are at a reset.
unsigned differences(struct keeper_state* found, struct keeper_state const* wanted, bool header);
// KVM_RUN with the registers of `mine`. The kernel's answer is in `result`; true: they changed.
bool run_changes(struct machine const* machine, struct client_state const* mine,
                 struct abilities has, long* result);

#endif
