// SPDX-License-Identifier: MIT
// A guest that keeps values in its registers, and where it is told them and tells what it finds.
#ifndef KVM_KEEPER_BLOB_H
#define KVM_KEEPER_BLOB_H

#include "kvm_machine.h"

enum {
    planted_at = 0x2b000,    // what it is to keep: a struct keeper_state
    found_at = 0x2c000,      // what it has found
    vector_bytes = 3072,     // room for FXSAVE's or XSAVE's image
    // What it says at which port: what its registers held at the start is there; in the midst of
    // holding; what they hold now is there.
    port_start = 0x91,
    port_holding = 0x92,
    port_told = 0x93,
};

// The order is the blob's.
struct keeper_state {
    unsigned char vectors[vector_bytes];
    uint64_t rbp, rsp, r[8];    // r8 to r15
    uint64_t dr[4], dr6, dr7, cr2;
    // SYSENTER_CS, _ESP, _EIP, STAR, LSTAR, CSTAR, FMASK, FS_BASE, GS_BASE, KERNEL_GS_BASE
    uint64_t msr[10];
    uint64_t tsc_aux, pkru;    // where the CPU has them
    uint64_t xcr0;             // 0: FXSAVE is all it has
    uint64_t with_tsc_aux, with_pkru;
};

// XSAVE's states in %eax, or with 0 FXSAVE's image, from (%rsi); %edx is 0 afterwards.
#define RESTORE_VECTORS \
    "xor %edx, %edx\n" \
    "test %eax, %eax\n" \
    "jnz 1f\n" \
    "fxrstor64 (%rsi)\n" \
    "jmp 2f\n" \
    "1: xrstor64 (%rsi)\n" \
    "2:\n"

extern struct blob const keeper_blob;

#endif
