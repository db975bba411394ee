// SPDX-License-Identifier: MIT
// The way in and out of a guest under VMX. Offsets come from asm_offsets.cpp.
#include "arch/push.S"
#include "asm_offsets.h"

	.text
	.code64

	.globl hv_vmx_exit_entry
	.globl hv_vmx_fast_check, hv_vmx_fast_end, hv_vmx_rare_check, hv_vmx_rare_end
	.globl hv_vmx_guest_exit_entry, hv_vmx_guest_check, hv_vmx_guest_end
	.balign 16
hv_vmx_exit_entry:			// HOST_RIP; rsp is just behind cpu.base.gpr
	HV_PUSH_CHANGED
	lea -HV_KEPT_BYTES(%rsp), %rdi
	call hv_vmx_exit		// keeps rbp, r12 to r15: they are still the guest's
	test %al, %al
	jne 1f
	// An NMI that comes between a look at pending_work and VMRESUME makes its handler start over
	// from the look, with rsp at the registers (trap.cpp): no work is slept through.
hv_vmx_fast_check:
	cmpl $0, HV_CPU_PENDING_WORK - HV_KEPT_BYTES(%rsp)
	jne 4f
	HV_POP_CHANGED
	vmresume
hv_vmx_fast_end:
	jmp 2f

4:	xor %eax, %eax			// no exit is to be handled, only work
1:	HV_PUSH_KEPT
	mov %rsp, %rdi
	movzbl %al, %esi
	call hv_vmx_exit_rare
	test %al, %al
	jne hv_vmx_guest_check		// into a guest: its VMCS is the current one
hv_vmx_rare_check:
	cmpl $0, HV_CPU_PENDING_WORK(%rsp)
	jne 3f
	HV_POP_KEPT
	HV_POP_CHANGED
	vmresume
hv_vmx_rare_end:
2:	sub $HV_GPR_BYTES, %rsp
	mov %rsp, %rdi
	call hv_vmx_resume_failed
	ud2
3:	mov %rsp, %rdi
	call hv_vmx_work
	jmp hv_vmx_rare_check

hv_vmx_guest_exit_entry:		// HOST_RIP of guests; rsp is just behind vcpu.gpr
	HV_PUSH_CHANGED
	HV_PUSH_KEPT
	mov HV_GUEST_ON(%rsp), %rsp	// the CPU, and below it its stack
	mov %rsp, %rdi
	call hv_vmx_guest_exit
	test %al, %al
	je hv_vmx_rare_check
	// As with the root VM's ways out, an NMI makes its handler start over from the look.
hv_vmx_guest_check:
	cmpl $0, HV_CPU_PENDING_WORK(%rsp)
	jne 6f
	mov HV_CPU_GUEST(%rsp), %rsp
	cmpl $0, HV_GUEST_LAUNCHED(%rsp)
	HV_POP_KEPT			// pops keep the flags
	HV_POP_CHANGED
	je 5f
	vmresume
	jmp hv_vmx_guest_end
5:	vmlaunch
hv_vmx_guest_end:
	mov HV_GUEST_ON - HV_GPR_BYTES(%rsp), %rsp
	mov %rsp, %rdi
	call hv_vmx_guest_refused
	jmp hv_vmx_rare_check
6:	mov %rsp, %rdi
	call hv_vmx_guest_interrupted
	jmp hv_vmx_rare_check

	.globl hv_vmx_launch, hv_vmx_abandon
hv_vmx_launch:
	HV_PUSH_CALLEE
	mov %rsp, HV_CPU_LAUNCH_RSP(%rdi)
	xor %eax, %eax			// what the loader sees at guest_rip
	vmlaunch
	mov $1, %eax
2:	HV_POP_CALLEE
	ret
hv_vmx_abandon:
	mov HV_CPU_LAUNCH_CR3(%rdi), %rax
	mov HV_CPU_LAUNCH_RSP(%rdi), %rcx
	mov %rax, %cr3			// maps this code too, and the loader's stack
	mov %rcx, %rsp
	mov $2, %eax
	jmp 2b

	.section .note.GNU-stack, "", @progbits
