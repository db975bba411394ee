// SPDX-License-Identifier: MIT
// kvm_client [NODE [CASE…]]: guests of 16, 32 and 64 bits on any node that speaks the KVM API
// (default: /dev/kvm), with nothing but <linux/kvm.h>. What happens is told line by line, so that
// two nodes can be compared.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "kvm_bad_input.h"
#include "kvm_blobs.h"
#include "kvm_exits.h"
#include "kvm_machine.h"
#include "kvm_slots.h"

struct test {
    char const* name;
    void (*run)(struct machine* machine);
};

static void run_blob(struct machine* machine, char const* name) {
    machine_load(machine, blob_named(name));
    machine_run(machine);
    machine_tell_registers(machine);
}

// Nothing is said about the registers of a vcpu that has shut down.
static void triple_fault(struct machine* machine) {
    machine_load(machine, blob_named("triple_fault"));
    machine_run(machine);
}

static void page_fault(struct machine* machine) {
    struct kvm_sregs special;

    run_blob(machine, "page_fault64");
    need(!machine_vcpu(machine, KVM_GET_SREGS, &special), "KVM_GET_SREGS");
    printf("cr2=%llx\n", special.cr2);
}

static void fpu(struct machine* machine) {
    struct kvm_fpu state;

    machine_load(machine, blob_named("registers"));
    machine_step(machine);
    machine_tell_registers(machine);
    need(!machine_vcpu(machine, KVM_GET_FPU, &state), "KVM_GET_FPU");
    printf("xmm0 %02x xmm15 %02x\n", state.xmm[0][0], state.xmm[15][0]);
    state.xmm[0][0] = 0x42;
    need(!machine_vcpu(machine, KVM_SET_FPU, &state), "KVM_SET_FPU");
    machine_run(machine);
    machine_tell_registers(machine);
    need(!machine_vcpu(machine, KVM_GET_FPU, &state), "KVM_GET_FPU");
    printf("fsw %x ftw %x st0 %02x%02x\n", state.fsw, state.ftwx, state.fpr[0][9], state.fpr[0][8]);
}

// Asked for while the guest cannot take it: the node says when it can.
static void interrupts(struct machine* machine) {
    struct kvm_interrupt const vector = {.irq = 30};
    struct kvm_interrupt const too_high = {.irq = 256};

    machine_load(machine, blob_named("interrupts"));
    machine_step(machine);
    printf("ready=%u\n", machine->run->ready_for_interrupt_injection);
    machine->run->request_interrupt_window = 1;
    machine_step(machine);
    machine->run->request_interrupt_window = 0;
    printf("queue 256: %d\n", machine_vcpu(machine, KVM_INTERRUPT, (void*)&too_high));
    printf("queue 30: %d\n", machine_vcpu(machine, KVM_INTERRUPT, (void*)&vector));
    machine_run(machine);
    machine_tell_registers(machine);
}

static void nmi(struct machine* machine) {
    machine_load(machine, blob_named("spin"));
    printf("nmi: %d\n", machine_vcpu(machine, KVM_NMI, NULL));
    machine_run(machine);
    machine_tell_registers(machine);
}

static void tell_events(struct machine* machine) {
    struct kvm_vcpu_events events;

    need(!machine_vcpu(machine, KVM_GET_VCPU_EVENTS, &events), "KVM_GET_VCPU_EVENTS");
    printf("interrupt %u (%u) exception %u nmi %u\n", events.interrupt.injected,
           events.interrupt.injected ? events.interrupt.nr : 0, events.exception.injected,
           events.nmi.injected);
}

// Its stack is in memory that its client may not use: the delivery of an interrupt or NMI ends in
// its midst.
static void cut_delivery(struct machine* machine, void* memory, bool nmi) {
    struct kvm_interrupt const vector = {.irq = 30};
    struct kvm_regs registers;

    mprotect(memory, 0x1000, PROT_NONE);
    machine_load(machine, blob_named("spin"));
    need(!machine_vcpu(machine, KVM_GET_REGS, &registers), "KVM_GET_REGS");
    registers.rflags |= 0x200;
    registers.rsp = 0x100800;
    need(!machine_vcpu(machine, KVM_SET_REGS, &registers), "KVM_SET_REGS");
    if (nmi)
        printf("nmi: %d\n", machine_vcpu(machine, KVM_NMI, NULL));
    else
        printf("queue 30: %d\n", machine_vcpu(machine, KVM_INTERRUPT, (void*)&vector));
    machine_step(machine);
    tell_events(machine);
    mprotect(memory, 0x1000, PROT_READ | PROT_WRITE);
}

