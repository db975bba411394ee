// SPDX-License-Identifier: MIT
// The way in and out of a guest under SVM. Offsets come from asm_offsets.cpp; registers that follow
// cpu.base.gpr in memory are reached from rsp.
#include "arch/push.S"
#include "asm_offsets.h"

	.text
	.code64

	.balign 16
resume_rare:				// rsp at cpu.base.gpr
	HV_POP_KEPT
	HV_POP_CHANGED			// the VMCB has the guest's
	mov HV_SVM_VMCB - HV_GPR_BYTES(%rsp), %rax
	vmload %rax
enter:
	vmrun %rax
	HV_PUSH_CHANGED			// still the VMCB's address: popped again for the next entry
	lea -HV_KEPT_BYTES(%rsp), %rdi
	call hv_svm_exit		// keeps rbp, r12 to r15: they are still the guest's
	test %al, %al
	jne 1f
	HV_POP_CHANGED
	jmp enter
1:	HV_PUSH_KEPT
	mov HV_SVM_VMCB(%rsp), %rax
	vmsave %rax			// FS, GS, TR, LDTR and MSRs: Linux's away, the core's back
	mov HV_SVM_HOST(%rsp), %rax
	vmload %rax
	mov %rsp, %rdi
	call hv_svm_exit_rare
	cmp $1, %eax
	jb resume_rare
	je enter_guest

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

enter_guest:				// rsp at the CPU
	mov HV_CPU_GUEST(%rsp), %rsp
	HV_POP_KEPT
	HV_POP_CHANGED			// its VMCB has the guest's
	mov HV_GUEST_BLOCK - HV_GPR_BYTES(%rsp), %rax
	sti				// with GIF clear: interrupts reach VMRUN, and nothing else
	vmload %rax
	vmrun %rax
	cli
	HV_PUSH_CHANGED
	HV_PUSH_KEPT
	vmsave %rax
	mov HV_GUEST_ON(%rsp), %rsp	// the CPU, and below it its stack
	mov HV_SVM_HOST(%rsp), %rax
	vmload %rax
	mov %rsp, %rdi
	call hv_svm_guest_exit
	test %eax, %eax
	jne enter_guest
	jmp resume_rare

	.globl hv_svm_launch, hv_svm_abandon
hv_svm_launch:
	HV_PUSH_CALLEE
	mov %rsp, HV_CPU_LAUNCH_RSP(%rdi)
	mov %rdi, %rbx
	mov %rdi, %rsp			// what lies below it is the core's stack
	call hv_svm_take_host_state
	mov %rbx, %rsp
	jmp resume_rare
hv_svm_abandon:
	mov HV_SVM_VMCB(%rdi), %rax
	vmload %rax
	mov HV_CPU_LAUNCH_CR3(%rdi), %rax
	mov HV_CPU_LAUNCH_RSP(%rdi), %rcx
	mov %rax, %cr3			// maps this code too, and the loader's stack
	mov %rcx, %rsp
	mov $2, %eax
	HV_POP_CALLEE
	ret

	.section .note.GNU-stack, "", @progbits
