// SPDX-License-Identifier: MIT
// The way in and out of a guest under SVM. Offsets come from asm_offsets.cpp; registers that follow
// cpu.base.gpr in memory are reached from rsp.
#include "asm_offsets.h"

	.text
	.code64

	.balign 16
resume_rare:				// rsp at cpu.base.gpr
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
	pop %rax			// the VMCB has the guest's
	mov HV_SVM_VMCB - HV_GPR_BYTES(%rsp), %rax
	vmload %rax
enter:
	vmrun %rax
	push %rax			// still the VMCB's address: popped again for the next entry
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
	call hv_svm_exit		// keeps rbp, r12 to r15: they are still the guest's
	test %al, %al
	jne 1f
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
	jmp enter
1:	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov HV_SVM_VMCB(%rsp), %rax
	vmsave %rax			// FS, GS, TR, LDTR and MSRs: Linux's away, the core's back
	mov HV_SVM_HOST(%rsp), %rax
	vmload %rax
	mov %rsp, %rdi
	call hv_svm_exit_rare
	test %al, %al
	je resume_rare

	// Back to Linux: see leave.cpp.
	mov HV_SVM_VMCB(%rsp), %rax
	vmload %rax
	mov HV_SVM_LEAVE_CR3(%rsp), %rax
	mov %rax, %cr3			// maps this code too, and Linux's stack
	mov HV_SVM_BLOCK(%rsp), %rax
	mov HV_VMCB_RSP(%rax), %rcx
	mov HV_SVM_LEAVE_RIP(%rsp), %rax
	mov %rcx, %rsp			// rbx, rbp, r12 to r15 were Linux's all the time
	jmp *%rax

	.globl hv_svm_launch, hv_svm_abandon
hv_svm_launch:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, HV_SVM_LAUNCH_RSP(%rdi)
	mov %rdi, %rbx
	mov %rdi, %rsp			// what lies below it is the core's stack
	call hv_svm_take_host_state
	mov %rbx, %rsp
	jmp resume_rare
hv_svm_abandon:
	mov HV_SVM_VMCB(%rdi), %rax
	vmload %rax
	mov HV_SVM_LAUNCH_CR3(%rdi), %rax
	mov HV_SVM_LAUNCH_RSP(%rdi), %rcx
	mov %rax, %cr3			// maps this code too, and the loader's stack
	mov %rcx, %rsp
	mov $2, %eax
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

	.section .note.GNU-stack, "", @progbits
