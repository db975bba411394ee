// SPDX-License-Identifier: MIT
#include "rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "operation.h"

// A thousand rules: half on MSRs, half on every other page of two large pages, in turns.
enum { many = 1000, writes = 100, other_msrs = 0xc0000800, filtered_leaf = 1 };
enum { lstar = 0xc0000082, pkrs = 0x6e1 };
// Neither canonical nor of 32 bits: this write faults on a CPU without a core too.
#define WRONG "0x8000000000000000"
static unsigned msr;

static struct hv_rule deny(uint16_t kind, uint64_t first, uint64_t last) {
    return (struct hv_rule){.kind = kind,
                            .action = HV_ACTION_DENY,
                            .access = HV_ACCESS_WRITE,
                            .first = first,
                            .last = last};
}

static struct hv_rule deny_page(uint64_t block, unsigned number) {
    uint64_t const page = block + (uint64_t)number * 2 * HV_PAGE_BYTES;

    return deny(HV_RULE_MEMORY, page, page + HV_PAGE_BYTES - 1);
}

// The rules on what is measured come last.
static unsigned make_rules(struct hv_rule* rules, unsigned count, uint64_t const* block) {
    unsigned used = 0;

    for (unsigned i = 1; used + 2 < count; ++i) {
        rules[used++] = deny(HV_RULE_MSR, other_msrs + i, other_msrs + i);
        if (used + 2 < count) rules[used++] = deny_page(block[i / 256], i % 256);
    }
    if (count > 1) rules[used++] = deny_page(block[0], 0);
    rules[used++] = deny(HV_RULE_MSR, msr, msr);
    for (unsigned i = 0; i < used; ++i) rules[i].id = i + 1;
    return used;
}

static uint64_t time_msr(void) {
    char command[128];

    snprintf(command, sizeof command, "time_wrmsr %#x " WRONG " %d", msr, writes);
    return kernel_test(command, "median");
}

static uint64_t time_page(uint64_t page) {
    char command[128];

    snprintf(command, sizeof command, "time_write %#" PRIx64 " %d", page, writes);
    return kernel_test(command, "median");
}

// A ring has room for the records of two hundred refusals: each hoist begins with an empty one.
static void measure(struct hv_link* link, struct hv_rule const* rules, unsigned count,
                    uint64_t page, unsigned total) {
    int error;

    hoist(link);
    error = link_set_rules(link, rules, count);
    if (error) {
        fprintf(stderr, "%u rules: error %d: %s\n", count, -error, link->message);
        exit(1);
    }
    printf("value cpuid_rules_%u %.3f\n", total, cpuid_ticks(0));
    printf("value cpuid_filtered_rules_%u %.3f\n", total, cpuid_ticks(filtered_leaf));
    if (rules[count - 1].kind == HV_RULE_MSR)
        printf("value msr_rules_%u %" PRIu64 "\n", total, time_msr());
    if (page) printf("value memory_rules_%u %" PRIu64 "\n", total, time_page(page));
    unhoist(link);
}

void measure_rules(struct hv_link* link) {
    static struct hv_rule rules[HV_MAX_RULES];
    uint64_t const block[] = {kernel_test("own 1", "block"), kernel_test("own 1", "block")};
    struct hv_rule one = deny_page(block[0], 0);

    // QEMU, whose CPU is AMD's, takes any value for LSTAR.
    msr = __builtin_cpu_is("amd") ? pkrs : lstar;
    one.id = 1;
    printf("value msr_fault %" PRIu64 "\n", time_msr());
    measure(link, rules, make_rules(rules, 1, block), 0, 1);
    hoist(link);
    link_set_rules(link, &one, 1);
    printf("value memory_rules_1 %" PRIu64 "\n", time_page(block[0]));
    unhoist(link);
    measure(link, rules, make_rules(rules, many, block), block[0], many);
    kernel_test("disown", NULL);
}
