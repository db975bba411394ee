// SPDX-License-Identifier: MIT
// switches kvm|node NODE: world switches of a guest for each of its operations, an exit and an
// entry being one each: lines "value switches_NAME_kvm NUMBER". All exits are
// counted by whom they reach: the guest's by KVM; on the node those of Linux by the core, and the
// guest's own is one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "../../guest/kvm_speed_blobs.h"
#include "kernel.h"

enum { operations = 1000 };

static char const kvm_exits[] = "/sys/kernel/debug/kvm/exits";

struct counter {
    bool kvm;
    struct hv_link link;
};

// Exits so far: of all guests of KVM, or of Linux.
static uint64_t exits_so_far(struct counter* counter) {
    struct exits exits;
    uint64_t all = 0;
    char line[32] = "";

    if (!counter->kvm) {
        exits_read(&counter->link, &exits);
        for (unsigned i = 0; i < HV_COUNTERS; ++i) all += exits.by_reason[i];
        return all;
    }
    FILE* file = fopen(kvm_exits, "r");
    need(file && fgets(line, sizeof line, file), kvm_exits);
    fclose(file);
    return strtoull(line, NULL, 10);
}

// Runs until the guest halts, or so many times; the exits that it took.
static uint64_t exits_of(struct counter* counter, char const* node, struct blob const* blob,
                         unsigned times) {
    struct machine machine;

    machine_open(&machine, node);
    machine_load(&machine, blob);
    uint64_t const before = exits_so_far(counter);
    for (unsigned i = 0; i < times; ++i) need(!ioctl(machine.vcpu, KVM_RUN, 0), "KVM_RUN");
    uint64_t const exits = exits_so_far(counter) - before;
    machine_close(&machine);
    return exits;
}

static void tell(struct counter* counter, char const* node, char const* name,
                 struct blob const* blob, unsigned times) {
    double const each = (double)exits_of(counter, node, blob, times) / operations;

    printf("value switches_%s_%s %.2f\n", name, counter->kvm ? "kvm" : "node",
           2 * (counter->kvm ? each : 1 + each));
}

int main(int count, char** argument) {
    static struct counter counter;
    bool const intel = __builtin_cpu_is("intel");

    if (count != 3) return EXIT_FAILURE;
    counter.kvm = !strcmp(argument[1], "kvm");
    if (counter.kvm) mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
    if (!counter.kvm) link_open(&counter.link);
    tell(&counter, argument[2], "cpuid", &speed_cpuid, 1);
    tell(&counter, argument[2], "call", intel ? &speed_vmcall : &speed_vmmcall, 1);
    tell(&counter, argument[2], "out", &speed_out, operations);
    return EXIT_SUCCESS;
}
