// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "operation.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { page = 4096, pages = 256, most_cpus = 8 };

static char* area;
static unsigned area_used;
static pid_t partner;
static int there[2], back[2];
static pid_t spinner[most_cpus];

void give_up(char const* what) {
    perror(what);
    exit(1);
}

void stay_on(int cpu) {
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set)) give_up("sched_setaffinity");
}

static uint64_t cpuid_loop(unsigned operations, unsigned leaf) {
    uint64_t const begin = __rdtsc();

    __asm__ volatile("1: mov %1, %%eax\n"
                     "xor %%ecx, %%ecx\n"
                     "cpuid\n"
                     "dec %0\n"
                     "jnz 1b"
                     : "+r"(operations)
                     : "r"(leaf)
                     : "rax", "rbx", "rcx", "rdx", "cc", "memory");
    return __rdtsc() - begin;
}

double cpuid_ticks(unsigned leaf) {
    uint64_t least = UINT64_MAX;

    for (unsigned i = 0; i < cpuid_loops; ++i) {
        uint64_t const ticks = cpuid_loop(cpuid_per_loop, leaf);
        if (ticks < least) least = ticks;
    }
    return (double)least / cpuid_per_loop;
}

static uint64_t system_calls(unsigned operations) {
    uint64_t const begin = __rdtsc();

    while (operations--) syscall(SYS_getppid);
    return __rdtsc() - begin;
}

static void begin_touching(void) {
    area = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED) give_up("mmap");
    madvise(area, pages * page, MADV_NOHUGEPAGE);
    // The page tables are part of no sample.
    for (area_used = 0; area_used < pages; area_used += pages / 2) area[area_used * page] = 1;
    area_used = 1;
}

static void end_touching(void) { munmap(area, pages * page); }

static uint64_t touch(unsigned operations) {
    uint64_t begin;

    if (area_used % (pages / 2) == 0) ++area_used;
    if (area_used >= pages) {
        end_touching();
        begin_touching();
    }
    begin = __rdtsc();
    *(char volatile*)&area[area_used++ * page] = (char)operations;
    return __rdtsc() - begin;
}

static uint64_t fork_once(char const* program) {
    uint64_t const begin = __rdtsc();
    pid_t const child = fork();
    int status = 0;

    if (!child) {
        if (program) execl(program, program, NULL);
        _exit(program ? 1 : 0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status) give_up("fork");
    return __rdtsc() - begin;
}

static uint64_t forks(unsigned operations) {
    (void)operations;
    return fork_once(NULL);
}

static uint64_t executions(unsigned operations) {
    (void)operations;
    return fork_once("/bench/nothing");
}

static void answer_for_ever(void) {
    char word;

    while (read(there[0], &word, 1) == 1)
        if (write(back[1], &word, 1) != 1) break;
    _exit(0);
}

static void begin_pipe(int cpu) {
    if (pipe(there) || pipe(back)) give_up("pipe");
    partner = fork();
    if (partner < 0) give_up("fork");
    if (!partner) {
        stay_on(cpu);
        close(there[1]);
        close(back[0]);
        answer_for_ever();
    }
    close(there[0]);
    close(back[1]);
}

static void begin_pipe_here(void) { begin_pipe(0); }

static void begin_pipe_across(void) { begin_pipe(1); }

static void end_pipe(void) {
    close(there[1]);
    close(back[0]);
    waitpid(partner, NULL, 0);
}

static uint64_t ping_pong(unsigned operations) {
    char word = 0;
    uint64_t const begin = __rdtsc();

    while (operations--)
        if (write(there[1], &word, 1) != 1 || read(back[0], &word, 1) != 1) give_up("ping-pong");
    return __rdtsc() - begin;
}

static void set_class(int class, int priority) {
    struct sched_param const parameters = {.sched_priority = priority};

    if (sched_setscheduler(0, class, &parameters)) give_up("sched_setscheduler");
}

// Two of the same fixed priority on one CPU: sched_yield() gives it to the other.
static void begin_yield(void) {
    set_class(SCHED_FIFO, 1);
    partner = fork();
    if (partner < 0) give_up("fork");
    while (!partner) sched_yield();
}

static void end_partner(void) {
    kill(partner, SIGKILL);
    waitpid(partner, NULL, 0);
    set_class(SCHED_OTHER, 0);
}

// There and back are two switches.
static uint64_t switches(unsigned operations) {
    uint64_t const begin = __rdtsc();

    for (unsigned i = 0; i < operations; i += 2) sched_yield();
    return __rdtsc() - begin;
}

void keep_busy(int cpus) {
    for (int i = 0; i < cpus && i < most_cpus; ++i) {
        spinner[i] = fork();
        if (spinner[i] < 0) give_up("fork");
        if (spinner[i]) continue;
        stay_on(i);
        set_class(SCHED_IDLE, 0);
        for (;;) __asm__ volatile("");
    }
}

void stop_busy(void) {
    for (int i = 0; i < most_cpus; ++i) {
        if (!spinner[i]) continue;
        kill(spinner[i], SIGKILL);
        waitpid(spinner[i], NULL, 0);
        spinner[i] = 0;
    }
}

static int by_size(void const* a, void const* b) {
    uint64_t const x = *(uint64_t const*)a, y = *(uint64_t const*)b;

    return x < y ? -1 : x > y;
}

double interrupt_ticks(unsigned count) {
    enum { undisturbed = 100 };
    static uint64_t gap[most_samples];
    uint64_t last = __rdtsc();

    for (unsigned i = 0; i < count && i < most_samples;) {
        uint64_t const now = __rdtsc();
        if (now - last > undisturbed) gap[i++] = now - last;
        last = now;
    }
    qsort(gap, count, sizeof *gap, by_size);
    return (double)gap[count / 2];
}

static double repeat(struct operation const* operation) {
    static uint64_t ticks[most_samples];

    if (operation->begin) operation->begin();
    operation->sample(operation->per_sample);
    for (unsigned i = 0; i < operation->samples; ++i)
        ticks[i] = operation->sample(operation->per_sample);
    if (operation->end) operation->end();
    qsort(ticks, operation->samples, sizeof *ticks, by_size);
    return (double)ticks[operation->samples * operation->percent / 100] / operation->per_sample;
}

double operation_ticks(struct operation const* operation) {
    double sum = 0;

    for (unsigned i = 0; i < operation->repeats; ++i) sum += repeat(operation);
    return sum / operation->repeats;
}

uint64_t operations_done(struct operation const* operation) {
    return (uint64_t)operation->repeats * (operation->samples + 1) * operation->per_sample;
}

struct operation const single_operations[] = {
    {"system_call", 1, 40, 100, 0, system_calls, NULL, NULL},
    {"page_fault", 1, 400, 1, 50, touch, begin_touching, end_touching},
    {"fork", 1, 60, 1, 10, forks, NULL, NULL},
    {"exec", 1, 60, 1, 50, executions, NULL, NULL},
    {"context_switch", 12, 5, 40, 0, switches, begin_yield, end_partner},
    {"pipe", 12, 8, 10, 0, ping_pong, begin_pipe_here, end_pipe},
};
unsigned const single_operation_count = sizeof single_operations / sizeof *single_operations;

struct operation const paired_operations[] = {
    {"pipe_across", 12, 5, 10, 50, ping_pong, begin_pipe_across, end_pipe},
};
unsigned const paired_operation_count = sizeof paired_operations / sizeof *paired_operations;
