// SPDX-License-Identifier: MIT
// kvm_endless NODE MILLISECONDS [KIND…]: guests that never come back, one kind after the other, one
// on each CPU at the same time. On each CPU another process counts, and one is woken by a timer.
// Tells for each guest how its runs ended, and for each CPU how far the others came: lines
// "NAME CPU NAME NUMBER…".
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kvm_endless_blobs.h"
#include "kvm_machine.h"

enum { most_cpus = 16, nap_ns = 1000000, ms_us = 1000 };

// What the processes of one CPU have done.
struct progress {
    unsigned long counted, woken, runs, signals, shutdowns, others;
};
static struct progress* progress;
static volatile sig_atomic_t over;

static void on_alarm(int number) {
    (void)number;
    over = 1;
}

static void stay_on(int cpu) {
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static void begin(long ms) {
    struct sigaction const action = {.sa_handler = on_alarm};
    struct itimerval const until = {
        .it_value = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * ms_us}};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &until, NULL);
}

// From the start, as a client resets a vcpu: nothing of its old life waits to be delivered.
static void restart(struct machine* machine, struct blob const* blob) {
    struct kvm_vcpu_events none = {0};

    need(!machine_vcpu(machine, KVM_SET_VCPU_EVENTS, &none), "KVM_SET_VCPU_EVENTS");
    machine_load(machine, blob);
}

static void run_guest(char const* node, struct blob const* blob, struct progress* of, long ms) {
    struct machine machine;

    machine_open(&machine, node);
    machine_load(&machine, blob);
    if (!strcmp(blob->name, "interrupts_off_again")) {
        machine_load(&machine, &no_entry_blob);
        need(!ioctl(machine.vcpu, KVM_RUN, 0), "KVM_RUN");
        restart(&machine, blob);
    }
    begin(ms);
    while (!over) {
        ++of->runs;
        if (ioctl(machine.vcpu, KVM_RUN, 0))
            ++*(errno == EINTR ? &of->signals : &of->others);
        else
            ++*(machine.run->exit_reason == KVM_EXIT_SHUTDOWN ? &of->shutdowns : &of->others);
        if (!over) restart(&machine, blob);
    }
    machine_close(&machine);
}

static void count(struct progress* of, long ms) {
    begin(ms);
    while (!over) ++of->counted;
}

static void nap(struct progress* of, long ms) {
    struct timespec const a_bit = {.tv_nsec = nap_ns};

    begin(ms);
    while (!over)
        if (!nanosleep(&a_bit, NULL)) ++of->woken;
}

static void one_kind(char const* node, struct blob const* blob, int cpus, long ms) {
    memset(progress, 0, most_cpus * sizeof *progress);
    fflush(stdout);
    for (int child = 0; child < 3 * cpus; ++child) {
        if (fork()) continue;
        stay_on(child / 3);
        if (child % 3 == 0) run_guest(node, blob, &progress[child / 3], ms);
        if (child % 3 == 1) count(&progress[child / 3], ms);
        if (child % 3 == 2) nap(&progress[child / 3], ms);
        fflush(stdout);
        _exit(EXIT_SUCCESS);
    }
    while (wait(NULL) > 0) {}
    for (int cpu = 0; cpu < cpus; ++cpu) {
        struct progress const* const p = &progress[cpu];

        printf("%s %d counted %lu woken %lu runs %lu signals %lu shutdowns %lu others %lu\n",
               blob->name, cpu, p->counted, p->woken, p->runs, p->signals, p->shutdowns, p->others);
    }
}

static bool wanted(struct blob const* blob, int count, char** argument) {
    for (int i = 3; i < count; ++i)
        if (!strcmp(blob->name, argument[i])) return true;
    return count == 3;
}

int main(int count, char** argument) {
    int const cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);

    if (count < 3 || cpus > most_cpus) return EXIT_FAILURE;
    progress = mmap(NULL, most_cpus * sizeof *progress, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (progress == MAP_FAILED) return EXIT_FAILURE;
    for (struct blob const* blob = endless_blobs; blob->name; ++blob)
        if (wanted(blob, count, argument))
            one_kind(argument[1], blob, cpus, strtol(argument[2], NULL, 0));
    return EXIT_SUCCESS;
}
