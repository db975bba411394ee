// SPDX-License-Identifier: MIT
#include "kvm_exits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

enum { most_exits = 200 };

static void tell_bytes(void const* from, unsigned bytes) {
    unsigned char const* const byte = from;

    for (unsigned i = 0; i < bytes; ++i) printf(" %02x", byte[i]);
    printf("\n");
}

// What the guest reads: bytes that count up.
static void answer(struct machine* machine, void* to, unsigned bytes) {
    unsigned char* const byte = to;

    for (unsigned i = 0; i < bytes; ++i) byte[i] = (unsigned char)(0x60 + machine->input++ % 0x60);
}

static bool on_io(struct machine* machine) {
    struct kvm_run* const run = machine->run;
    unsigned char* const data = (unsigned char*)run + run->io.data_offset;
    unsigned const bytes = run->io.size * run->io.count;
    bool const out = run->io.direction == KVM_EXIT_IO_OUT;

    if (!out) answer(machine, data, bytes);
    printf("io %s port=%x size=%u count=%u:", out ? "out" : "in", run->io.port, run->io.size,
           run->io.count);
    tell_bytes(data, bytes);
    return true;
}

static bool on_mmio(struct machine* machine) {
    struct kvm_run* const run = machine->run;

    if (!run->mmio.is_write) answer(machine, run->mmio.data, run->mmio.len);
    printf("mmio %s %llx len=%u:", run->mmio.is_write ? "write" : "read",
           (unsigned long long)run->mmio.phys_addr, run->mmio.len);
    tell_bytes(run->mmio.data, run->mmio.len);
    return true;
}

static bool on_other(struct machine* machine) {
    struct kvm_run* const run = machine->run;

    switch (run->exit_reason) {
    case KVM_EXIT_SET_TPR: printf("tpr cr8=%llx\n", (unsigned long long)run->cr8); return true;
    case KVM_EXIT_IRQ_WINDOW_OPEN:
        printf("window ready=%u\n", run->ready_for_interrupt_injection);
        return true;
    case KVM_EXIT_HLT:        printf("hlt if=%u\n", run->if_flag); return false;
    case KVM_EXIT_SHUTDOWN:   printf("shutdown\n"); return false;
    case KVM_EXIT_FAIL_ENTRY: printf("entry failed\n"); return false;
    case KVM_EXIT_INTERNAL_ERROR:
        printf("internal error %u\n", run->internal.suberror);
        return false;
    default: printf("exit %u\n", run->exit_reason); return false;
    }
}

bool machine_step(struct machine* machine) {
    int const result = ioctl(machine->vcpu, KVM_RUN, 0);

    if (result < 0) {
        printf("run: %s\n", strerror(errno));
        return false;
    }
    ++machine->exits;
    if (machine->run->exit_reason == KVM_EXIT_IO) return on_io(machine);
    if (machine->run->exit_reason == KVM_EXIT_MMIO) return on_mmio(machine);
    return on_other(machine);
}

void machine_run(struct machine* machine) {
    while (machine_step(machine))
        if (machine->exits > most_exits) {
            printf("too many exits\n");
            return;
        }
}

void machine_tell_registers(struct machine* machine) {
    struct kvm_regs r;

    if (machine_vcpu(machine, KVM_GET_REGS, &r)) {
        printf("no registers\n");
        return;
    }
    printf("rax=%llx rbx=%llx rcx=%llx rdx=%llx rsi=%llx rdi=%llx rsp=%llx rbp=%llx\n", r.rax,
           r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rsp, r.rbp);
    printf("r8=%llx r9=%llx r15=%llx rip=%llx rflags=%llx\n", r.r8, r.r9, r.r15, r.rip, r.rflags);
}
