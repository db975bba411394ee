// SPDX-License-Identifier: MIT
// kvm_isolation NODE remap|scan|freed|secret …: memory that a guest sees and is not its own: a page
// that its client has taken away while it runs on another CPU (remap ROUNDS), memory beyond its own
// (scan), what a killed guest had (freed ROUNDS); and what is left of its registers: `secret KEY
// WORD` has guests that hold KEY ^ WORD until it is killed. Lines "NAME NUMBER".
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kvm_isolation_blobs.h"
#include "kvm_machine.h"

enum {
    page = 4096,
    device_byte = 0xa5,
    few_looks = 200,
    patience_seconds = 20,
    filled = 0x5ec2e75,
};

static volatile bool stop;

static void stay_on(int cpu) {
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static int last_cpu(void) { return (int)sysconf(_SC_NPROCESSORS_ONLN) - 1; }

static void* run_watcher(void* of) {
    struct machine* const machine = of;

    stay_on(last_cpu());
    while (!stop) {
        if (ioctl(machine->vcpu, KVM_RUN, 0)) continue;
        if (machine->run->exit_reason != KVM_EXIT_MMIO) break;
        memset(machine->run->mmio.data, device_byte, machine->run->mmio.len);
    }
    stop = true;
    return NULL;
}

// What it reads when it has looked at least once since now.
static uint64_t seen_now(struct machine const* machine) {
    uint64_t const volatile* const found = (uint64_t*)(machine->memory + found_at);
    uint64_t const before = found[1];
    time_t const until = time(NULL) + patience_seconds;

    while (!stop && time(NULL) < until) {
        if (found[1] - before >= 2) return found[0];
        asm volatile("pause");
    }
    printf("the guest does not go on\n");
    exit(EXIT_FAILURE);
}

// Without memory there it must not: its client is told instead. A look may have been on its way.
static bool looks_on(struct machine const* machine) {
    uint64_t const volatile* const found = (uint64_t*)(machine->memory + found_at);
    uint64_t const before = found[1];

    for (unsigned i = 0; i < few_looks; ++i) (void)found[1];
    for (unsigned i = 0; i < 2; ++i) asm volatile("pause");
    return found[1] - before > 1;
}

static uint64_t* page_of(uint64_t value) {
    uint64_t* const at = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                              0);

    need(at != MAP_FAILED, "memory");
    *at = value;
    return at;
}

// Deleted, then another page in its place, emptied, and moved away and back.
static unsigned one_remap(struct machine* machine, uint64_t round) {
    uint64_t const device = 0x0101010101010101ull * device_byte;
    uint64_t* const first = page_of(2 * round + 1);
    uint64_t* const second = page_of(2 * round + 2);
    unsigned leaks = 0;

    need(!machine_slot(machine, 1, watched, page, first, 0), "slot");
    leaks += seen_now(machine) != 2 * round + 1;
    need(!machine_slot(machine, 1, watched, 0, first, 0), "delete");
    leaks += seen_now(machine) != device;
    need(!machine_slot(machine, 1, watched, page, second, 0), "slot");
    leaks += seen_now(machine) != 2 * round + 2;
    madvise(second, page, MADV_DONTNEED);
    leaks += seen_now(machine) != 0;
    *second = 2 * round + 2;
    need(!machine_slot(machine, 1, watched + page, page, second, 0), "move");
    leaks += seen_now(machine) != device;
    need(!machine_slot(machine, 1, watched, page, second, 0), "back");
    leaks += seen_now(machine) != 2 * round + 2;
    munmap(second, page);
    leaks += looks_on(machine);
    need(!machine_slot(machine, 1, watched, 0, second, 0), "delete");
    munmap(first, page);
    return leaks;
}

static int remap(char const* node, unsigned long rounds) {
    struct machine machine;
    pthread_t thread;
    unsigned long leaks = 0;

    machine_open(&machine, node);
    machine_load(&machine, &watcher_blob);
    stay_on(0);
    pthread_create(&thread, NULL, run_watcher, &machine);
    for (unsigned long i = 0; i < rounds; ++i) leaks += one_remap(&machine, i);
    stop = true;
    machine.run->immediate_exit = 1;
    pthread_join(thread, NULL);
    printf("rounds %lu\nleaks %lu\n", rounds, leaks);
    return leaks != 0;
}

// The bytes of the code are the guest's own memory: what is read elsewhere comes from the client.
static int scan(char const* node) {
    struct machine machine;
    unsigned asked = 0, own = 0;
    uint32_t told = 0;

    machine_open(&machine, node);
    memset(machine.memory, device_byte, memory_bytes);
    machine_load(&machine, &scanner_blob);
    for (unsigned at = 8; at < memory_bytes; at += 1u << 18) {
        uint32_t word;

        memcpy(&word, machine.memory + at, sizeof word);
        own += word != 0x01010101u * device_byte;
    }
    while (!ioctl(machine.vcpu, KVM_RUN, 0) && machine.run->exit_reason == KVM_EXIT_MMIO) {
        memset(machine.run->mmio.data, device_byte, machine.run->mmio.len);
        ++asked;
    }
    memcpy(&told, (unsigned char*)machine.run + machine.run->io.data_offset, sizeof told);
    printf("asked %u\nforeign %u\nexit %u\n", asked, told - own, machine.run->exit_reason);
    machine_close(&machine);
    return told != own;
}

