// SPDX-License-Identifier: MIT
#include "kvm_blobs.h"

#include <string.h>

// Each width out and in, what was read sent out again, strings up and down.
BLOB(ports, 16, R"(
    mov $0x11223344, %eax
    out %al, $0x10
    out %ax, $0x12
    out %eax, $0x14
    mov $0x3f8, %dx
    out %al, %dx
    in $0x20, %al
    in %dx, %ax
    out %ax, $0x16
    in %dx, %eax
    out %eax, $0x18
    cld
    mov $0x2000, %di
    mov $5, %cx
    rep insb
    mov $0x2000, %si
    mov $5, %cx
    rep outsb
    std
    mov $2, %cx
    rep insw
    outsl
    xor %cx, %cx
    rep outsb
    mov $3, %cx
    hlt
)");

// A device at d0000: 88 89 8a 8b a1 a3 c7, and what moves more than once.
BLOB(device16, 16, R"(
    mov $0xd000, %ax
    mov %ax, %ds
    mov $0xabcd1234, %ebx
    mov %bl, (4)
    mov %bx, (6)
    mov %ebx, (8)
    mov (0x10), %cl
    mov (0x12), %dx
    mov (0x14), %ecx
    mov (0x20), %ax
    mov %ax, (0x22)
    movw $0x5678, (0x24)
    movb $0x9a, %cs:0x3000
    mov %cs:0x3000, %ch
    cld
    xor %ax, %ax
    mov %ax, %es
    mov $0x40, %si
    mov $0x3000, %di
    mov $3, %cx
    rep movsw
    mov %es:0x3002, %ebp
    hlt
)");

BLOB(device32, 32, R"(
    mov $0xd0000, %esi
    mov (%esi), %eax
    add %eax, 4(%esi)
    orl $0xf0, 8(%esi)
    xor 12(%esi), %ebx
    movzbl 16(%esi), %ecx
    movswl 18(%esi), %edx
    testb $1, 20(%esi)
    sete %bl
    incl 24(%esi)
    xchg %edx, 28(%esi)
    mov $0x12345678, %eax
    lock cmpxchg %ecx, 32(%esi)
    cmpl $7, 36(%esi)
    setb %bh
    mov $0xd0040, %edi
    mov $0x20000, %esi
    movl $0x01020304, (%esi)
    movl $0x05060708, 4(%esi)
    mov $2, %ecx
    cld
    rep movsl
    mov $0x77, %al
    mov $3, %ecx
    rep stosb
    mov $0xcffff, %ebp
    mov %eax, (%ebp)
    pushf
    pop %edi
    hlt
)");

BLOB(device64, 64, R"(
    mov $0xd0000, %r15
    mov (%r15), %rax
    mov %rax, 8(%r15)
    mov 16(%r15), %r8d
    mov %r8b, 20(%r15)
    movl $-2, 24(%r15)
    movq $-2, 32(%r15)
    movzbq 40(%r15), %r9
    movsbq 41(%r15), %rbx
    movslq 44(%r15), %rcx
    sub %rcx, 48(%r15)
    notq 56(%r15)
    btsl $3, 64(%r15)
    mov $0x10000000000, %rsi
    mov 0xd0048(%rsi), %edx
    hlt
)");

BLOB(modes, 16, R"(
    lgdt %cs:0x1000 + 5f - blob_modes
    mov $1, %al
    out %al, $0x30
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl $8, $0x1000 + 1f - blob_modes
.code32
1:  mov $16, %eax
    mov %eax, %ds
    mov %eax, %ss
    mov $2, %al
    out %al, $0x30
    movl $0x11003, 0x10000
    movl $0x12003, 0x11000
    movl $0x83, 0x12000
    mov $0x10000, %eax
    mov %eax, %cr3
    mov $0x20, %eax
    mov %eax, %cr4
    mov $0xc0000080, %ecx
    rdmsr
    or $0x100, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80000000, %eax
    mov %eax, %cr0
    ljmp $24, $0x1000 + 2f - blob_modes
.code64
2:  mov $3, %al
    out %al, $0x30
    rdmsr
    mov %rax, %rbx
    mov $-1, %rdx
    shr $20, %rdx
    mov %cr4, %rsi
    mov %cr0, %rdi
    hlt
.balign 8
4:  .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
5:  .word 31
    .long 0x1000 + 4b - blob_modes
)");

