/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Instructions that may fault in ring 0 without harm. */
#ifndef HV_TEST_FAULT_H
#define HV_TEST_FAULT_H

#include <asm/alternative.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>

/* The hypercall of this CPU's vendor, chosen as the module is loaded. */
#define HV_CALL_INSTRUCTION ALTERNATIVE("vmcall", "vmmcall", X86_FEATURE_VMMCALL)

/*
 * Runs one instruction; the value is 0, or the number of the exception that it raised.
 * The operands are input operands, the first of them is %1.
 */
#define HV_FAULT_OF(instruction, ...) ({ \
	int hv_fault_; \
	asm volatile("1:	" instruction "\n" \
		     "	xorl %%eax, %%eax\n" \
		     "2:\n" \
		     _ASM_EXTABLE_TYPE(1b, 2b, EX_TYPE_FAULT) \
		     : "=a" (hv_fault_) \
		     : __VA_ARGS__ \
		     : "cc", "memory"); \
	hv_fault_; \
})

/* Runs on from an instruction that faults; its number is in FAULT then, and EAX has it, too. */
#define HV_ON_FAULT(instruction) \
	"1:	" instruction "\n" \
	"	jmp 3f\n" \
	"2:	movl %%eax, %[fault]\n" \
	"3:\n" \
	_ASM_EXTABLE_TYPE(1b, 2b, EX_TYPE_FAULT)

/* A hypercall with everything that it may use. Returns the exception's number, 0 for none. */
static inline int hv_call(u64 number, const u64 *argument, u64 *result)
{
	register u64 r10 asm("r10") = argument[3];
	register u64 r8 asm("r8") = argument[4];
	int fault = 0;

	asm volatile(HV_ON_FAULT(HV_CALL_INSTRUCTION)
		     : "+a" (number), [fault] "+&r" (fault)
		     : "D" (argument[0]), "S" (argument[1]), "d" (argument[2]), "r" (r10), "r" (r8)
		     : "cc", "memory");
	*result = number;
	return fault;
}

#endif
