// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The VMX side of what differs between the two kinds of hardware. */
#include <linux/errno.h>
#include <asm/asm.h>
#include <asm/cpufeature.h>
#include <asm/cpufeatures.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/special_insns.h>

#include "hv.h"

#define HV_CPUID_1_ECX_VMX BIT(5)

/* An open lock is closed with VMX on, as Linux itself does at boot where it may. */
static const char *check_feature_control(int *error)
{
	u64 control;

	*error = -ENODEV;
	if (rdmsrl_safe(MSR_IA32_FEAT_CTL, &control))
		return "IA32_FEATURE_CONTROL cannot be read: this is not a full VMX";
	if (!(control & FEAT_CTL_LOCKED))
		wrmsrl_safe(MSR_IA32_FEAT_CTL, control | FEAT_CTL_LOCKED |
			    FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX);
	rdmsrl_safe(MSR_IA32_FEAT_CTL, &control);
	if (!(control & FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX))
		return "firmware has locked VMX off: switch VT-x on in its setup";
	*error = 0;
	return NULL;
}

static const char *vmx_check(int *error)
{
	unsigned long cr4 = native_read_cr4();

	*error = -ENODEV;
	if (!(cpuid_ecx(1) & HV_CPUID_1_ECX_VMX))
		return "CPUID shows no VMX: an Intel CPU with VT-x, on and not hidden, is needed";
	*error = -EBUSY;
	if (cr4 & X86_CR4_VMXE)
		return "CR4.VMXE is set: another hypervisor uses VMX: stop it, then start again";
	*error = -EOPNOTSUPP;
	if (cr4 & X86_CR4_LA57)
		return "5-level paging is on: boot Linux with no5lvl";
	return check_feature_control(error);
}

static void leave_root_operation(u64 vmcs)
{
	asm volatile("vmclear %0" : : "m" (vmcs) : "cc", "memory");
	asm volatile("vmxoff" : : : "cc", "memory");
}

static int vmx_unhoist(u64 handle, unsigned long table)
{
	u64 vmcs;
	int error = hv_vmx_unhoist_here(handle, &vmcs);

	if (!error)
		leave_root_operation(vmcs);
	return error;
}

static long vmx_hypercall(u64 number, u64 handle, const u64 *argument)
{
	register u64 third asm("r10") = argument[2];
	register u64 fourth asm("r8") = argument[3];
	long result = number;

	/* #UD where this CPU is not hoisted after all. */
	asm volatile("1:	vmcall\n"
		     "	jmp 3f\n"
		     "2:	mov %[not_hoisted], %[result]\n"
		     "3:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : [result] "+a" (result)
		     : "D" (handle), "S" (argument[0]), "d" (argument[1]), "r" (third),
		       "r" (fourth), [not_hoisted] "i" (-ENXIO)
		     : "cc", "memory");
	return result;
}

const struct hv_backend hv_vmx = {
	.name = "vmx",
	.rival = "kvm_intel",
	.check = vmx_check,
	.unhoist = vmx_unhoist,
	.hypercall = vmx_hypercall,
};
