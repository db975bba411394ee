// SPDX-License-Identifier: MIT
// kvm_random NODE STEPS [SEED [irqchip]]: a guest in ring 0 tries MSRs, ports, control registers,
// hypercalls and what else it finds, at random, as many times. Where it has brought itself down it
// is loaded anew and goes on. Tells what came of it: lines "NAME NUMBER". In the environment, KINDS
// has a bit for each kind of step that it takes, DR7 one for each that it may set in that register.
#include "kvm_machine.h"
#include "kvm_random_blob.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>

enum {
    int3 = 0xcc,
    tables_end = tables + 0x3000,
    stub_bytes = 16,
    first_jump_bytes = 5,
    x2apic = 0xd00,    // APIC base: on, of the boot CPU
    apic_at = 0xfee00000,
    reasons = 64,
    alarm_us = 100000,
    steps_per_restart = 8,    // at least, or it does not go on
};

struct outcome {
    uint64_t exits[reasons];
    uint64_t restarts, stuck, refused;
};

static void on_alarm(int number) { (void)number; }

static struct random_state* state_of(struct machine const* machine) {
    return (struct random_state*)(machine->memory + state_page);
}

static bool has_error(unsigned vector) { return 0x60227d00u >> vector & 1; }

// [drop the error code;] push vector; jmp to the blob's second instruction
static void write_stub(unsigned char* memory, unsigned vector) {
    unsigned const at = handlers + vector * stub_bytes;
    unsigned char text[11] = {0x48, 0x83, 0xc4, 8, 0x6a, (unsigned char)vector, 0xe9};
    unsigned char const* const from = has_error(vector) ? text : text + 4;
    unsigned const bytes = has_error(vector) ? 11 : 7;
    int32_t const far_away = (int32_t)(code + first_jump_bytes) - (int32_t)(at + bytes);

    memcpy(text + 7, &far_away, sizeof far_away);
    memcpy(memory + at, from, bytes);
}

// Where it has lost its way it is back at the next instruction: in zeroes, it would go on to the
// end of its memory, an access for every two bytes.
static void fill(struct machine* machine) {
    memset(machine->memory, int3, tables);
    memset(machine->memory + tables_end, int3, memory_bytes - tables_end);
    memset(state_of(machine), 0, sizeof *state_of(machine));
}

static void load(struct machine* machine, bool irqchip) {
    struct kvm_sregs special;

    machine_load(machine, &random_blob);
    for (unsigned vector = 0; vector < 32; ++vector) write_stub(machine->memory, vector);
    if (!irqchip) return;
    need(!machine_vcpu(machine, KVM_GET_SREGS, &special), "KVM_GET_SREGS");
    special.apic_base = apic_at | x2apic;
    need(!machine_vcpu(machine, KVM_SET_SREGS, &special), "KVM_SET_SREGS");
}

// What would keep the next life from starting, or go on in it: clocks, and where calls go.
static uint32_t const left_behind[] = {0x12,       0x4b564d01, 0x175,      0x176,     0xc0000082,
                                       0xc0000083, 0xc0000084, 0xc0000102, 0xc0000103};

static void reset_msr(struct machine* machine, uint32_t index) {
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entry;
    } msr = {{.nmsrs = 1}, {.index = index}};

    machine_vcpu(machine, KVM_SET_MSRS, &msr);
}

static void reload(struct machine* machine, bool irqchip) {
    struct kvm_vcpu_events none = {0};
    struct kvm_mp_state runnable = {KVM_MP_STATE_RUNNABLE};
    struct kvm_debugregs debug = {.dr6 = 0xffff0ff0, .dr7 = 0x400};
    struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs = {{.value = 1}}};

    for (size_t i = 0; i < sizeof left_behind / sizeof left_behind[0]; ++i)
        reset_msr(machine, left_behind[i]);
    machine_vcpu(machine, KVM_SET_DEBUGREGS, &debug);
    machine_vcpu(machine, KVM_SET_XCRS, &xcrs);
    machine_vcpu(machine, KVM_SET_VCPU_EVENTS, &none);
    machine_vcpu(machine, KVM_SET_MP_STATE, &runnable);
    load(machine, irqchip);
}

