// SPDX-License-Identifier: MIT
// A small VM behind the KVM API: 512 KiB of memory at 0, one vcpu, a blob of code at `code`. What
// the guest does is told on stdout, line by line.
#ifndef KVM_MACHINE_H
#define KVM_MACHINE_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    memory_bytes = 0x80000,
    gdt = 0x800,
    code = 0x1000,
    stack = 0x8000,
    idt = 0x9000,
    handlers = 0xa000,
    tables = 0x10000,
    data_page = 0x20000,
    device = 0xd0000,    // no memory there
};

enum mode { real, protected32, long64 };

struct machine {
    int node, vm, vcpu;
    struct kvm_run* run;
    size_t run_bytes;
    unsigned char* memory;
    unsigned exits;    // so far
    unsigned input;    // the last value a port or device gave
};

struct blob {
    char const* name;
    enum mode mode;
    unsigned char const* start;
    unsigned char const* end;
};

#define BLOB(name, bits, text) \
    asm(".pushsection .rodata\n.globl blob_" #name "\nblob_" #name ":\n.code" #bits "\n" text \
        "\n.globl blob_" #name "_end\nblob_" #name "_end:\n.code64\n.popsection\n"); \
    extern unsigned char const blob_##name[], blob_##name##_end[]
#define ENTRY(name, mode) {#name, mode, blob_##name, blob_##name##_end}

// Ends the program where the step fails.
void need(bool good, char const* step);
void machine_open(struct machine* machine, char const* node);
void machine_open_with(struct machine* machine, char const* node, bool irqchip);
void machine_close(struct machine* machine);
// The vcpu in that mode at the start of the blob, with a stack and, in 32 and 64 bits, an IDT whose
// handlers send their vector to port e0 and halt.
void machine_load(struct machine* machine, struct blob const* blob);
// ioctl on the vcpu; the result or -errno
int machine_vcpu(struct machine* machine, unsigned long request, void* argument);
int machine_slot(struct machine* machine, unsigned id, uint64_t at, uint64_t bytes, void* from,
                 unsigned flags);

#endif
