// SPDX-License-Identifier: MIT
#include "kvm_isolation_blobs.h"

// Reads the page for ever; what it has seen last, and how often it has looked, is at found_at. An
// emulator that has one thread for all CPUs goes on with the next one at each PAUSE.
BLOB(watcher, 64, R"(
    mov $0x100000, %esi
    mov $0x2c000, %edi
1:  mov (%rsi), %rax
    mov %rax, (%rdi)
    incq 8(%rdi)
    pause
    jmp 1b
)");

// Every 256 KiB of 1 GiB, its own memory and what is behind it; the sum is told.
BLOB(scanner, 64, R"(
    xor %esi, %esi
    xor %ebx, %ebx
1:  mov 8(%rsi), %eax
    cmp $0xa5a5a5a5, %eax
    je 2f
    inc %ebx
2:  add $0x40000, %esi
    cmp $0x40000000, %esi
    jb 1b
    mov %ebx, %eax
    out %eax, $0x90
    hlt
)");

// Writes the value at told_at once in every 2 MiB of its far memory, so that each of them takes a
// table of its own, and is then busy there until it is killed.
BLOB(filler, 64, R"(
    mov 0x2b000, %rax
    mov $0x1000000, %esi
1:  mov %rax, 8(%rsi)
    add $0x200000, %esi
    cmp $0x40000000, %esi
    jb 1b
    out %al, $0x94
2:  mov $0x1000000, %esi
1:  mov %rax, 8(%rsi)
    pause
    add $0x200000, %esi
    cmp $0x40000000, %esi
    jb 1b
    jmp 2b
)");

// Reads there; how many words are not the one at told_at is told, again and again.
BLOB(successor, 64, R"(
2:  xor %ebx, %ebx
    mov 0x2b000, %rdx
    mov $0x1000000, %esi
1:  mov 8(%rsi), %rax
    cmp %rdx, %rax
    je 3f
    inc %ebx
3:  add $0x200000, %esi
    cmp $0x40000000, %esi
    jb 1b
    mov %ebx, %eax
    out %eax, $0x90
    jmp 2b
)");

// Holds the xor of two words at told_at, which is in no memory, in general registers and in STAR.
BLOB(holder, 64, R"(
    mov 0x2b000, %r8
    xor 0x2b008, %r8
    mov %r8, %r9
    mov %r8, %r10
    mov %r8, %r11
    mov %r8, %r12
    mov %r8, %r13
    mov %r8, %r14
    mov %r8, %r15
    mov $0xc0000081, %ecx
    mov %r8d, %eax
    mov %r8, %rdx
    shr $32, %rdx
    wrmsr
    xor %eax, %eax
    xor %edx, %edx
    out %al, $0x95
    hlt
)");

struct blob const watcher_blob = ENTRY(watcher, long64);
struct blob const scanner_blob = ENTRY(scanner, long64);
struct blob const filler_blob = ENTRY(filler, long64);
struct blob const successor_blob = ENTRY(successor, long64);
struct blob const holder_blob = ENTRY(holder, long64);
