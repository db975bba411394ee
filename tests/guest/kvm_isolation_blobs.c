// SPDX-License-Identifier: MIT
#include "kvm_isolation_blobs.h"

// Reads the page for ever; what it has seen last, and how often it has looked, is at found_at.
BLOB(watcher, 64, R"(
    mov $0x100000, %esi
    mov $0x2c000, %edi
1:  mov (%rsi), %rax
    mov %rax, (%rdi)
    incq 8(%rdi)
    jmp 1b
)");

// Every 64 KiB of 1 GiB, its own memory and what is behind it; the sum is told.
BLOB(scanner, 64, R"(
    xor %esi, %esi
    xor %ebx, %ebx
1:  mov 8(%rsi), %eax
    cmp $0xa5a5a5a5, %eax
    je 2f
    inc %ebx
2:  add $0x10000, %esi
    cmp $0x40000000, %esi
    jb 1b
    mov %ebx, %eax
    out %eax, $0x90
    hlt
)");

// vectors put|get: that macro for each of the sixteen.
#define VECTORS \
    ".macro vectors what:vararg\n" \
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n" \
    "\\what \\n\n" \
    ".endr\n" \
    ".endm\n"

// Finds what its registers hold at the start, then holds its own over exits of each kind, and tells
// where one has changed. MSRs that the CPU holds while it runs: STAR, LSTAR, CSTAR, FMASK,
// KERNEL_GS_BASE.
BLOB(keeper, 64, VECTORS R"(
    .macro put n
    movdqu %xmm\n, \n * 16(%rdi)
    .endm
    .macro get n
    movdqu \n * 16(%rsi), %xmm\n
    .endm
    mov $0x2c000, %edi
    vectors put
    mov %dr0, %rax
    mov %rax, 256(%rdi)
    mov %dr1, %rax
    mov %rax, 264(%rdi)
    mov %dr2, %rax
    mov %rax, 272(%rdi)
    mov %dr3, %rax
    mov %rax, 280(%rdi)
    lea 288(%rdi), %r8
    mov $5, %r9d
    lea 7f(%rip), %r10
1:  mov (%r10), %ecx
    add $4, %r10
    rdmsr
    mov %eax, (%r8)
    mov %edx, 4(%r8)
    add $8, %r8
    dec %r9d
    jnz 1b
    out %al, $0x91
    mov $0x2b000, %esi
    vectors get
    mov 256(%rsi), %rax
    mov %rax, %dr0
    mov 264(%rsi), %rax
    mov %rax, %dr1
    mov 272(%rsi), %rax
    mov %rax, %dr2
    mov 280(%rsi), %rax
    mov %rax, %dr3
    lea 288(%rsi), %r8
    mov $5, %r9d
    lea 7f(%rip), %r10
1:  mov (%r10), %ecx
    add $4, %r10
    mov (%r8), %eax
    mov 4(%r8), %edx
    wrmsr
    add $8, %r8
    dec %r9d
    jnz 1b
    mov 328(%rsi), %r11
    mov 336(%rsi), %r12
    mov 344(%rsi), %r14
    mov 352(%rsi), %r15
3:  mov $0x2c000, %edi
    mov $0x2b000, %esi
    mov $100, %ebp
4:  xor %eax, %eax
    cpuid
    mov $0x2b000, %esi
    pause
    dec %ebp
    jnz 4b
    out %al, $0x92
    mov $0x2c000, %edi
    vectors put
    mov %dr0, %rax
    mov %rax, 256(%rdi)
    mov %dr1, %rax
    mov %rax, 264(%rdi)
    mov %dr2, %rax
    mov %rax, 272(%rdi)
    mov %dr3, %rax
    mov %rax, 280(%rdi)
    mov %r11, 328(%rdi)
    mov %r12, 336(%rdi)
    mov %r14, 344(%rdi)
    mov %r15, 352(%rdi)
    lea 288(%rdi), %r8
    mov $5, %r9d
    lea 7f(%rip), %r10
1:  mov (%r10), %ecx
    add $4, %r10
    rdmsr
    mov %eax, (%r8)
    mov %edx, 4(%r8)
    add $8, %r8
    dec %r9d
    jnz 1b
    out %al, $0x93
    jmp 3b
.balign 4
7:  .long 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000102
    .purgem vectors
    .purgem put
    .purgem get
)");

// The same with what XSAVE has beyond that: whole YMM registers and XCR0; and TSC_AUX.
BLOB(wide_keeper, 64, VECTORS R"(
    .macro put n
    vmovdqu %ymm\n, \n * 32(%rdi)
    .endm
    .macro get n
    vmovdqu \n * 32(%rsi), %ymm\n
    .endm
    mov $0x2c000, %edi
    mov $0x2b000, %esi
    mov %cr4, %rax
    or $0x40000, %eax
    mov %rax, %cr4
    xor %ecx, %ecx
    xgetbv
    mov %rax, 520(%rdi)
    mov $7, %eax
    xor %edx, %edx
    xsetbv
    vectors put
    rdtscp
    mov %rcx, 512(%rdi)
    out %al, $0x91
    vectors get
    mov $0xc0000103, %ecx
    mov 512(%rsi), %eax
    xor %edx, %edx
    wrmsr
3:  mov $0x2c000, %edi
    mov $100, %ebp
4:  xor %eax, %eax
    cpuid
    pause
    dec %ebp
    jnz 4b
    out %al, $0x92
    vectors put
    xor %ecx, %ecx
    xgetbv
    mov %rax, 520(%rdi)
    rdtscp
    mov %rcx, 512(%rdi)
    out %al, $0x93
    jmp 3b
    .purgem vectors
    .purgem put
    .purgem get
)");

struct blob const watcher_blob = ENTRY(watcher, long64);
struct blob const scanner_blob = ENTRY(scanner, long64);
struct blob const keeper_blob = ENTRY(keeper, long64);
struct blob const wide_keeper_blob = ENTRY(wide_keeper, long64);
