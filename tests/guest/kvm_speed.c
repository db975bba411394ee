// SPDX-License-Identifier: MIT
// kvm_speed NODE [ROUNDS]: what a guest pays on that node, in ticks of the TSC: lines "NAME
// TICKS". CPUID and the hypercall are timed by the guest itself, a loop's own instructions
// included; OUT and the way from a new VM to its first HLT by the client. The least of all rounds.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <x86intrin.h>

#include "kvm_machine.h"
#include "kvm_speed_blobs.h"

enum { outs = 200, operations = 1000 };

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

// Ticks of as many, which the guest leaves in rax.
static uint64_t in_guest(char const* node, struct blob const* blob) {
    struct machine machine;
    struct kvm_regs registers;

    machine_open(&machine, node);
    machine_load(&machine, blob);
    need(!ioctl(machine.vcpu, KVM_RUN, 0) && machine.run->exit_reason == KVM_EXIT_HLT, "KVM_RUN");
    need(!machine_vcpu(&machine, KVM_GET_REGS, &registers), "KVM_GET_REGS");
    machine_close(&machine);
    return registers.rax;
}

static uint64_t out_to_client(char const* node) {
    struct machine machine;
    uint64_t begin;

    machine_open(&machine, node);
    machine_load(&machine, &speed_out);
    for (unsigned i = 0; i < outs; ++i) need(!ioctl(machine.vcpu, KVM_RUN, 0), "KVM_RUN");
    begin = __rdtsc();
    for (unsigned i = 0; i < outs; ++i) ioctl(machine.vcpu, KVM_RUN, 0);
    begin = __rdtsc() - begin;
    machine_close(&machine);
    return begin;
}

static uint64_t create_to_hlt(char const* node) {
    struct machine machine;
    uint64_t const begin = __rdtsc();

    machine_open(&machine, node);
    machine_load(&machine, &speed_hlt);
    need(!ioctl(machine.vcpu, KVM_RUN, 0) && machine.run->exit_reason == KVM_EXIT_HLT, "KVM_RUN");
    uint64_t const ticks = __rdtsc() - begin;
    machine_close(&machine);
    return ticks;
}

int main(int count, char** argument) {
    unsigned long const rounds = count > 2 ? strtoul(argument[2], NULL, 0) : 5;
    uint64_t cpuid = ~0ull, call = ~0ull, out = ~0ull, create = ~0ull;

    bool const intel = __builtin_cpu_is("intel");

    if (count < 2) return EXIT_FAILURE;
    for (unsigned long i = 0; i < rounds; ++i) {
        cpuid = least(cpuid, in_guest(argument[1], &speed_cpuid));
        call = least(call, in_guest(argument[1], intel ? &speed_vmcall : &speed_vmmcall));
        out = least(out, out_to_client(argument[1]));
        create = least(create, create_to_hlt(argument[1]));
    }
    printf("cpuid %.1f\ncall %.1f\nout %.1f\ncreate %.1f\n", (double)cpuid / operations,
           (double)call / operations, (double)out / outs, (double)create);
    return EXIT_SUCCESS;
}
