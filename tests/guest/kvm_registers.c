// SPDX-License-Identifier: MIT
// kvm_registers NODE fxsave|xsave ROUNDS: two guests, each with a client, on all CPUs in turn. All
// four hold values of their own in every register that they can reach, and tell what became of
// them. Each guest lives several times: a new one must not find what an old one has left.
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kvm_keeper_blob.h"
#include "kvm_machine.h"
#include "kvm_planted.h"

enum { lives = 3 };

struct changes {
    unsigned long rounds, at_start, in_guest, in_client, bad_exits;
};

// What the kernel keeps for a client in registers of the CPU: a watchpoint in DR0, the base of GS,
// PKRU, and the selectors of data segments, which are 0 otherwise.
struct kept_by_kernel {
    int watch;
    uint64_t volatile* watched;
    uint64_t writes, gs;
    uint32_t pkru;
    bool with_pkru;
};

static void watch(struct kept_by_kernel* kept) {
    static uint64_t volatile watched[512] __attribute__((aligned(4096)));
    struct perf_event_attr attr = {.type = PERF_TYPE_BREAKPOINT,
                                   .size = sizeof attr,
                                   .bp_type = HW_BREAKPOINT_W,
                                   .bp_addr = (uintptr_t)watched,
                                   .bp_len = HW_BREAKPOINT_LEN_8,
                                   .exclude_kernel = 1};

    kept->watch = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
    need(kept->watch >= 0, "perf_event_open");
    kept->watched = watched;
}

static uint16_t selectors(void) {
    uint16_t ds, es;

    asm volatile("mov %%ds, %0\nmov %%es, %1" : "=r"(ds), "=r"(es));
    return (uint16_t)(ds << 8 | es);
}

static void hold(struct kept_by_kernel* kept, struct abilities has, unsigned seed) {
    memset(kept, 0, sizeof *kept);
    watch(kept);
    kept->gs = 0x7000dead0000ull + seed;
    kept->with_pkru = has.pkru;
    kept->pkru = 0x55555500 + 4 * seed;    // key 0 stays open
    need(!syscall(SYS_arch_prctl, ARCH_SET_GS, kept->gs), "ARCH_SET_GS");
    asm volatile("mov %0, %%ds\nmov %0, %%es" : : "r"(0x2b));
}

// Anew before each run, as the kernel learns of it only when it switches tasks.
static void renew(struct kept_by_kernel* kept) {
    kept->pkru ^= 0x30;
    if (kept->with_pkru) asm volatile("wrpkru" : : "a"(kept->pkru), "c"(0), "d"(0) : "memory");
}

static unsigned lost(struct kept_by_kernel* kept) {
    uint64_t gs = 0, hits = 0;
    uint32_t pkru = kept->pkru, d;
    unsigned count;

    if (kept->with_pkru) asm volatile("rdpkru" : "=a"(pkru), "=d"(d) : "c"(0));
    syscall(SYS_arch_prctl, ARCH_GET_GS, &gs);
    *kept->watched = ++kept->writes;
    count = read(kept->watch, &hits, sizeof hits) != sizeof hits || hits != kept->writes;
    count += gs != kept->gs;
    count += pkru != kept->pkru;
    count += selectors() != 0x2b2b;
    if (count)
        fprintf(stderr, "%lu of %lu writes, GS %lx of %lx, PKRU %x of %x, selectors %x; ", hits,
                kept->writes, gs, kept->gs, pkru, kept->pkru, selectors());
    return count;
}

static void move_to(unsigned cpu) {
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu % (unsigned)sysconf(_SC_NPROCESSORS_ONLN), &set);
    sched_setaffinity(0, sizeof set, &set);
}

static void live(struct machine* machine, struct abilities has, unsigned seed, unsigned long rounds,
                 struct changes* of) {
    struct keeper_state* const planted = (void*)(machine->memory + planted_at);
    struct keeper_state* const found = (void*)(machine->memory + found_at);
    struct keeper_state start;
    struct client_state mine;
    struct kept_by_kernel kept;

    plant_guest(planted, has, seed);
    plant_start(&start, has);
    plant_client(&mine, has, seed + 16);
    hold(&kept, has, seed);
    for (unsigned long i = 0; i < 2 * rounds + 1; ++i) {
        long result;

        move_to((unsigned)(i / 3) + seed);
        renew(&kept);
        of->in_client += run_changes(machine, &mine, has, &result) + lost(&kept);
        if (result || machine->run->exit_reason != KVM_EXIT_IO) {
            fprintf(stderr, "KVM_RUN %ld, exit %u; ", result, machine->run->exit_reason);
            ++of->bad_exits;
            break;
        }
        if (machine->run->io.port == port_start) of->at_start += differences(found, &start, false);
        if (machine->run->io.port != port_told) continue;
        ++of->rounds;
        of->in_guest += differences(found, planted, true);
    }
    close(kept.watch);
}

static int one_guest(char const* node, struct abilities has, unsigned seed, unsigned long rounds) {
    struct changes c = {0};

    for (unsigned i = 0; i < lives; ++i) {
        struct machine machine;

        machine_open(&machine, node);
        machine_load(&machine, &keeper_blob);
        live(&machine, has, seed + 2 * i, rounds / lives, &c);
        machine_close(&machine);
    }
    printf("guest %u rounds %lu start %lu guest %lu client %lu exits %lu\n", seed, c.rounds,
           c.at_start, c.in_guest, c.in_client, c.bad_exits);
    fflush(stdout);
    return c.at_start || c.in_guest || c.in_client || c.bad_exits;
}

int main(int count, char** argument) {
    unsigned long const rounds = count > 3 ? strtoul(argument[3], NULL, 0) : lives;
    struct abilities has;
    int failed = 0;

    if (count < 3) return EXIT_FAILURE;
    has = abilities_of(!strcmp(argument[2], "xsave"));
    printf("states %x tsc_aux %d pkru %d\n", has.states, has.tsc_aux, has.pkru);
    fflush(stdout);
    for (unsigned seed = 0; seed < 2; ++seed)
        if (!fork()) _exit(one_guest(argument[1], has, seed, rounds));
    for (int status = 0; wait(&status) > 0;) failed |= status != 0;
    return failed;
}
