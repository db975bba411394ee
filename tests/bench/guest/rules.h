// SPDX-License-Identifier: MIT
#ifndef HV_BENCH_RULES_H
#define HV_BENCH_RULES_H

#include "../../guest/netlink.h"

// What exits cost under one rule and under a thousand: lines "value NAME TICKS".
void measure_rules(struct hv_link* link);

#endif
