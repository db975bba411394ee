// SPDX-License-Identifier: MIT
// bench single|pair|busy_pair ROUNDS | bench memory: measures in the emulated machine, hv.ko and
// hv_test.ko loaded; busy_pair keeps both CPUs from idling. In each round everything is measured
// natively, then Linux is hoisted, and everything is measured again. Prints, in ticks of one
// operation:
//   sample NAME native|hoisted TICKS     exits NAME OPERATIONS REASON COUNT     value NAME NUMBER
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/call.h"
#include "kernel.h"
#include "operation.h"
#include "rules.h"

enum { nops = 500, nop_rounds = 16, interrupts = 200, timer_interrupts = 16, filtered_leaf = 1 };

static void tell_exits(char const* name, uint64_t operations, struct exits const* before,
                       struct exits const* after) {
    uint64_t total = 0;

    for (unsigned i = 0; i < HV_COUNTERS; ++i) {
        uint64_t const exits = after->by_reason[i] - before->by_reason[i];
        if (exits) printf("exits %s %" PRIu64 " %u %" PRIu64 "\n", name, operations, i, exits);
        total += exits;
    }
    if (!total) printf("exits %s %" PRIu64 " 0 0\n", name, operations);
}

static void tell(char const* name, struct hv_link* hoisted, double ticks) {
    printf("sample %s %s %.3f\n", name, hoisted ? "hoisted" : "native", ticks);
    fflush(stdout);
}

// `hoisted` is null where there is no core to ask for its counters.
static void measure(struct hv_link* hoisted, struct operation const* operation, unsigned count) {
    struct exits before, after;

    for (; count; --count, ++operation) {
        if (hoisted) exits_read(hoisted, &before);
        double const ticks = operation_ticks(operation);
        if (hoisted) {
            exits_read(hoisted, &after);
            tell_exits(operation->name, (uint64_t)(operation->samples + 1) * operation->per_sample,
                       &before, &after);
        }
        tell(operation->name, hoisted, ticks);
    }
}

// What `sample` measures, and its exits where there is a core to ask.
static void measure_one(struct hv_link* hoisted, char const* name, uint64_t operations,
                        double (*sample)(void)) {
    struct exits before, after;

    if (hoisted) exits_read(hoisted, &before);
    double const ticks = sample();
    if (hoisted) {
        exits_read(hoisted, &after);
        tell_exits(name, operations, &before, &after);
    }
    tell(name, hoisted, ticks);
}

static double sample_timer(void) { return interrupt_ticks(timer_interrupts); }

static double sample_cpuid(void) { return cpuid_ticks(0); }

static double sample_cpuid_filtered(void) { return cpuid_ticks(filtered_leaf); }

static double sample_nop(void) {
    char command[64];

    snprintf(command, sizeof command, "time_nop %d", nops);
    return (double)kernel_test(command, "least") / nops;
}

static double sample_ipi(void) {
    char command[64];

    snprintf(command, sizeof command, "time_ipi 1 %d", interrupts);
    return (double)kernel_test(command, "median");
}

// The first of anything fills caches of the kernel that the second finds filled.
static void warm_up(struct operation const* operation, unsigned count) {
    while (count--) operation_ticks(operation++);
}

static void measure_single(struct hv_link* hoisted) {
    measure_one(hoisted, "cpuid", cpuid_operations, sample_cpuid);
    measure_one(hoisted, "cpuid_filtered", cpuid_operations, sample_cpuid_filtered);
    // One more call than is timed asks whether a core is there.
    if (hoisted) measure_one(hoisted, "vmcall", nops * nop_rounds + 1, sample_nop);
    measure(hoisted, single_operations, single_operation_count);
    measure_one(hoisted, "interrupt", timer_interrupts, sample_timer);
}

static void measure_paired(struct hv_link* hoisted) {
    measure(hoisted, paired_operations, paired_operation_count);
    measure_one(hoisted, "ipi", interrupts, sample_ipi);
}

static void rounds(struct hv_link* link, unsigned long count,
                   void (*measure_all)(struct hv_link*)) {
    while (count--) {
        measure_all(NULL);
        uint64_t const begin = __rdtsc();
        hoist(link);
        uint64_t const hoisted = __rdtsc();
        measure_all(link);
        uint64_t const leave = __rdtsc();
        unhoist(link);
        uint64_t const end = __rdtsc();
        printf("sample start hoisted %" PRIu64 "\n", hoisted - begin);
        printf("sample stop hoisted %" PRIu64 "\n", end - leave);
        printf("sample start_stop hoisted %" PRIu64 "\n", hoisted - begin + end - leave);
    }
}

static void tell_memory(struct hv_link* link) {
    static struct hv_reply reply;

    hoist(link);
    link_command(link, HV_CMD_STATUS, &reply);
    uint64_t const* reserved = reply_find(&reply, HV_ATTR_RESERVED, NULL);
    printf("value reserved_bytes %" PRIu64 "\n", reserved ? *reserved : 0);
    link_command(link, HV_CMD_AUDIT, &reply);
    struct hv_audit const* audit = reply_find(&reply, HV_ATTR_AUDIT, NULL);
    if (audit)
        printf("value leaves_4k %" PRIu64 "\nvalue leaves_2m %" PRIu64 "\nvalue leaves_1g %" PRIu64
               "\nvalue tables %" PRIu64 "\nvalue findings %" PRIu64 "\n",
               audit->leaves_4k, audit->leaves_2m, audit->leaves_1g, audit->tables,
               audit->findings);
    unhoist(link);
}

static void pair(struct hv_link* link, unsigned long count, bool busy) {
    if (busy) keep_busy(2);
    stay_on(0);
    warm_up(paired_operations, paired_operation_count);
    rounds(link, count, measure_paired);
    stop_busy();
}

int main(int count, char** argument) {
    static struct hv_link link;
    unsigned long const wanted = count > 2 ? strtoul(argument[2], NULL, 0) : 1;

    if (count < 2) return 2;
    link_open(&link);
    if (!strcmp(argument[1], "single")) {
        warm_up(single_operations, single_operation_count);
        rounds(&link, wanted, measure_single);
        measure_rules(&link);
    } else if (strcmp(argument[1], "memory")) {
        pair(&link, wanted, !strcmp(argument[1], "busy_pair"));
    }
    tell_memory(&link);
    return 0;
}