// Memory from 16 MiB to 1 GiB, in small pages, of which hardly any is touched.
static void* far_slot(struct machine* machine) {
    void* const at = mmap(NULL, far_end - far_memory, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    need(at != MAP_FAILED, "memory");
    madvise(at, far_end - far_memory, MADV_NOHUGEPAGE);
    need(!machine_slot(machine, 1, far_memory, far_end - far_memory, at, 0), "slot");
    return at;
}

static void tell(struct machine* machine, uint64_t first, uint64_t second) {
    memcpy(machine->memory + told_at, (uint64_t[]){first, second}, 2 * sizeof first);
}

static void run_to(struct machine* machine, unsigned port) {
    need(!ioctl(machine->vcpu, KVM_RUN, 0), "KVM_RUN");
    need(machine->run->exit_reason == KVM_EXIT_IO && machine->run->io.port == port, "port");
}

static void fill(struct machine* machine, char const* node) {
    machine_open(machine, node);
    machine_load(machine, &filler_blob);
    tell(machine, filled, 0);
    far_slot(machine);
    run_to(machine, port_filled);
}

// It is killed in the guest, or on its way there.
static void fill_and_die(char const* node) {
    struct machine machine;
    int ready[2];
    char byte = 0;
    pid_t child;

    need(!pipe(ready), "pipe");
    child = fork();
    if (!child) {
        fill(&machine, node);
        need(write(ready[1], &byte, 1) == 1, "write");
        for (;;) ioctl(machine.vcpu, KVM_RUN, 0);
    }
    close(ready[1]);
    need(read(ready[0], &byte, 1) == 1, "a guest that fills its memory");
    close(ready[0]);
    for (unsigned i = 0; i < few_looks; ++i) asm volatile("pause");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

// How many words a look finds that are not the one expected; without memory, the client answers.
static uint32_t look(struct machine* machine, uint64_t expected, unsigned* asked) {
    uint32_t other;

    tell(machine, expected, 0);
    while (!ioctl(machine->vcpu, KVM_RUN, 0) && machine->run->exit_reason == KVM_EXIT_MMIO) {
        memset(machine->run->mmio.data, device_byte, machine->run->mmio.len);
        ++*asked;
    }
    need(machine->run->exit_reason == KVM_EXIT_IO, "exit");
    memcpy(&other, (unsigned char*)machine->run + machine->run->io.data_offset, sizeof other);
    return other;
}

// A new guest where one was killed: with no memory there, then with new memory, which is empty.
static int freed(char const* node, unsigned long rounds) {
    unsigned long without = 0, with = 0;
    unsigned asked = 0;

    for (unsigned long i = 0; i < rounds; ++i) {
        struct machine machine;
        void* memory;

        fill_and_die(node);
        machine_open(&machine, node);
        machine_load(&machine, &successor_blob);
        without += look(&machine, 0x0101010101010101ull * device_byte, &asked);
        memory = far_slot(&machine);
        with += look(&machine, 0, &asked);
        machine_close(&machine);
        munmap(memory, far_end - far_memory);
    }
    printf("rounds %lu\nasked %u\nwithout %lu\nwith %lu\n", rounds, asked, without, with);
    return without || with;
}

// The guest's tables take more pages than the core has by itself: the first machine is on those,
// the last one on such as Linux has given, and gets back.
static _Noreturn void secret(char const* node, uint64_t key, uint64_t word) {
    struct machine machine[3];

    for (unsigned i = 0; i < 3; ++i) {
        if (i == 1) {
            fill(&machine[1], node);
            continue;
        }
        machine_open(&machine[i], node);
        machine_load(&machine[i], &holder_blob);
        tell(&machine[i], key, word);
        run_to(&machine[i], port_held);
    }
    printf("held\n");
    fflush(stdout);
    for (;;) pause();
}

int main(int count, char** argument) {
    uint64_t const first = count > 3 ? strtoull(argument[3], NULL, 0) : 1;

    if (count < 3) return EXIT_FAILURE;
    if (!strcmp(argument[2], "remap")) return remap(argument[1], first);
    if (!strcmp(argument[2], "scan")) return scan(argument[1]);
    if (!strcmp(argument[2], "freed")) return freed(argument[1], first);
    if (!strcmp(argument[2], "secret") && count > 4)
        secret(argument[1], first, strtoull(argument[4], NULL, 0));
    return EXIT_FAILURE;
}
