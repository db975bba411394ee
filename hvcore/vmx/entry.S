// SPDX-License-Identifier: MIT
// The way in and out of a guest under VMX. Offsets come from asm_offsets.cpp.
#include "asm_offsets.h"

	.text
	.code64

	.globl hv_vmx_exit_entry
	.globl hv_vmx_fast_check, hv_vmx_fast_end, hv_vmx_rare_check, hv_vmx_rare_end
	.balign 16
hv_vmx_exit_entry:			// HOST_RIP; rsp is just behind cpu.base.gpr
	push %rax
	push %rcx
	push %rdx
	push %rbx
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	lea -HV_KEPT_BYTES(%rsp), %rdi
	call hv_vmx_exit		// keeps rbp, r12 to r15: they are still the guest's
	test %al, %al
	jne 1f
	// An NMI that comes between a look at pending_work and VMRESUME makes its handler start over
	// from the look, with rsp at the registers (trap.cpp): no work is slept through.
hv_vmx_fast_check:
	cmpl $0, HV_CPU_PENDING_WORK - HV_KEPT_BYTES(%rsp)
	jne 4f
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rbx
	pop %rdx
	pop %rcx
	pop %rax
	vmresume
hv_vmx_fast_end:
	jmp 2f

4:	xor %eax, %eax			// no exit is to be handled, only work
1:	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, %rdi
	movzbl %al, %esi
	call hv_vmx_exit_rare
hv_vmx_rare_check:
	cmpl $0, HV_CPU_PENDING_WORK(%rsp)
	jne 3f
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rbx
	pop %rdx
	pop %rcx
	pop %rax
	vmresume
hv_vmx_rare_end:
2:	sub $HV_GPR_BYTES, %rsp
	mov %rsp, %rdi
	call hv_vmx_resume_failed
	ud2
3:	mov %rsp, %rdi
	call hv_vmx_work
	jmp hv_vmx_rare_check

	.globl hv_vmx_launch, hv_vmx_abandon
hv_vmx_launch:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, HV_CPU_LAUNCH_RSP(%rdi)
	xor %eax, %eax			// what the loader sees at guest_rip
	vmlaunch
	mov $1, %eax
2:	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret
hv_vmx_abandon:
	mov HV_CPU_LAUNCH_CR3(%rdi), %rax
	mov HV_CPU_LAUNCH_RSP(%rdi), %rcx
	mov %rax, %cr3			// maps this code too, and the loader's stack
	mov %rcx, %rsp
	mov $2, %eax
	jmp 2b

	.section .note.GNU-stack, "", @progbits
