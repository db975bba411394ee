// SPDX-License-Identifier: MIT
// What Linux does all day, one operation after the other, timed by the TSC.
#ifndef HV_BENCH_OPERATION_H
#define HV_BENCH_OPERATION_H

#include <stdint.h>
#include <x86intrin.h>

enum { most_samples = 512 };
enum { cpuid_loops = 32, cpuid_per_loop = 500, cpuid_operations = cpuid_loops * cpuid_per_loop };

struct operation {
    char const* name;
    unsigned repeats;       // from begin to end; their mean counts
    unsigned samples;       // in each
    unsigned per_sample;    // operations in one sample
    unsigned percent;       // which of the sorted samples counts: 0 the least, 50 the median
    uint64_t (*sample)(unsigned operations);    // in ticks
    void (*begin)(void);                        // before the first sample, or null
    void (*end)(void);
};

// One CPU is enough for these, or two are needed.
extern struct operation const single_operations[];
extern unsigned const single_operation_count;
extern struct operation const paired_operations[];
extern unsigned const paired_operation_count;

// Ticks of one operation. A low sample is free of timer ticks and of work that the kernel puts off
// and does in batches; where each sample has such work in it, the median counts. What a process
// switch costs depends a little on the number that the process got in the TLB: hence the repeats,
// each with a new process.
double operation_ticks(struct operation const* operation);

// How many operations that was, with one sample to warm up in each repeat.
uint64_t operations_done(struct operation const* operation);

// CPUID in a loop, per round of the loop.
double cpuid_ticks(unsigned leaf);

// Ticks of an interrupt, of as many as that which come while the CPU only waits for them.
double interrupt_ticks(unsigned count);

// From now on no CPU below `cpus` idles: a process that yields to every other is on each.
void keep_busy(int cpus);
void stay_on(int cpu);
void stop_busy(void);

__attribute__((noreturn)) void give_up(char const* what);

#endif
