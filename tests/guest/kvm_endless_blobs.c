// SPDX-License-Identifier: MIT
#include "kvm_endless_blobs.h"

BLOB(interrupts_off, 64, "cli\n 1: jmp 1b");
BLOB(interrupts_off_again, 64, "cli\n 1: jmp 1b");
BLOB(no_loop_end, 64, "1: pushf\n popf\n cpuid\n jmp 1b");
// An IDT of nothing, and a stack on top of it.
BLOB(triple_fault_again, 64, "push $0\n push $0\n lidt (%rsp)\n ud2");

// #AC in ring 3 on a stack that is not aligned, where its delivery writes, too.
BLOB(alignment, 32, R"(
    lgdt 0x1000 + 3f - blob_alignment
    movl $0x1b0000 + 0x1000 + 2f - blob_alignment, 0x9088
    movl $0xee00, 0x908c
    mov %cr0, %eax
    or $0x40000, %eax
    mov %eax, %cr0
    pushl $0x23
    pushl $0x7001
    pushl $0x40002
    pushl $0x1b
    pushl $0x1000 + 1f - blob_alignment
    iret
1:  push $0
    jmp 1b
2:  mov 0x20001, %eax
    jmp 2b
.balign 8
4:  .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff
3:  .word 39
    .long 0x1000 + 4b - blob_alignment
)");

// A watch on the stack that #DB is delivered on, each time at the same place.
BLOB(debug, 64, R"(
    lgdt 0x1000 + 3f - blob_debug
    mov $0x18, %eax
    ltr %ax
    movq $0x7000, 0x22024
    movl $0x80000 + 0x1000 + 2f - blob_debug, 0x9010
    movl $0x8e01, 0x9014
    mov $0x6ff8, %eax
    mov %rax, %dr0
    mov $0x90001, %eax
    mov %rax, %dr7
1:  mov %rax, 0x6ff8
    jmp 1b
2:  mov %rax, 0x6ff8
    jmp 2b
.balign 8
4:  .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x0000890220000067, 0
3:  .word 39
    .quad 0x1000 + 4b - blob_debug
)");

// The next page fault at the first one's handler, which is not there either: all faults of the
// guest's own tables, none of the core's.
BLOB(fault_storm, 64, R"(
    movl $0x80000 + 0x1000 + 2f - blob_fault_storm, 0x90e0
    movl $0x8e00, 0x90e4
    mov $0x8000001234, %rax
2:  mov $0x8000, %esp
    mov (%rax), %bl
)");

// CR0.NW without CD. QEMU's CPU takes it, and then refuses the entry behind CPUID.
BLOB(no_entry, 64, "mov %cr0, %rax\n or $0x20000000, %eax\n mov %rax, %cr0\n cpuid\n hlt");

struct blob const no_entry_blob = ENTRY(no_entry, long64);

struct blob const endless_blobs[] = {
    ENTRY(interrupts_off, long64), ENTRY(interrupts_off_again, long64),
    ENTRY(no_loop_end, long64),    ENTRY(triple_fault_again, long64),
    ENTRY(alignment, protected32), ENTRY(debug, long64),
    ENTRY(fault_storm, long64),    {0},
};
