// SPDX-License-Identifier: MIT
// planted SECONDS: on each CPU, keeps values in vector registers, general registers, MXCSR, FS and
// GS base while exits, interrupts, hoists and unhoists come, and tells whether one of them changed.
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { registers = 16, register_bytes = 32 };

struct plants {
    unsigned char vector[registers][register_bytes];
    unsigned long general[6];    // rbx r12 r13 r14 r15 r11
};

// clang-format off
#define ALL(X, R, MOVE) \
    X(0, R, MOVE) X(1, R, MOVE) X(2, R, MOVE) X(3, R, MOVE) \
    X(4, R, MOVE) X(5, R, MOVE) X(6, R, MOVE) X(7, R, MOVE) \
    X(8, R, MOVE) X(9, R, MOVE) X(10, R, MOVE) X(11, R, MOVE) \
    X(12, R, MOVE) X(13, R, MOVE) X(14, R, MOVE) X(15, R, MOVE)
// clang-format on
#define LOAD(n, R, MOVE) MOVE " " #n "*32(%[in]), %%" R #n "\n"
#define STORE(n, R, MOVE) MOVE " %%" R #n ", " #n "*32(%[out])\n"

// CPUID leaves guest operation; PAUSE gives interrupts a place to come.
#define HOLD(name, R, MOVE) \
    static void name(struct plants const* in, struct plants* out) { \
        asm volatile( \
            ALL(LOAD, R, \
                MOVE) "mov 512(%[in]), %%rbx\nmov 520(%[in]), %%r12\n" \
                      "mov 528(%[in]), %%r13\nmov 536(%[in]), %%r14\nmov 544(%[in]), %%r15\n" \
                      "mov 552(%[in]), %%r11\nmov $200, %%r10\n" \
                      "1: mov %%rbx, %%r9\nxor %%eax, %%eax\nxor %%ecx, %%ecx\ncpuid\nmov %%r9, " \
                      "%%rbx\n" \
                      "pause\npause\npause\npause\ndec %%r10\njnz 1b\n" ALL( \
                          STORE, R, MOVE) "mov %%rbx, 512(%[out])\nmov %%r12, 520(%[out])\nmov " \
                                          "%%r13, 528(%[out])\n" \
                                          "mov %%r14, 536(%[out])\nmov %%r15, 544(%[out])\nmov " \
                                          "%%r11, 552(%[out])\n" \
            : \
            : [in] "D"(in), [out] "S"(out) \
            : "rax", "rbx", "rcx", "rdx", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", \
              "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", \
              "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "memory", "cc"); \
    }

HOLD(hold_sse, "xmm", "movdqu")
HOLD(hold_avx, "ymm", "vmovdqu")

static unsigned long base(int which) {
    unsigned long value = 0;

    syscall(SYS_arch_prctl, which, &value);
    return value;
}

static int keep(int cpu, time_t until) {
    struct plants in, out;
    cpu_set_t set;
    unsigned long const gs = 0x7000dead0000ul + (unsigned long)cpu, fs = base(ARCH_GET_FS);
    unsigned long held = 0;
    bool good = true;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
    for (size_t i = 0; i < sizeof in; ++i) ((unsigned char*)&in)[i] = (unsigned char)(i * 7 + 13);
    out = in;    // SSE alone leaves the upper halves to this copy
    syscall(SYS_arch_prctl, ARCH_SET_GS, gs);
    while (good && time(NULL) < until) {
        if (__builtin_cpu_supports("avx"))
            hold_avx(&in, &out);
        else
            hold_sse(&in, &out);
        good = memcmp(&in, &out, sizeof in) == 0 && base(ARCH_GET_GS) == gs &&
               base(ARCH_GET_FS) == fs;
        ++held;
    }
    printf("cpu%d held %lu %s\n", cpu, held, good ? "kept" : "CHANGED");
    return good ? 0 : 1;
}

int main(int count, char** argument) {
    int const cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
    time_t const until = time(NULL) + (count > 1 ? atol(argument[1]) : 1);
    int failed = 0;

    for (int cpu = 0; cpu < cpus; ++cpu)
        if (!fork()) return keep(cpu, until);
    for (int status = 0; wait(&status) > 0;) failed |= status != 0;
    return failed;
}
