// SPDX-License-Identifier: GPL-2.0 OR MIT
/* FPU, SSE, AVX state, as clients save and set it. */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/fpu/api.h>
#include <asm/fpu/xcr.h>
#include <asm/fpu/xstate.h>
#include <asm/pkru.h>

#include "fpu.h"
#include "ioctl.h"
#include "registers.h"

#define AVX512 (XFEATURE_MASK_OPMASK | XFEATURE_MASK_ZMM_Hi256 | XFEATURE_MASK_Hi16_ZMM)

static bool has_pkru(void)
{
	return cpu_feature_enabled(X86_FEATURE_OSPKE);
}

/* KVM_GET_XSAVE's struct, or more where the processor's state is larger. */
unsigned int hvk_xsave_bytes(void)
{
	struct kvm_cpuid_entry2 entry;
	unsigned int bytes = sizeof(struct kvm_xsave);

	if (hvk_supported_leaf(0xd, 0, &entry))
		bytes = max(bytes, entry.ecx);
	return bytes;
}

int hvk_fpu_create(struct hvk_vcpu *vcpu)
{
	return fpu_alloc_guest_fpstate(&vcpu->fpu) ? 0 : -ENOMEM;
}

void hvk_fpu_destroy(struct hvk_vcpu *vcpu)
{
	fpu_free_guest_fpstate(&vcpu->fpu);
}

void hvk_fpu_load(struct hvk_vcpu *vcpu)
{
	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		switch_fpu_return();
	if (has_pkru()) {
		/* The task's own copy is as old as the last switch to it. */
		vcpu->client_pkru = rdpkru();
		wrpkru(vcpu->pkru);
	}
}

void hvk_fpu_unload(struct hvk_vcpu *vcpu)
{
	if (has_pkru()) {
		vcpu->pkru = rdpkru();
		wrpkru(vcpu->client_pkru);
	}
}

/* Of both xsave forms: the client gets as many bytes as it asked for. */
static long get_state(struct hvk_vcpu *vcpu, unsigned long argument, unsigned int bytes)
{
	void *state = kvzalloc(bytes, GFP_KERNEL_ACCOUNT);
	long error;

	if (!state)
		return -ENOMEM;
	fpu_copy_guest_fpstate_to_uabi(&vcpu->fpu, state, bytes, vcpu->fpu.fpstate->user_xfeatures,
				       vcpu->pkru);
	error = copy_to_user((void __user *)argument, state, bytes) ? -EFAULT : 0;
	kvfree(state);
	return error;
}

long hvk_get_xsave(struct hvk_vcpu *vcpu, unsigned long argument)
{
	if (hvk_xsave_bytes() > sizeof(struct kvm_xsave))
		return -EINVAL;
	return get_state(vcpu, argument, sizeof(struct kvm_xsave));
}

long hvk_get_xsave2(struct hvk_vcpu *vcpu, unsigned long argument)
{
	return get_state(vcpu, argument, hvk_xsave_bytes());
}

static int put_state(struct hvk_vcpu *vcpu, void *state)
{
	return fpu_copy_uabi_to_guest_fpstate(&vcpu->fpu, state, hvk_supported_xcr0(), &vcpu->pkru);
}

long hvk_set_xsave(struct hvk_vcpu *vcpu, unsigned long argument)
{
	void *state = memdup_user((void __user *)argument, hvk_xsave_bytes());
	int error;

	if (IS_ERR(state))
		return PTR_ERR(state);
	error = put_state(vcpu, state);
	kfree(state);
	return error;
}

static struct fxregs_state *legacy_state(struct hvk_vcpu *vcpu)
{
	return &vcpu->fpu.fpstate->regs.fxsave;
}

long hvk_get_fpu(struct hvk_vcpu *vcpu, unsigned long argument)
{
	const struct fxregs_state *state = legacy_state(vcpu);
	struct kvm_fpu fpu = {
		.fcw = state->cwd, .fsw = state->swd, .ftwx = state->twd,
		.last_opcode = state->fop, .last_ip = state->rip, .last_dp = state->rdp,
		.mxcsr = state->mxcsr,
	};

	memcpy(fpu.fpr, state->st_space, sizeof(fpu.fpr));
	memcpy(fpu.xmm, state->xmm_space, sizeof(fpu.xmm));
	return copy_to_user((void __user *)argument, &fpu, sizeof(fpu)) ? -EFAULT : 0;
}

/* MXCSR stays, as KVM leaves it. */
long hvk_set_fpu(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct fxregs_state *state = legacy_state(vcpu);
	struct kvm_fpu fpu;

	if (copy_from_user(&fpu, (void __user *)argument, sizeof(fpu)))
		return -EFAULT;
	memcpy(state->st_space, fpu.fpr, sizeof(fpu.fpr));
	memcpy(state->xmm_space, fpu.xmm, sizeof(fpu.xmm));
	state->cwd = fpu.fcw;
	state->swd = fpu.fsw;
	state->twd = fpu.ftwx;
	state->fop = fpu.last_opcode;
	state->rip = fpu.last_ip;
	state->rdp = fpu.last_dp;
	if (cpu_feature_enabled(X86_FEATURE_XSAVE))
		vcpu->fpu.fpstate->regs.xsave.header.xfeatures |= XFEATURE_MASK_FPSSE;
	return 0;
}

u64 hvk_supported_xcr0(void)
{
	if (!cpu_feature_enabled(X86_FEATURE_XSAVE))
		return XFEATURE_MASK_FPSSE;
	return xgetbv(XCR_XFEATURE_ENABLED_MASK) &
	       (XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM | AVX512);
}

long hvk_get_xcrs(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct hv_vcpu_system *system = hvk_system(vcpu);
	struct kvm_xcrs xcrs = { .nr_xcrs = 1 };

	if (!cpu_feature_enabled(X86_FEATURE_XSAVE))
		return -EINVAL;
	if (!system)
		return -EIO;
	xcrs.xcrs[0].value = system->xcr0;
	return copy_to_user((void __user *)argument, &xcrs, sizeof(xcrs)) ? -EFAULT : 0;
}

static bool valid_xcr0(struct hvk_vcpu *vcpu, u64 xcr0)
{
	if (!(xcr0 & XFEATURE_MASK_FP) || xcr0 & ~(vcpu->xcr0_supported | XFEATURE_MASK_FP))
		return false;
	if (xcr0 & XFEATURE_MASK_YMM && !(xcr0 & XFEATURE_MASK_SSE))
		return false;
	return !(xcr0 & AVX512) || ((xcr0 & AVX512) == AVX512 && xcr0 & XFEATURE_MASK_YMM);
}

long hvk_set_xcrs(struct hvk_vcpu *vcpu, unsigned long argument)
{
	struct hv_vcpu_system *system;
	struct kvm_xcrs xcrs;
	u32 i;

	if (copy_from_user(&xcrs, (void __user *)argument, sizeof(xcrs)))
		return -EFAULT;
	if (!cpu_feature_enabled(X86_FEATURE_XSAVE) || xcrs.nr_xcrs > KVM_MAX_XCRS || xcrs.flags)
		return -EINVAL;
	for (i = 0; i < xcrs.nr_xcrs; i++) {
		if (xcrs.xcrs[i].xcr != XCR_XFEATURE_ENABLED_MASK)
			continue;
		if (!valid_xcr0(vcpu, xcrs.xcrs[i].value))
			return -EINVAL;
		system = hvk_system_changed(vcpu);
		if (!system)
			return -EIO;
		system->xcr0 = xcrs.xcrs[i].value;
		return 0;
	}
	return 0;
}
