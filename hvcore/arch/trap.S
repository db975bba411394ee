// SPDX-License-Identifier: MIT
// Exceptions and NMIs in root mode: for each backend one stub of 16 bytes per vector, which ends in
// hv_BACKEND_trap(trap_frame *).
#include "arch/push.S"

	.text
	.code64
	.macro TRAPS backend
	.globl hv_\backend\()_trap_stubs
	.balign 16
hv_\backend\()_trap_stubs:
	.set vector, 0
	.rept 32
	.balign 16
	// These push an error code of their own. SDM 3A 6.13 "Error Code".
	.if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || \
	    (vector == 30)
	.else
	push $0
	.endif
	push $vector
	jmp hv_\backend\()_trap_entry
	.set vector, vector + 1
	.endr

	.balign 16
hv_\backend\()_trap_entry:
	PUSH_EACH rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
	cld
	mov %rsp, %rdi
	call hv_\backend\()_trap
	POP_EACH r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax
	add $16, %rsp
	iretq
	.endm

	TRAPS vmx
	TRAPS svm

	.section .note.GNU-stack, "", @progbits
