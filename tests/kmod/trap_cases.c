// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The cases of traps.c. Each one is straight code; TF is on between STEP and REST. */
#include <linux/kernel.h>

#include "hv_test.h"

/* A selector to load SS from, under a breakpoint on data. */
u64 hv_test_watched;

#define STEP	"pushfq; orq $0x100, (%%rsp); popfq\n"
#define REST	"pushfq; andq $~0x100, (%%rsp); popfq\n"
#define CPUID	"xorl %%eax, %%eax; cpuid\n"

#define CASE(name, code) \
static noinline void name(void) \
{ \
	asm volatile(code ::: "rax", "rbx", "rcx", "rdx", "cc", "memory"); \
}

CASE(icebp, ".byte 0xf1\n")
CASE(step_icebp, STEP ".byte 0xf1\n" REST)
CASE(breakpoint, "int3\n")
CASE(step_cpuid, STEP CPUID "nop\n" REST)
CASE(step_wrmsr, "movl $0x174, %%ecx; rdmsr\n" STEP "wrmsr; nop\n" REST)
CASE(step_invd, STEP "invd; nop\n" REST)
CASE(ss_cpuid, "movl %%ss, %%ebx; xorl %%eax, %%eax; movl %%ebx, %%ss; cpuid\n")
CASE(ss_step_cpuid, "movl %%ss, %%ebx; xorl %%eax, %%eax\n" STEP "movl %%ebx, %%ss; cpuid\n" REST)
CASE(ss_int3, "movl %%ss, %%ebx; movl %%ebx, %%ss; int3\n")
CASE(ss_icebp, "movl %%ss, %%ebx; movl %%ebx, %%ss; .byte 0xf1\n")
CASE(watched_ss_cpuid, "movl %%ss, %%ebx; movq %%rbx, hv_test_watched(%%rip); xorl %%eax, %%eax\n"
		       "movw hv_test_watched(%%rip), %%ss; cpuid; nop\n")
CASE(watched_ss_int3, "movw hv_test_watched(%%rip), %%ss; int3; nop\n")
CASE(watched_ss_icebp, "movw hv_test_watched(%%rip), %%ss; .byte 0xf1; nop\n")
CASE(sti_cpuid, "xorl %%eax, %%eax; cli; sti; cpuid; cli\n")
CASE(sti_step_cpuid, "xorl %%eax, %%eax; cli\n" STEP "sti; cpuid; cli\n" REST)

#define ENTRY(name) { #name, name }

const struct hv_test_trap_case hv_test_trap_cases[] = {
	ENTRY(icebp), ENTRY(step_icebp), ENTRY(breakpoint), ENTRY(step_cpuid), ENTRY(step_wrmsr),
	ENTRY(step_invd), ENTRY(ss_cpuid), ENTRY(ss_step_cpuid), ENTRY(ss_int3), ENTRY(ss_icebp),
	ENTRY(watched_ss_cpuid), ENTRY(watched_ss_int3), ENTRY(watched_ss_icebp), ENTRY(sti_cpuid),
	ENTRY(sti_step_cpuid),
};

const unsigned int hv_test_trap_case_count = ARRAY_SIZE(hv_test_trap_cases);
