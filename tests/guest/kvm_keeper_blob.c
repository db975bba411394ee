// SPDX-License-Identifier: MIT
#include "kvm_keeper_blob.h"

// Where struct keeper_state has what, from its beginning.
_Static_assert(offsetof(struct keeper_state, rbp) == 3072, "blob");
_Static_assert(offsetof(struct keeper_state, dr) == 3152, "blob");
_Static_assert(offsetof(struct keeper_state, msr) == 3208, "blob");
_Static_assert(offsetof(struct keeper_state, tsc_aux) == 3288, "blob");
_Static_assert(offsetof(struct keeper_state, xcr0) == 3304, "blob");

// general OP: OP offset, register for each of those that are kept.
#define KEPT_GENERAL \
    ".macro general op\n" \
    "\\op 3072, %rbp\n \\op 3080, %rsp\n \\op 3088, %r8\n \\op 3096, %r9\n" \
    "\\op 3104, %r10\n \\op 3112, %r11\n \\op 3120, %r12\n \\op 3128, %r13\n" \
    "\\op 3136, %r14\n \\op 3144, %r15\n" \
    ".endm\n"
#define KEPT_DEBUG \
    ".macro debug op\n" \
    "\\op 3152, %dr0\n \\op 3160, %dr1\n \\op 3168, %dr2\n \\op 3176, %dr3\n" \
    "\\op 3184, %dr6\n \\op 3192, %dr7\n \\op 3200, %cr2\n" \
    ".endm\n"

// Tells what its registers hold at the start, then holds its own over exits of each kind, and tells
// again and again what they hold. %rdi and %rsi lead to the two states.
BLOB(keeper, 64, KEPT_GENERAL KEPT_DEBUG R"(
    .macro tell offset, register
    mov \register, \offset(%rdi)
    .endm
    .macro tell_special offset, register
    mov \register, %rax
    mov %rax, \offset(%rdi)
    .endm
    .macro plant offset, register
    mov \offset(%rsi), \register
    .endm
    .macro plant_special offset, register
    mov \offset(%rsi), %rax
    mov %rax, \register
    .endm

    .macro tell_all
    mov $0x2c000, %edi
    mov $0x2b000, %esi
    general tell
    debug tell_special
    mov 3304(%rsi), %eax
    xor %edx, %edx
    test %eax, %eax
    jnz 1f
    fxsave64 (%rdi)
    jmp 2f
1:  xsave64 (%rdi)
    xor %ecx, %ecx
    xgetbv
    mov %rax, 3304(%rdi)
2:  cmpl $0, 3312(%rsi)
    je 1f
    rdtscp
    mov %rcx, 3288(%rdi)
1:  cmpl $0, 3320(%rsi)
    je 1f
    xor %ecx, %ecx
    rdpkru
    mov %rax, 3296(%rdi)
1:  lea 7f(%rip), %rsi
    add $3208, %rdi
1:  mov (%rsi), %ecx
    rdmsr
    mov %eax, (%rdi)
    mov %edx, 4(%rdi)
    add $4, %rsi
    add $8, %rdi
    cmpl $0, (%rsi)
    jne 1b
    .endm

    mov $0x2b000, %esi
    mov 3304(%rsi), %eax
    xor %ecx, %ecx
    xor %edx, %edx
    test %eax, %eax
    jz 1f
    mov %cr4, %rbx
    or $0x40000, %ebx
    mov %rbx, %cr4
    xsetbv
1:  cmpl $0, 3320(%rsi)
    je 1f
    mov %cr4, %rbx
    or $0x400000, %ebx
    mov %rbx, %cr4
1:  tell_all
    out %al, $0x91

    mov $0x2b000, %esi
    debug plant_special
    mov 3304(%rsi), %eax
    )" RESTORE_VECTORS R"(
    cmpl $0, 3312(%rsi)
    je 1f
    mov $0xc0000103, %ecx
    mov 3288(%rsi), %eax
    xor %edx, %edx
    wrmsr
1:  cmpl $0, 3320(%rsi)
    je 1f
    xor %ecx, %ecx
    xor %edx, %edx
    mov 3296(%rsi), %eax
    wrpkru
1:  lea 7f(%rip), %rbx
    lea 3208(%rsi), %rdi
1:  mov (%rbx), %ecx
    mov (%rdi), %eax
    mov 4(%rdi), %edx
    wrmsr
    add $4, %rbx
    add $8, %rdi
    cmpl $0, (%rbx)
    jne 1b
    general plant

3:  mov $100, %esi
4:  xor %eax, %eax
    cpuid
    pause
    dec %esi
    jnz 4b
    out %al, $0x92
    tell_all
    out %al, $0x93
    jmp 3b
.balign 4
7:  .long 0x174, 0x175, 0x176, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084
    .long 0xc0000100, 0xc0000101, 0xc0000102, 0
    .purgem general
    .purgem debug
    .purgem tell
    .purgem tell_special
    .purgem tell_all
    .purgem plant
    .purgem plant_special
)");

struct blob const keeper_blob = ENTRY(keeper, long64);