// It is delivered at the next entry, also when the client has saved and restored it, but not when
// the client has put another state in its place.
static void cut_three_times(struct machine* machine, void* memory, bool nmi) {
    struct kvm_vcpu_events const none = {0};
    struct kvm_vcpu_events events;

    cut_delivery(machine, memory, nmi);
    machine_run(machine);
    tell_events(machine);
    machine_vcpu(machine, KVM_SET_VCPU_EVENTS, (void*)&none);
    cut_delivery(machine, memory, nmi);
    need(!machine_vcpu(machine, KVM_GET_VCPU_EVENTS, &events), "KVM_GET_VCPU_EVENTS");
    need(!machine_vcpu(machine, KVM_SET_VCPU_EVENTS, &events), "KVM_SET_VCPU_EVENTS");
    machine_run(machine);
    machine_vcpu(machine, KVM_SET_VCPU_EVENTS, (void*)&none);
    cut_delivery(machine, memory, nmi);
    need(!machine_vcpu(machine, KVM_SET_VCPU_EVENTS, (void*)&none), "KVM_SET_VCPU_EVENTS");
    tell_events(machine);
    run_blob(machine, "page_fault64");
}

static void cut_short(struct machine* machine) {
    void* const memory = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                              0);

    need(memory != MAP_FAILED, "memory");
    need(!machine_slot(machine, 1, 0x100000, 0x1000, memory, 0), "slot");
    cut_three_times(machine, memory, false);
    cut_three_times(machine, memory, true);
    munmap(memory, 0x1000);
}

static void at_once(struct machine* machine) {
    machine_load(machine, blob_named("ports"));
    machine->run->immediate_exit = 1;
    machine_step(machine);
    machine->run->immediate_exit = 0;
    machine_step(machine);
    machine->run->immediate_exit = 1;
    machine_step(machine);
    machine_tell_registers(machine);
}

static void on_alarm(int number) { (void)number; }

// A guest that never comes back is left for a signal. It has interrupts on: with them off, Bochs
// lets none of the machine's out of it, and the real KVM never comes back there.
static void signals(struct machine* machine) {
    struct sigaction const action = {.sa_handler = on_alarm};
    struct itimerval const soon = {.it_value = {.tv_usec = 100000}};
    struct kvm_regs registers;

    sigaction(SIGALRM, &action, NULL);
    machine_load(machine, blob_named("spin"));
    need(!machine_vcpu(machine, KVM_GET_REGS, &registers), "KVM_GET_REGS");
    registers.rflags |= 0x200;
    need(!machine_vcpu(machine, KVM_SET_REGS, &registers), "KVM_SET_REGS");
    setitimer(ITIMER_REAL, &soon, NULL);
    machine_step(machine);
    printf("exit reason %u\n", machine->run->exit_reason);
    machine_tell_registers(machine);
}

static struct test const tests[] = {
    {"triple_fault", triple_fault},
    {"page_fault64", page_fault},
    {"registers", fpu},
    {"interrupts", interrupts},
    {"cut_short", cut_short},
    {"nmi", nmi},    // last of the two: behind it Bochs's own KVM does not get through the other
    {"immediate_exit", at_once},
    {"spin", signals},
    {"write_read_only", read_only_slot},
    {"touch", changed_slots},
    {"large_page", large_page_in_part},
    {"bad_input", bad_input},
};

static struct test const* test_named(char const* name) {
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; ++i)
        if (!strcmp(tests[i].name, name)) return &tests[i];
    return NULL;
}

static void run_case(char const* node, char const* name) {
    struct test const* const test = test_named(name);
    struct machine machine;

    printf("== %s\n", name);
    if (!test && !blob_named(name)) {
        printf("no such case\n");
        return;
    }
    machine_open(&machine, node);
    if (test)
        test->run(&machine);
    else
        run_blob(&machine, name);
    machine_close(&machine);
    fflush(stdout);
}

int main(int count, char** argument) {
    char const* const node = count > 1 ? argument[1] : "/dev/kvm";

    for (int i = 2; i < count; ++i) run_case(node, argument[i]);
    if (count > 2) return EXIT_SUCCESS;
    for (struct blob const* blob = blobs; blob->name; ++blob) run_case(node, blob->name);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; ++i)
        if (!blob_named(tests[i].name)) run_case(node, tests[i].name);
    return EXIT_SUCCESS;
}
