// SPDX-License-Identifier: MIT
// steps: runs code under TF, MOV SS and data breakpoints in ring 3 and prints each trap that its
// parent sees: "NAME signal+offset/dr6 …". The same with and without the core, or something is
// wrong.
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { events_most = 16, trap_flag = 0x100 };

// A selector to load SS from, under a breakpoint on data.
unsigned long watched_word = 0x2b;

#define STEP "pushfq; orq $0x100, (%%rsp); popfq\n"
#define REST "pushfq; andq $~0x100, (%%rsp); popfq\n"
#define SELECTOR "movl $0x2b, %%ebx; xorl %%eax, %%eax\n"
#define CASE(name, code) \
    static __attribute__((noinline)) void name(void) { \
        asm volatile("subq $256, %%rsp\n" code "addq $256, %%rsp\n" :: \
                         : "rax", "rbx", "rcx", "rdx", "cc", "memory"); \
    }

CASE(icebp, ".byte 0xf1\n")
CASE(step_icebp, STEP ".byte 0xf1\n" REST)
CASE(breakpoint, "int3\n")
CASE(step_cpuid, "xorl %%eax, %%eax\n" STEP "cpuid; nop\n" REST)
CASE(step_two_cpuids, "xorl %%eax, %%eax\n" STEP "cpuid; cpuid\n" REST)
CASE(step_vmcall, "xorl %%eax, %%eax\n" STEP "vmcall; nop\n" REST)
CASE(step_vmmcall, "xorl %%eax, %%eax\n" STEP "vmmcall; nop\n" REST)
CASE(step_vmlaunch, STEP "vmlaunch; nop\n" REST)
CASE(step_invd, STEP "invd; nop\n" REST)
CASE(step_xsetbv, "xorl %%ecx, %%ecx\n" STEP "xsetbv; nop\n" REST)
CASE(ss_cpuid, SELECTOR "movl %%ebx, %%ss; cpuid; nop\n")
CASE(ss_step_cpuid, SELECTOR STEP "movl %%ebx, %%ss; cpuid; nop\n" REST)
CASE(pop_ss_cpuid, "xorl %%eax, %%eax; pushq $0x2b; .byte 0x8e, 0x14, 0x24; cpuid; popq %%rbx\n")
CASE(ss_int3, SELECTOR "movl %%ebx, %%ss; int3; nop\n")
CASE(ss_icebp, SELECTOR "movl %%ebx, %%ss; .byte 0xf1; nop\n")
CASE(ss_vmcall, SELECTOR "movl %%ebx, %%ss; vmcall; nop\n")
CASE(ss_vmmcall, SELECTOR "movl %%ebx, %%ss; vmmcall; nop\n")
CASE(watched, "movq watched_word(%%rip), %%rbx; nop\n")
CASE(watched_ss_nop, "movw watched_word(%%rip), %%ss; nop; nop\n")
CASE(watched_ss_cpuid, "xorl %%eax, %%eax; movw watched_word(%%rip), %%ss; cpuid; nop\n")
CASE(watched_ss_int3, "movw watched_word(%%rip), %%ss; int3; nop\n")
CASE(watched_ss_icebp, "movw watched_word(%%rip), %%ss; .byte 0xf1; nop\n")
CASE(watched_ss_vmcall, "movw watched_word(%%rip), %%ss; vmcall; nop\n")
CASE(watched_ss_vmmcall, "movw watched_word(%%rip), %%ss; vmmcall; nop\n")
CASE(watched_ss_syscall, "movl $39, %%eax; movw watched_word(%%rip), %%ss; syscall; nop\n")
CASE(step_syscall, "movl $39, %%eax\n" STEP "syscall; nop\n" REST)

#define ENTRY(name) {#name, name}

static struct {
    char const* name;
    void (*run)(void);
} const cases[] = {
    ENTRY(icebp),
    ENTRY(step_icebp),
    ENTRY(breakpoint),
    ENTRY(step_cpuid),
    ENTRY(step_two_cpuids),
    ENTRY(step_vmcall),
    ENTRY(step_vmmcall),
    ENTRY(step_vmlaunch),
    ENTRY(step_invd),
    ENTRY(step_xsetbv),
    ENTRY(ss_cpuid),
    ENTRY(ss_step_cpuid),
    ENTRY(pop_ss_cpuid),
    ENTRY(ss_int3),
    ENTRY(ss_icebp),
    ENTRY(ss_vmcall),
    ENTRY(ss_vmmcall),
    ENTRY(watched),
    ENTRY(watched_ss_nop),
    ENTRY(watched_ss_cpuid),
    ENTRY(watched_ss_int3),
    ENTRY(watched_ss_icebp),
    ENTRY(watched_ss_vmcall),
    ENTRY(watched_ss_vmmcall),
    ENTRY(step_syscall),
    ENTRY(watched_ss_syscall),
};

static size_t debug_register(unsigned number) {
    return offsetof(struct user, u_debugreg) + number * sizeof(long);
}

static void watch_word(pid_t child) {
    ptrace(PTRACE_POKEUSER, child, debug_register(0), &watched_word);
    // On reads and writes of eight bytes, local.
    ptrace(PTRACE_POKEUSER, child, debug_register(7), 0x1ul | 0xbul << 16);
}

// One stop of the child. False: it may not go on.
static int tell_stop(pid_t child, int signal, void (*from)(void), unsigned count) {
    struct user_regs_struct registers;
    long const dr6 = ptrace(PTRACE_PEEKUSER, child, debug_register(6), NULL);

    ptrace(PTRACE_GETREGS, child, NULL, &registers);
    printf(" %d+%ld/%lx", signal, (long)(registers.rip - (unsigned long)from), dr6 & 0xffff);
    ptrace(PTRACE_POKEUSER, child, debug_register(6), 0);
    if (signal != SIGTRAP) return 0;
    if (count >= events_most) {
        registers.eflags &= ~(unsigned long)trap_flag;
        ptrace(PTRACE_SETREGS, child, NULL, &registers);
    }
    return 1;
}

static void follow(pid_t child, void (*from)(void)) {
    int status = 0;

    waitpid(child, &status, 0);    // the stop that the child asked for
    watch_word(child);
    for (unsigned count = 0;; ++count) {
        ptrace(PTRACE_CONT, child, NULL, NULL);
        waitpid(child, &status, 0);
        if (!WIFSTOPPED(status)) break;
        if (tell_stop(child, WSTOPSIG(status), from, count)) continue;
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        return;
    }
    if (WIFSIGNALED(status)) printf(" died of %d", WTERMSIG(status));
}

int main(void) {
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        printf("%s", cases[i].name);
        fflush(stdout);
        pid_t const child = fork();
        if (!child) {
            ptrace(PTRACE_TRACEME, 0, NULL, NULL);
            raise(SIGSTOP);
            cases[i].run();
            _exit(0);
        }
        follow(child, cases[i].run);
        printf("\n");
    }
    return EXIT_SUCCESS;
}
