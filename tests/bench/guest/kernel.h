// SPDX-License-Identifier: MIT
// What hv_test.ko and hv.ko say.
#ifndef HV_BENCH_KERNEL_H
#define HV_BENCH_KERNEL_H

#include <stdint.h>

#include "../../guest/netlink.h"
#include "abi/record.h"

// A command to /proc/hv_test, and the number behind `name` in its answer; 0 where name is null.
// Ends the program on failure.
uint64_t kernel_test(char const* command, char const* name);

struct exits {
    uint64_t by_reason[HV_COUNTERS];
};

// Of all CPUs, since the hoist.
void exits_read(struct hv_link* link, struct exits* exits);

void hoist(struct hv_link* link);
void unhoist(struct hv_link* link);

#endif
