// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The SVM side of what differs between the two kinds of hardware. */
#include <linux/cc_platform.h>
#include <linux/errno.h>
#include <asm/asm.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/special_insns.h>
#include <asm/svm.h>

#include "hv.h"

#define HV_CPUID_EXTENDED 0x80000001u
#define HV_CPUID_EXTENDED_ECX_SVM BIT(2)
#define HV_CPUID_SVM 0x8000000au
#define HV_VM_CR_REDIRECT_INIT BIT_ULL(1)
#define HV_CPUID_SVM_EDX_NESTED_PAGING BIT(0)

static const char *check_firmware(int *error)
{
	u64 control, efer;

	*error = -ENODEV;
	if (!rdmsrl_safe(MSR_VM_CR, &control) && control & BIT(SVM_VM_CR_SVM_DISABLE))
		return "firmware has switched SVM off: switch AMD-V on in its setup";
	if (cpuid_eax(0x80000000) < HV_CPUID_SVM ||
	    !(cpuid_edx(HV_CPUID_SVM) & HV_CPUID_SVM_EDX_NESTED_PAGING))
		return "SVM has no nested paging here: another CPU is needed";
	*error = -EBUSY;
	rdmsrl(MSR_EFER, efer);
	if (efer & EFER_SVME)
		return "EFER.SVME is set: another hypervisor uses SVM: stop it, then start again";
	*error = 0;
	return NULL;
}

static const char *svm_check(int *error)
{
	*error = -ENODEV;
	if (!(cpuid_ecx(HV_CPUID_EXTENDED) & HV_CPUID_EXTENDED_ECX_SVM))
		return "CPUID shows no SVM: an AMD CPU with AMD-V, on and not hidden, is needed";
	*error = -EOPNOTSUPP;
	if (native_read_cr4() & X86_CR4_LA57)
		return "5-level paging is on: boot Linux with no5lvl";
	if (cc_platform_has(CC_ATTR_HOST_MEM_ENCRYPT))
		return "memory encryption is on: boot Linux with mem_encrypt=off";
	return check_firmware(error);
}

/*
 * The core leaves with GIF clear, so that no NMI meets a CPU that is half Linux's; and with INITs
 * redirected, where the CPU can do that.
 */
static void svm_finish(void)
{
	u64 control, efer;

	wrmsrl(MSR_VM_HSAVE_PA, 0);
	if (!rdmsrl_safe(MSR_VM_CR, &control) && control & HV_VM_CR_REDIRECT_INIT)
		wrmsrl(MSR_VM_CR, control & ~HV_VM_CR_REDIRECT_INIT);
	asm volatile("stgi" : : : "memory");
	rdmsrl(MSR_EFER, efer);
	wrmsrl(MSR_EFER, efer & ~EFER_SVME);
}

static long svm_hypercall(u64 number, u64 handle, const u64 *argument)
{
	register u64 third asm("r10") = argument[2];
	register u64 fourth asm("r8") = argument[3];
	long result = number;

	/* #UD where this CPU is not hoisted after all. */
	asm volatile("1:	vmmcall\n"
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

const struct hv_backend hv_svm = {
	.name = "svm",
	.rival = "kvm_amd",
	.hotplug_by_module = true,
	.check = svm_check,
	.unhoist = hv_svm_unhoist_here,
	.finish = svm_finish,
	.hypercall = svm_hypercall,
};
