// SPDX-License-Identifier: MIT
// For inclusion: the registers of vcpu/general_registers.hpp, as exits push them and entries pop
// them.
#ifndef HV_ARCH_PUSH_H
#define HV_ARCH_PUSH_H

	.macro PUSH_EACH registers:vararg
	.irp register, \registers
	push %\register
	.endr
	.endm

	.macro POP_EACH registers:vararg
	.irp register, \registers
	pop %\register
	.endr
	.endm

// What a C++ function may change, and what it keeps; each in the order of pushes and of pops.
#define HV_PUSH_CHANGED PUSH_EACH rax, rcx, rdx, rbx, rsi, rdi, r8, r9, r10, r11
#define HV_PUSH_KEPT PUSH_EACH rbp, r12, r13, r14, r15
#define HV_POP_KEPT POP_EACH r15, r14, r13, r12, rbp
#define HV_POP_CHANGED POP_EACH r11, r10, r9, r8, rdi, rsi, rbx, rdx, rcx, rax
// rbx is both: the exit entry saves it with those that change, and a caller wants it kept.
#define HV_PUSH_CALLEE PUSH_EACH rbx, rbp, r12, r13, r14, r15
#define HV_POP_CALLEE POP_EACH r15, r14, r13, r12, rbp, rbx

#endif
