// SPDX-License-Identifier: MIT
#include "kvm_random_blob.h"

// gate: list of small pieces of code.
//
// r13 the state's page, r15 the generator, rbp scratch. A handler's stub leaves its vector on the
// stack and comes to the blob's second instruction; every other way ends at Lnext. Lrandom: rax =
// anything; flags are lost. Lvalue: rax = what is likely to matter; rcx is lost, too. Lset0: who is
// out of 64-bit mode, where 0x40 is an instruction, says that it has come to its end.
BLOB(random, 64, R"(
    jmp .Lstart
    pop %rax
    and $31, %eax
    mov $0x2b000, %r13d
    incq 40(%r13, %rax, 8)
    mov 8(%r13), %r15
    jmp .Lnext
.Lrandom:
    mov %r15, %rax
    shl $13, %rax
    xor %rax, %r15
    mov %r15, %rax
    shr $7, %rax
    xor %rax, %r15
    mov %r15, %rax
    shl $17, %rax
    xor %rax, %r15
    mov %r15, %rax
    mov %r15, 8(%r13)
    ret
.Lvalue:
    call .Lrandom
    mov %eax, %ecx
    shr $3, %rax
    and $7, %ecx
    cmp $1, %ecx
    jb 1f
    je 2f
    cmp $3, %ecx
    jb 3f
    je 4f
    cmp $5, %ecx
    jb 5f
    je 6f
    ret
1:  xor %eax, %eax
    ret
2:  mov $-1, %rax
    ret
3:  mov %eax, %ecx
    mov $1, %eax
    shl %cl, %rax
    ret
4:  and $0xff, %eax
    ret
5:  sar $17, %rax
    ret
6:  shl $28, %rax
    shr $16, %rax
    and $-4096, %rax
    ret
.Lflip:
    call .Lrandom
    mov %eax, %ecx
    and $63, %ecx
    test $0x100, %eax
    jz 1f
    and $31, %ecx
1:  mov $1, %eax
    shl %cl, %rax
    ret
.Lindex:
    call .Lrandom
    mov %eax, %ecx
    shr $32, %rax
    mov %eax, %ebx
    and $7, %ecx
    and $0x1fff, %ebx
    cmp $2, %ecx
    jb 1f
    je 2f
    cmp $4, %ecx
    jb 3f
    je 4f
    cmp $6, %ecx
    jb 5f
    je 6f
    test $0x1000, %eax
    mov %eax, %ebx
    jz 1f
    and $0x3f, %ebx
    add $0x800, %ebx
    jmp 1f
2:  add $0xc0000000, %ebx
    jmp 1f
3:  add $0xc0010000, %ebx
    jmp 1f
4:  and $0x1ff, %ebx
    add $0xc0000080, %ebx
    jmp 1f
5:  and $0x7ff, %ebx
    jmp 1f
6:  and $0x1f, %ebx
    add $0x4b564d00, %ebx
1:  mov %ebx, %ecx
    ret
.Lset0:
    mov %rax, %cr0
    xor %eax, %eax
    .byte 0x40
    nop
    test %eax, %eax
    jz .Lnext
1:  mov $0x7e5, %edx
    out %ax, %dx
    jmp 1b
.Lset4:
    mov %rax, %cr4
    jmp .Lnext
.Lstart:
    mov $0x2b000, %r13d
    mov $0x30000, %ebp
    mov 8(%r13), %r15
.Lnext:
    mov $0x8000, %esp
    push $2
    popf
    mov $0x30000, %ebp
    mov (%r13), %rax
    cmp 16(%r13), %rax
    jae .Ldone
    call .Lrandom
    shr $59, %rax
    bt %rax, 32(%r13)
    jnc .Lnext
    incq (%r13)
    mov %rax, 24(%r13)
    incq 296(%r13, %rax, 8)
    lea .Ltable(%rip), %rdx
    movslq (%rdx, %rax, 4), %rcx
    add %rdx, %rcx
    jmp *%rcx
.Ldone:
    mov $0x7e5, %edx
    out %ax, %dx
    jmp .Ldone

.Lrdmsr:
    call .Lindex
    rdmsr
    jmp .Lnext
.Lwrmsr:
    call .Lvalue
    mov %rax, %rsi
    call .Lindex
    mov %esi, %eax
    mov %rsi, %rdx
    shr $32, %rdx
    wrmsr
    jmp .Lnext
.Lwrmsr_flip:
    call .Lflip
    mov %rax, %rsi
    call .Lindex
    rdmsr
    xor %esi, %eax
    shr $32, %rsi
    xor %esi, %edx
    wrmsr
    jmp .Lnext
.Lin:
    call .Lrandom
    mov %eax, %edx
    shr $32, %rax
    test $1, %al
    jnz 1f
    test $2, %al
    jnz 2f
    in %dx, %al
    jmp .Lnext
1:  in %dx, %ax
    jmp .Lnext
2:  in %dx, %eax
    jmp .Lnext
.Lout:
    call .Lrandom
    mov %eax, %edx
    shr $32, %rax
    test $1, %al
    jnz 1f
    test $2, %al
    jnz 2f
    out %al, %dx
    jmp .Lnext
1:  out %ax, %dx
    jmp .Lnext
2:  out %eax, %dx
    jmp .Lnext
.Lstring:
    call .Lrandom
    mov %eax, %edx
    shr $16, %eax
    mov %eax, %ecx
    and $7, %ecx
    mov %rbp, %rdi
    mov %rbp, %rsi
    cld
    test $8, %al
    jnz 1f
    rep insb
    jmp .Lnext
1:  rep outsl
    jmp .Lnext
.Lcr0:
    call .Lflip
    mov %cr0, %rbx
    xor %rbx, %rax
    jmp .Lset0
.Lcr4:
    call .Lflip
    mov %cr4, %rbx
    xor %rbx, %rax
    jmp .Lset4
.Lcr_any:
    call .Lvalue
    test $1, %r15b
    jz .Lset0
    jmp .Lset4
.Lcr8:
    call .Lvalue
    mov %rax, %cr8
    mov %cr8, %rbx
    jmp .Lnext
.Lcr2:
    call .Lvalue
    mov %rax, %cr2
    mov %cr2, %rbx
    jmp .Lnext
.Lxsetbv:
    call .Lvalue
    mov %rax, %rsi
    call .Lrandom
    mov %eax, %ecx
    shr $62, %rax
    jz 1f
    xor %ecx, %ecx
1:  mov %esi, %eax
    mov %rsi, %rdx
    shr $32, %rdx
    test $0x80, %r15b
    jz 2f
    and $7, %eax
    xor %edx, %edx
2:  xsetbv
    jmp .Lnext
.Lefer:
    mov $0xc0000080, %ecx
    call .Lflip
    mov %rax, %rsi
    mov $0xc0000080, %ecx
    rdmsr
    xor %esi, %eax
    shr $32, %rsi
    xor %esi, %edx
    wrmsr
    jmp .Lnext
.Larguments:
    call .Lvalue
    mov %rax, %rbx
    call .Lvalue
    mov %rax, %rsi
    call .Lvalue
    mov %rax, %rdi
    call .Lvalue
    mov %rax, %r8
    call .Lvalue
    mov %rax, %rdx
    call .Lrandom
    mov %eax, %ecx
    shr $62, %rax
    jz 1f
    and $31, %ecx
1:  mov %ecx, %eax
    mov %rsi, %rcx
    ret
.Lvmcall:
    call .Larguments
    vmcall
    jmp .Lnext
.Lvmmcall:
    call .Larguments
    vmmcall
    jmp .Lnext
.Lvendor:
    call .Lrandom
    and $31, %eax
    lea .Lvendors(%rip), %rdx
    shl $4, %eax
    add %rax, %rdx
    mov %rbp, %rax
    mov $3, %ecx
    jmp *%rdx
.Lcaches:
    call .Lrandom
    test $1, %al
    jz 1f
    invd
    jmp .Lnext
1:  wbinvd
    jmp .Lnext
.Lmonitor:
    call .Lrandom
    mov %rbp, %rax
    xor %ecx, %ecx
    xor %edx, %edx
    test $0x10, %r15b
    jz 1f
    monitor
    jmp .Lnext
1:  mwait
    jmp .Lnext
.Lrdpmc:
    call .Lvalue
    mov %eax, %ecx
    rdpmc
    jmp .Lnext
.Lcpuid:
    call .Lrandom
    mov %eax, %ecx
    shr $32, %rax
    and $7, %ecx
    test $0x100, %r15d
    jz 1f
    and $0xc000003f, %eax
1:  cpuid
    jmp .Lnext
.Ldebug:
    call .Lvalue
    mov %rax, %dr0
    call .Lvalue
    mov %rax, %dr3
    call .Lvalue
    test $0xf00, %r15d
    jz 1f
    mov %eax, %eax
1:  mov %rax, %dr6
    call .Lvalue
    test $0xf00, %r15d
    jz 1f
    mov %eax, %eax
1:  and 552(%r13), %rax
    mov %rax, %dr7
    xor %eax, %eax
    mov %rax, %dr7
    jmp .Lnext
.Lmemory:
    call .Lrandom
    and $0x3fffffff, %eax
    add $0x80000, %eax
    mov (%rax), %rbx
    jmp .Lnext
.Lstore:
    call .Lrandom
    and $0x3fffffff, %eax
    add $0x80000, %eax
    mov %ebx, (%rax)
    jmp .Lnext
.Laddress:
    call .Lvalue
    mov (%rax), %bl
    jmp .Lnext
.Lflags:
    call .Lvalue
    and $~0x200, %rax
    push %rax
    popf
    nop
    jmp .Lnext
.Lint:
    call .Lrandom
    test $3, %al
    jz 1f
    jp 2f
    .byte 0xf1
    jmp .Lnext
1:  int3
    jmp .Lnext
2:  int $0x42
    jmp .Lnext
.Ltlb:
    call .Lvalue
    invlpg (%rax)
    mov %cr3, %rax
    mov %rax, %cr3
    jmp .Lnext
.Lmsw:
    call .Lrandom
    smsw %rbx
    and $0xe, %eax
    xor %ebx, %eax
    lmsw %ax
    clts
    jmp .Lnext
.Lfpu:
    movq %r15, %xmm3
    paddq %xmm3, %xmm3
    fld1
    fstp %st(0)
    jmp .Lnext
.balign 4
.Ltable:
    .long .Lrdmsr - .Ltable, .Lwrmsr - .Ltable, .Lwrmsr_flip - .Ltable, .Lin - .Ltable
    .long .Lout - .Ltable, .Lstring - .Ltable, .Lcr0 - .Ltable, .Lcr4 - .Ltable
    .long .Lcr_any - .Ltable, .Lcr8 - .Ltable, .Lcr2 - .Ltable, .Lxsetbv - .Ltable
    .long .Lefer - .Ltable, .Lvmcall - .Ltable, .Lvmmcall - .Ltable, .Lvendor - .Ltable
    .long .Lcaches - .Ltable, .Lmonitor - .Ltable, .Lrdpmc - .Ltable, .Lcpuid - .Ltable
    .long .Ldebug - .Ltable, .Lmemory - .Ltable, .Lstore - .Ltable, .Laddress - .Ltable
    .long .Lflags - .Ltable, .Lint - .Ltable, .Ltlb - .Ltable, .Lmsw - .Ltable
    .long .Lfpu - .Ltable, .Lrdmsr - .Ltable, .Lwrmsr - .Ltable, .Lvmcall - .Ltable
.balign 16
.Lvendors:
    .macro try instruction:vararg
    .balign 16
    \instruction
    jmp .Lback
    .endm
    try vmxon (%rbp)
    try vmclear (%rbp)
    try vmptrld (%rbp)
    try vmptrst (%rbp)
    try vmread %rax, %rbx
    try vmwrite %rbx, %rax
    try vmlaunch
    try vmresume
    try vmxoff
    try invept (%rbp), %rax
    try invvpid (%rbp), %rax
    try vmfunc
    try getsec
    try rsm
    try encls
    try xgetbv
    try vmrun %rax
    try vmload %rax
    try vmsave %rax
    try stgi
    try clgi
    try skinit
    try invlpga %rax, %ecx
    try rdtscp
    try invpcid (%rbp), %rax
    try xsave (%rbp)
    try rdtsc
    try ud2
    try swapgs
    try syscall
    try wrpkru
    try pconfig
    .purgem try
.Lback:
    jmp .Lnext
)");

struct blob const random_blob = ENTRY(random, long64);

char const* const random_kinds[step_kinds] = {
    "rdmsr",  "wrmsr",   "wrmsr_flip", "in",     "out",   "string",  "cr0",     "cr4",
    "cr_any", "cr8",     "cr2",        "xsetbv", "efer",  "vmcall",  "vmmcall", "vendor",
    "caches", "monitor", "rdpmc",      "cpuid",  "debug", "memory",  "store",   "address",
    "flags",  "int",     "tlb",        "msw",    "fpu",   "rdmsr_2", "wrmsr_2", "vmcall_2",
};
