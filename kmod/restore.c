// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Coming out of VMX root operation, a CPU has the limits, selectors and debug registers that VM
 * exits load; after a launch that failed late, the core's control registers too. Interrupts are off
 * from save to restore.
 */
#include <linux/percpu.h>
#include <linux/thread_info.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/msr.h>
#include <asm/segment.h>

#include "hv.h"

void hv_linux_state_save(struct hv_linux_state *state)
{
	native_store_gdt(&state->gdtr);
	store_idt(&state->idtr);
	savesegment(ds, state->ds);
	savesegment(es, state->es);
	savesegment(fs, state->fs);
	savesegment(gs, state->gs);
	asm volatile("sldt %0" : "=rm" (state->ldtr));
	state->cr0 = native_read_cr0();
	state->cr4 = native_read_cr4();
	rdmsrl(MSR_EFER, state->efer);
	state->efer &= ~EFER_SVME; /* the core's: seen while hoisted, and dropped at the end */
	rdmsrl(MSR_IA32_CR_PAT, state->pat);
	rdmsrl(MSR_FS_BASE, state->fs_base);
	rdmsrl(MSR_KERNEL_GS_BASE, state->kernel_gs_base);
	get_debugreg(state->dr7, 7);
	if (rdmsrl_safe(MSR_IA32_DEBUGCTLMSR, &state->debugctl))
		state->debugctl = 0;
}

/* After a launch that failed late these are selectors into the core's GDT. */
static __always_inline void reload_cs_ss(void)
{
	unsigned long scratch;

	asm volatile("	mov %%rsp, %[scratch]\n"
		     "	push %[ss]\n"
		     "	push %[scratch]\n"
		     "	pushfq\n"
		     "	push %[cs]\n"
		     "	lea 1f(%%rip), %[scratch]\n"
		     "	push %[scratch]\n"
		     "	iretq\n"
		     "1:\n"
		     : [scratch] "=&r" (scratch), ASM_CALL_CONSTRAINT
		     : [ss] "i" (__KERNEL_DS), [cs] "i" (__KERNEL_CS)
		     : "cc", "memory");
}

static void restore_msr(u32 msr, u64 value)
{
	u64 now;

	rdmsrl(msr, now);
	if (now != value)
		wrmsrl(msr, value);
}

/*
 * Out of VMX operation CR4 still has VMXE, which the saved value of a hoisted CPU does not show.
 * Not by Linux's helpers: its own copy of CR4 never knew the bit.
 */
static void restore_control_registers(const struct hv_linux_state *state)
{
	u64 efer;

	if (native_read_cr0() != state->cr0)
		asm volatile("mov %0, %%cr0" : : "r" (state->cr0) : "memory");
	if (native_read_cr4() != state->cr4)
		asm volatile("mov %0, %%cr4" : : "r" (state->cr4) : "memory");
	rdmsrl(MSR_EFER, efer);
	wrmsrl(MSR_EFER, state->efer | (efer & EFER_SVME));
	restore_msr(MSR_IA32_CR_PAT, state->pat);
}

void hv_linux_state_restore(const struct hv_linux_state *state)
{
	native_load_idt(&state->idtr);
	native_load_gdt(&state->gdtr);
	reload_cs_ss();
	restore_control_registers(state);
	force_reload_TR(); /* a VM exit leaves the limit without the I/O bitmap */
	asm volatile("lldt %0" : : "rm" (state->ldtr));
	loadsegment(ds, state->ds);
	loadsegment(es, state->es);
	loadsegment(fs, state->fs);
	load_gs_index(state->gs);
	wrmsrl(MSR_FS_BASE, state->fs_base);
	wrmsrl(MSR_KERNEL_GS_BASE, state->kernel_gs_base);
	set_debugreg(state->dr7, 7);
	if (state->debugctl)
		wrmsrl(MSR_IA32_DEBUGCTLMSR, state->debugctl);
}
