// SPDX-License-Identifier: MIT
// withdraw ROUNDS: a thread on the last CPU keeps writing to a page while this one, on CPU 0, has a
// rule take the page's write right away and give it back. Once the rule is in force, no write may
// land.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "netlink.h"

enum { page = 4096, looks = 200, patience = 200000000 };

static volatile unsigned long* word;
static volatile unsigned long faults;
static volatile bool stop;
static sigjmp_buf back;

static void on_fault(int number) {
    (void)number;
    ++faults;
    siglongjmp(back, 1);
}

static void stay_on(int cpu) {
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static void* keep_writing(void* cpu) {
    stay_on(*(int*)cpu);
    sigsetjmp(back, 1);
    while (!stop) {
        asm volatile("pause");    // QEMU with one thread goes on with the next CPU
        ++*word;
    }
    return NULL;
}

static unsigned long physical(void const* at) {
    unsigned long entry = 0;
    int const map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

    if (pread(map, &entry, sizeof entry, (off_t)((unsigned long)at / page * sizeof entry)) < 0)
        entry = 0;
    close(map);
    return (entry & ((1ul << 55) - 1)) * page;
}

// Whether the word changes within a while.
static bool moves(unsigned long tries) {
    unsigned long const before = *word;

    for (unsigned long i = 0; i < tries; ++i) {
        if (*word != before) return true;
        asm volatile("pause");
    }
    return false;
}

static int round_of(struct hv_link* link, struct hv_rule const* rule, unsigned long* leaks) {
    int error = link_set_rules(link, rule, 1);

    if (error) return error;
    *leaks += moves(looks);
    error = link_set_rules(link, rule, 0);
    if (!error && !moves(patience)) return -110;
    return error;
}

int main(int count, char** argument) {
    static struct hv_link link;
    unsigned long const rounds = count > 1 ? strtoul(argument[1], NULL, 0) : 1;
    int cpu = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1, error = 0;
    unsigned long leaks = 0, done = 0;
    pthread_t thread;

    word = mmap(NULL, page, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_LOCKED, -1, 0);
    signal(SIGSEGV, on_fault);
    link_open(&link);
    stay_on(0);
    unsigned long const frame = physical((void const*)word);
    struct hv_rule const rule = {.id = 1,
                                 .kind = HV_RULE_MEMORY,
                                 .action = HV_ACTION_DENY,
                                 .access = HV_ACCESS_WRITE,
                                 .first = frame,
                                 .last = frame + page - 1};
    if (!frame) return EXIT_FAILURE;
    pthread_create(&thread, NULL, keep_writing, &cpu);
    if (!moves(patience)) return EXIT_FAILURE;
    for (; !error && done < rounds; ++done) error = round_of(&link, &rule, &leaks);
    stop = true;
    pthread_join(thread, NULL);
    printf("rounds %lu\nleaks %lu\nfaults %lu\nmoved %d\nerror %d %s\n", done, leaks, faults,
           physical((void const*)word) != frame, error, link.message);
    return error || leaks ? EXIT_FAILURE : EXIT_SUCCESS;
}
