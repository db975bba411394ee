/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The two doors between Linux and the core. C code needs a right GS base (per-CPU data, stack
 * protector), so it is set right here on every way back.
 */
#include <linux/errno.h>
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/processor-flags.h>

#include "launch_offsets.h"

.macro SAVE_CALLEE_REGISTERS
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushfq
.endm

.macro RESTORE_CALLEE_REGISTERS
	popfq
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
.endm

/*
 * GS base in r13 (low half) and r14 (high half); rax, rcx, rdx are lost.
 */
.macro READ_GS_BASE
	movl	$MSR_GS_BASE, %ecx
	rdmsr
	movl	%eax, %r13d
	movl	%edx, %r14d
.endm

.macro WRITE_GS_BASE
	movl	$MSR_GS_BASE, %ecx
	movl	%r13d, %eax
	movl	%r14d, %edx
	wrmsr
.endm

	.text
/*
 * long hv_launch_here(struct hv_launch *launch, u64 entry, unsigned long launch_cr3)
 * 0: this CPU is hoisted, having come back at .Lhoisted with only rsp and CR3 defined (and rax 0).
 * Else it returns with launch_cr3 still loaded: GDT, IDT, TSS may be the core's, mapped there only.
 */
SYM_FUNC_START(hv_launch_here)
	SAVE_CALLEE_REGISTERS
	movq	%rdx, %rbx
	READ_GS_BASE
	leaq	.Lhoisted(%rip), %rax
	movq	%rax, HV_LAUNCH_GUEST_RIP(%rdi)
	movq	%rsp, HV_LAUNCH_GUEST_RSP(%rdi)
	movq	%cr3, %rax
	movq	%rax, HV_LAUNCH_GUEST_CR3(%rdi)
	movq	%rbx, %cr3
	ANNOTATE_RETPOLINE_SAFE
	call	*%rsi
	movq	%rax, %r15
	WRITE_GS_BASE
	movq	%r15, %rax
.Lhoisted:
	RESTORE_CALLEE_REGISTERS
	RET
SYM_FUNC_END(hv_launch_here)

/*
 * Root operation meets translations again that are as old as the hoist; stacks have moved since.
 * Toggling CR4.PGE drops them all; the stack may not be touched before.
 */
.macro FLUSH_TRANSLATIONS
	movq	%cr4, %rax
	xorq	$X86_CR4_PGE, %rax
	movq	%rax, %cr4
	xorq	$X86_CR4_PGE, %rax
	movq	%rax, %cr4
.endm

/*
 * int hv_svm_unhoist_here(u64 handle, unsigned long table)
 * 0: this CPU came back at .Lleft_svm, on that table and with GIF clear; a refusal comes back after
 * VMMCALL. GS base, TR and the system-call MSRs are Linux's.
 */
SYM_FUNC_START(hv_svm_unhoist_here)
	SAVE_CALLEE_REGISTERS
	movq	%rsi, %rdx
	leaq	.Lleft_svm(%rip), %rsi
	movl	$HV_CALL_UNHOIST_NUMBER, %eax
.Lcall_svm:
	vmmcall
	jmp	.Lback_svm
.Lleft_svm:
	xorl	%eax, %eax
.Lback_svm:
	RESTORE_CALLEE_REGISTERS
	RET
.Lnot_hoisted_svm:
	movq	$-ENXIO, %rax
	jmp	.Lback_svm
	_ASM_EXTABLE(.Lcall_svm, .Lnot_hoisted_svm)
SYM_FUNC_END(hv_svm_unhoist_here)

/*
 * long hv_vmx_unhoist_here(u64 handle, u64 *vmcs)
 * 0: this CPU came back at .Lleft, in VMX root operation; a refusal comes back after VMCALL.
 */
SYM_FUNC_START(hv_vmx_unhoist_here)
	SAVE_CALLEE_REGISTERS
	movq	%rsi, %rbx
	READ_GS_BASE
	leaq	.Lleft(%rip), %rsi
	movl	$HV_CALL_UNHOIST_NUMBER, %eax
.Lcall:
	vmcall
	testq	%rax, %rax
	js	.Lrefused
.Lleft:
	FLUSH_TRANSLATIONS
	movq	%rdx, (%rbx)
	WRITE_GS_BASE
	xorl	%eax, %eax
.Lrefused:
	RESTORE_CALLEE_REGISTERS
	RET
.Lnot_hoisted:
	movq	$-ENXIO, %rax
	jmp	.Lrefused
	_ASM_EXTABLE(.Lcall, .Lnot_hoisted)
SYM_FUNC_END(hv_vmx_unhoist_here)
