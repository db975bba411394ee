// SPDX-License-Identifier: MIT
// What compilers call on their own in freestanding code. DF is clear in the core.

	.text
	.code64
	.globl memset, memcpy, memmove, memcmp

	.balign 16
memset:					// rdi to, esi value, rdx bytes
	mov %rdi, %r8
	movzbl %sil, %eax
	movabs $0x0101010101010101, %rcx
	imul %rcx, %rax
	mov %rdx, %rcx
	shr $3, %rcx
	rep stosq
	mov %edx, %ecx
	and $7, %ecx
	rep stosb
	mov %r8, %rax
	ret

	.balign 16
memmove:
	mov %rdi, %rax
	sub %rsi, %rax
	cmp %rdx, %rax			// unsigned: to lies in [from, from + bytes)
	jb 1f
memcpy:					// rdi to, rsi from, rdx bytes
	mov %rdi, %rax
	mov %rdx, %rcx
	shr $3, %rcx
	rep movsq
	mov %edx, %ecx
	and $7, %ecx
	rep movsb
	ret
1:	mov %rdi, %rax
	lea -1(%rdi,%rdx), %rdi
	lea -1(%rsi,%rdx), %rsi
	mov %rdx, %rcx
	std
	rep movsb
	cld
	ret

	.balign 16
memcmp:					// rdi, rsi, rdx bytes
	xor %eax, %eax
	mov %rdx, %rcx
	test %rcx, %rcx
	je 2f
	repe cmpsb
	je 2f
	movzbl -1(%rdi), %eax
	movzbl -1(%rsi), %ecx
	sub %ecx, %eax
2:	ret

	.section .note.GNU-stack, "", @progbits