BLOB(cpuid, 64, R"(
    mov $0x40000000, %eax
    cpuid
    mov %ebx, %esi
    xor %eax, %eax
    cpuid
    mov %ebx, %r8d
    mov $1, %eax
    cpuid
    shr $31, %ecx
    mov %ecx, %r9d
    xor %eax, %eax
    xor %ebx, %ebx
    xor %edx, %edx
    hlt
)");

BLOB(msrs, 64, R"(
    mov $0xc0000082, %ecx
    mov $0x12345678, %eax
    mov $0xffff8000, %edx
    wrmsr
    xor %eax, %eax
    xor %edx, %edx
    rdmsr
    mov %rax, %rsi
    mov %rdx, %rdi
    mov $0x277, %ecx
    rdmsr
    mov %rax, %r8
    mov %rdx, %r9
    mov $0x1b, %ecx
    rdmsr
    mov %rax, %rbx
    mov $0x2ff, %ecx
    mov $0x806, %eax
    xor %edx, %edx
    wrmsr
    rdmsr
    mov %rax, %rbp
    mov $0x10, %ecx
    rdmsr
    xor %eax, %eax
    xor %edx, %edx
    hlt
)");

BLOB(unknown_msr, 32, "mov $0x12345, %ecx\n rdmsr\n hlt");
BLOB(bad_msr_value, 64, "mov $0x277, %ecx\n mov $2, %eax\n xor %edx, %edx\n wrmsr\n hlt");
BLOB(divide16, 16, "xor %cx, %cx\n div %cx\n hlt");
BLOB(breakpoint32, 32, "int3\n hlt");
BLOB(undefined64, 64, "ud2\n hlt");
BLOB(page_fault64, 64, "mov $0x8000001234, %rax\n movb $1, (%rax)\n hlt");
BLOB(protection64, 64, "mov $0x8000000000000000, %rax\n mov (%rax), %al\n hlt");
BLOB(triple_fault, 64, "push $0\n push $0\n lidt (%rsp)\n ud2");
BLOB(cr8, 64, R"(
    mov $5, %eax
    mov %rax, %cr8
    mov $3, %eax
    mov %rax, %cr8
    mov %cr8, %rbx
    mov $16, %eax
    mov %rax, %cr8
    hlt
)");
BLOB(registers, 64, R"(
    mov $0x1111111111111111, %rax
    mov $0x2222222222222222, %rbx
    mov $0x3333333333333333, %rcx
    mov $0x4444444444444444, %rdx
    mov $0x5555555555555555, %rsi
    mov $0x6666666666666666, %rdi
    mov $0x7777777777777777, %rbp
    mov $0x8888888888888888, %r8
    mov $0x9999999999999999, %r9
    mov $0xaaaaaaaaaaaaaaaa, %r15
    movq %r8, %xmm0
    movq %r9, %xmm15
    out %al, $0x50
    movq %xmm0, %rbx
    movq %xmm15, %rcx
    fld1
    hlt
)");
// Interrupts: off, then on with a shadow, then halted.
BLOB(interrupts, 64, R"(
    out %al, $0x60
    mov $1, %eax
    sti
    nop
    mov $2, %eax
    hlt
)");
BLOB(spin, 64, "1: jmp 1b");
BLOB(write_read_only, 32, R"(
    mov 0x100000, %eax
    movl $0x55, 0x100004
    mov 0x100004, %ebx
    hlt
)");
BLOB(run_from_device, 32, "mov $0xd0000, %eax\n jmp *%eax");
BLOB(touch, 32, "mov 0x100000, %eax\n out %eax, $0x70\n incl 0x100000\n jmp blob_touch");

struct blob const blobs[] = {
    ENTRY(ports, real),
    ENTRY(device16, real),
    ENTRY(device32, protected32),
    ENTRY(device64, long64),
    ENTRY(modes, real),
    ENTRY(cpuid, long64),
    ENTRY(msrs, long64),
    ENTRY(unknown_msr, protected32),
    ENTRY(bad_msr_value, long64),
    ENTRY(divide16, real),
    ENTRY(breakpoint32, protected32),
    ENTRY(undefined64, long64),
    ENTRY(page_fault64, long64),
    ENTRY(protection64, long64),
    ENTRY(triple_fault, long64),
    ENTRY(cr8, long64),
    ENTRY(registers, long64),
    ENTRY(interrupts, long64),
    ENTRY(spin, long64),
    ENTRY(write_read_only, protected32),
    ENTRY(run_from_device, protected32),
    ENTRY(touch, protected32),
    {0},
};

struct blob const* blob_named(char const* name) {
    struct blob const* blob = blobs;

    while (blob->name && strcmp(blob->name, name)) ++blob;
    return blob->name ? blob : NULL;
}
