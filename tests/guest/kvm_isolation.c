// SPDX-License-Identifier: MIT
// kvm_isolation NODE remap|scan|registers|wide ROUNDS: what a guest sees that is not its own: of a
// page that its client has taken away while it runs on another CPU, of memory beyond its own, and
// in its registers; and what of it is left in its client's. Lines "NAME NUMBER".
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kvm_isolation_blobs.h"
#include "kvm_machine.h"

enum {
    page = 4096,
    vector_bytes = 256,
    state_bytes = 360,
    wide_bytes = 512,    // YMM registers; behind them TSC_AUX and XCR0
    wide_state_bytes = 528,
    device_byte = 0xa5,
    few_looks = 200,
    patience = 100000000
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

    for (unsigned i = 0; i < patience && !stop; ++i)
        if (found[1] - before >= 2) return found[0];
    printf("the guest does not go on\n");
    exit(EXIT_FAILURE);
}

// Without memory there it must not: its client is told instead. A look may have been on its way.
static bool looks_on(struct machine const* machine) {
    uint64_t const volatile* const found = (uint64_t*)(machine->memory + found_at);
    uint64_t const before = found[1];

    for (unsigned i = 0; i < few_looks; ++i) asm volatile("pause");
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
    for (unsigned at = 8; at < memory_bytes; at += 1u << 16) {
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

static void plant_wide(unsigned char* state, unsigned seed) {
    uint64_t const rest[] = {0x1000 + seed, 7};    // x87, SSE and AVX

    for (unsigned i = 0; i < wide_bytes; ++i) state[i] = (unsigned char)(i * 11 + seed * 29 + 3);
    memcpy(state + wide_bytes, rest, sizeof rest);
}

static void plant(unsigned char* state, unsigned seed) {
    uint64_t* const word = (uint64_t*)(state + vector_bytes);

    for (unsigned i = 0; i < vector_bytes; ++i) state[i] = (unsigned char)(i * 7 + seed * 31 + 1);
    for (unsigned i = 0; i < 4; ++i) word[i] = (seed + 1) * 0x1000000ull + i * 0x1000;
    for (unsigned i = 4; i < 9; ++i) word[i] = 0x123400000000ull + seed * 0x1000 + i;
    word[7] = 0x100 * (seed + 1);
    for (unsigned i = 9; i < 13; ++i) word[i] = 0xfeed000000000000ull + seed * 0x1000 + i;
}

// KVM_RUN with planted vector registers; whether they are still there afterwards.
static bool run_keeps(struct machine const* machine, unsigned char const* in, long* result) {
    unsigned char out[vector_bytes];
    long answer = SYS_ioctl;

#define EACH(X) \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define LOAD(n) "movdqu " #n "*16(%[in]), %%xmm" #n "\n"
#define STORE(n) "movdqu %%xmm" #n ", " #n "*16(%[out])\n"
    asm volatile(EACH(LOAD) "syscall\n" EACH(STORE)
                 : "+a"(answer)
                 : [in] "r"(in), [out] "r"(out), "D"((long)machine->vcpu), "S"((long)KVM_RUN),
                   "d"(0l)
                 : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
                   "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    *result = answer;
    return !memcmp(in, out, sizeof out);
}

// The same with whole YMM registers.
static bool run_keeps_wide(struct machine const* machine, unsigned char const* in, long* result) {
    unsigned char out[wide_bytes];
    long answer = SYS_ioctl;

#define LOAD_WIDE(n) "vmovdqu " #n "*32(%[in]), %%ymm" #n "\n"
#define STORE_WIDE(n) "vmovdqu %%ymm" #n ", " #n "*32(%[out])\n"
    asm volatile(EACH(LOAD_WIDE) "syscall\n" EACH(STORE_WIDE) "vzeroupper\n"
                 : "+a"(answer)
                 : [in] "r"(in), [out] "r"(out), "D"((long)machine->vcpu), "S"((long)KVM_RUN),
                   "d"(0l)
                 : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
                   "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    *result = answer;
    return !memcmp(in, out, sizeof out);
}

struct changes {
    unsigned long rounds, at_start, in_guest, in_client, bad_exits;
};

// What a keeper keeps: how many bytes, how many of them are nothing at the start, and how they are
// planted.
struct kept {
    struct blob const* blob;
    unsigned bytes, clean_bytes;
    void (*plant)(unsigned char* state, unsigned seed);
    bool (*run)(struct machine const* machine, unsigned char const* in, long* result);
};
static struct kept const narrow = {&keeper_blob, state_bytes, 328, plant, run_keeps};
static struct kept const wide = {&wide_keeper_blob, wide_state_bytes, 520, plant_wide,
                                 run_keeps_wide};

static void keep(struct machine* machine, struct kept const* what, unsigned seed,
                 unsigned long rounds, struct changes* of) {
    unsigned char mine[wide_state_bytes];
    unsigned char* const found = machine->memory + found_at;
    unsigned char* const planted = machine->memory + planted_at;

    what->plant(planted, seed);
    what->plant(mine, seed + 16);
    for (unsigned long i = 0; i < 2 * rounds + 1; ++i) {
        long result;

        stay_on((int)(i / 3 + seed) % (last_cpu() + 1));
        of->in_client += !what->run(machine, mine, &result);
        if (result || machine->run->exit_reason != KVM_EXIT_IO) {
            ++of->bad_exits;
            return;
        }
        if (machine->run->io.port == 0x91)
            for (unsigned at = 0; at < what->clean_bytes; ++at) of->at_start += found[at] != 0;
        if (machine->run->io.port != 0x93) continue;
        ++of->rounds;
        of->in_guest += memcmp(found, planted, what->bytes) != 0;
        memset(found, 0, what->bytes);
    }
}

// Two guests with their clients, which move over the CPUs.
static int registers(char const* node, struct kept const* what, unsigned long rounds) {
    struct machine machine;
    int failed = 0;

    fflush(stdout);
    for (unsigned seed = 0; seed < 2; ++seed) {
        struct changes c = {0};

        if (fork()) continue;
        machine_open(&machine, node);
        machine_load(&machine, what->blob);
        keep(&machine, what, seed, rounds, &c);
        printf("guest %u rounds %lu start %lu guest %lu client %lu exits %lu\n", seed, c.rounds,
               c.at_start, c.in_guest, c.in_client, c.bad_exits);
        fflush(stdout);
        _exit(c.at_start || c.in_guest || c.in_client || c.bad_exits);
    }
    for (int status = 0; wait(&status) > 0;) failed |= status != 0;
    return failed;
}

int main(int count, char** argument) {
    unsigned long const rounds = count > 3 ? strtoul(argument[3], NULL, 0) : 1;

    if (count < 3) return EXIT_FAILURE;
    if (!strcmp(argument[2], "remap")) return remap(argument[1], rounds);
    if (!strcmp(argument[2], "scan")) return scan(argument[1]);
    if (!strcmp(argument[2], "registers")) return registers(argument[1], &narrow, rounds);
    if (!strcmp(argument[2], "wide")) return registers(argument[1], &wide, rounds);
    return EXIT_FAILURE;
}