// Where it says that all is done, too: that is looked at first, and was not true.
static bool answered(struct kvm_run* run) {
    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        if (run->io.port == finished && run->io.direction == KVM_EXIT_IO_OUT) return false;
        if (run->io.direction == KVM_EXIT_IO_IN)
            memset((unsigned char*)run + run->io.data_offset, 0xa5, run->io.size * run->io.count);
        return true;
    case KVM_EXIT_MMIO:
        if (!run->mmio.is_write) memset(run->mmio.data, 0xa5, run->mmio.len);
        return true;
    case KVM_EXIT_SET_TPR:
    case KVM_EXIT_HYPERCALL:
    case KVM_EXIT_IOAPIC_EOI: return true;
    default:                  return false;
    }
}

// Whether it goes on as it is.
static bool step(struct machine* machine, struct outcome* outcome, uint64_t* at_last_alarm) {
    uint64_t const steps = state_of(machine)->steps;

    if (!ioctl(machine->vcpu, KVM_RUN, 0)) {
        unsigned const reason = machine->run->exit_reason;

        ++outcome->exits[reason < reasons ? reason : 0];
        return answered(machine->run);
    }
    if (errno != EINTR) {
        ++outcome->refused;
        return false;
    }
    if (state_of(machine)->steps != *at_last_alarm || steps != *at_last_alarm) {
        *at_last_alarm = state_of(machine)->steps;
        return true;
    }
    ++outcome->stuck;
    return false;
}

static void run(struct machine* machine, struct outcome* outcome, bool irqchip) {
    struct random_state* const state = state_of(machine);
    uint64_t at_last_alarm = 0;

    while (state->steps < state->limit && outcome->restarts * steps_per_restart <= state->limit) {
        if (step(machine, outcome, &at_last_alarm)) continue;
        ++outcome->restarts;
        reload(machine, irqchip);
    }
}

static void tell(struct random_state const* state, struct outcome const* outcome) {
    printf("steps %llu\n", (unsigned long long)state->steps);
    printf("restarts %llu\nstuck %llu\nrefused %llu\n", (unsigned long long)outcome->restarts,
           (unsigned long long)outcome->stuck, (unsigned long long)outcome->refused);
    for (unsigned i = 0; i < reasons; ++i)
        if (outcome->exits[i]) printf("exit_%u %llu\n", i, (unsigned long long)outcome->exits[i]);
    for (unsigned i = 0; i < 32; ++i)
        if (state->vectors[i]) printf("vector_%u %llu\n", i, (unsigned long long)state->vectors[i]);
    for (unsigned i = 0; i < step_kinds; ++i)
        printf("kind_%s %llu\n", random_kinds[i], (unsigned long long)state->kinds[i]);
}

static uint64_t from_environment(char const* name, uint64_t otherwise) {
    char const* const text = getenv(name);

    return text ? strtoull(text, NULL, 0) : otherwise;
}

int main(int count, char** argument) {
    struct sigaction const action = {.sa_handler = on_alarm};
    struct itimerval const often = {{.tv_usec = alarm_us}, {.tv_usec = alarm_us}};
    bool const irqchip = count > 4;
    struct machine machine;
    struct outcome outcome = {0};

    if (count < 3) return EXIT_FAILURE;
    machine_open_with(&machine, argument[1], irqchip);
    fill(&machine);
    state_of(&machine)->limit = strtoull(argument[2], NULL, 0);
    state_of(&machine)->seed = count > 3 ? strtoull(argument[3], NULL, 0) : 4711;
    state_of(&machine)->allowed = from_environment("KINDS", ~0ull);
    state_of(&machine)->allowed_dr7 = from_environment("DR7", ~0ull);
    printf("seed %llu\n", (unsigned long long)state_of(&machine)->seed);
    load(&machine, irqchip);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    run(&machine, &outcome, irqchip);
    tell(state_of(&machine), &outcome);
    return state_of(&machine)->steps == state_of(&machine)->limit ? EXIT_SUCCESS : EXIT_FAILURE;
}
