// SPDX-License-Identifier: MIT
// Exceptions and NMIs in root mode: one stub of 16 bytes per vector, then hv_trap(trap_frame *).

	.text
	.code64
	.globl hv_trap_stubs
	.balign 16
hv_trap_stubs:
	.set vector, 0
	.rept 32
	.balign 16
	// These push an error code of their own. SDM 3A 6.13 "Error Code".
	.if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21)
	.else
	push $0
	.endif
	push $vector
	jmp hv_trap_entry
	.set vector, vector + 1
	.endr

	.balign 16
hv_trap_entry:
	push %rax
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	cld
	mov %rsp, %rdi
	call hv_trap
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rax
	add $16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
