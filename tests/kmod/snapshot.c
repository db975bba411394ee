// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The state of each CPU that a hoist and unhoist must leave as it was. */
#include <linux/cpu.h>
#include <linux/crc32.h>
#include <linux/smp.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/fpu/xcr.h>
#include <asm/msr.h>
#include <asm/segment.h>
#include <asm/special_insns.h>

#include "hv_test.h"

/*
 * FS base and kernel GS base are not here: they belong to whatever task the CPU runs just now,
 * and a
 * program of its own looks after them. Nor is SS: an interrupt out of ring 3 leaves it null.
 */
static const u32 msr_index[] = {
	0x1b, 0x3a, 0x48, 0x174, 0x175, 0x176, 0x1a0, 0x1d9, 0x200, 0x201, 0x202, 0x203, 0x204,
	0x205,
	0x206, 0x207, 0x208, 0x209, 0x20a, 0x20b, 0x20c, 0x20d, 0x20e, 0x20f, 0x250, 0x258, 0x259,
	0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f, 0x277, 0x2ff, 0xda0, 0xc0000080,
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000101, 0xc0000103, 0xc0010010,
	0xc0010015, 0xc0010114, 0xc0010117,
};

#define NO_SUCH_MSR 0xbadbadbadbadbadull

struct snapshot {
	u64 cr0, cr4, xcr0, dr7;
	struct desc_ptr gdtr, idtr;
	u32 gdt_sum, idt_sum, tr_limit;
	u32 cpuid_1_ecx, cpuid_hypervisor;
	u16 tr, ldtr, cs, ds, es, fs, gs;
	u64 msr[ARRAY_SIZE(msr_index)];
};

static void take_tables(struct snapshot *s)
{
	native_store_gdt(&s->gdtr);
	store_idt(&s->idtr);
	/* Up to the TLS entries, which belong to the task. */
	s->gdt_sum = crc32_le(0, (void *)s->gdtr.address, 8 * GDT_ENTRY_TLS_MIN);
	s->idt_sum = crc32_le(0, (void *)s->idtr.address, 256 * sizeof(gate_desc));
	s->tr = native_store_tr();
	asm volatile("lsl %1, %0" : "=r" (s->tr_limit) : "r" ((u32)s->tr) : "cc");
	asm volatile("sldt %0" : "=rm" (s->ldtr));
}

static void take(void *data)
{
	struct snapshot *s = data;
	unsigned int i;

	s->cr0 = native_read_cr0();
	s->cr4 = native_read_cr4();
	if (s->cr4 & X86_CR4_OSXSAVE)
		s->xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	get_debugreg(s->dr7, 7);
	take_tables(s);
	savesegment(cs, s->cs);
	savesegment(ds, s->ds);
	savesegment(es, s->es);
	savesegment(fs, s->fs);
	savesegment(gs, s->gs);
	s->cpuid_1_ecx = cpuid_ecx(1);
	s->cpuid_hypervisor = cpuid_ebx(0x40000000);
	for (i = 0; i < ARRAY_SIZE(msr_index); i++)
		if (rdmsrl_safe(msr_index[i], &s->msr[i]))
			s->msr[i] = NO_SUCH_MSR;
}

static void tell(unsigned int cpu, const struct snapshot *s)
{
	unsigned int i;

	hv_tell("cpu%u cr0 %llx\ncpu%u cr4 %llx\n", cpu, s->cr0, cpu, s->cr4);
	hv_tell("cpu%u xcr0 %llx\ncpu%u dr7 %llx\n", cpu, s->xcr0, cpu, s->dr7);
	hv_tell("cpu%u gdt %lx/%x/%x\n", cpu, s->gdtr.address, s->gdtr.size, s->gdt_sum);
	hv_tell("cpu%u idt %lx/%x/%x\n", cpu, s->idtr.address, s->idtr.size, s->idt_sum);
	hv_tell("cpu%u tr %x/%x\ncpu%u ldtr %x\n", cpu, s->tr, s->tr_limit, cpu, s->ldtr);
	hv_tell("cpu%u segments %x %x %x %x %x\n", cpu, s->cs, s->ds, s->es, s->fs, s->gs);
	hv_tell("cpu%u cpuid %x %x\n", cpu, s->cpuid_1_ecx, s->cpuid_hypervisor);
	for (i = 0; i < ARRAY_SIZE(msr_index); i++)
		hv_tell("cpu%u msr_%x %llx\n", cpu, msr_index[i], s->msr[i]);
}

int hv_test_snapshot(const u64 *argument, unsigned int count)
{
	struct snapshot s;
	unsigned int cpu;
	int error = 0;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		memset(&s, 0, sizeof(s));
		error = smp_call_function_single(cpu, take, &s, 1);
		if (error)
			break;
		tell(cpu, &s);
	}
	cpus_read_unlock();
	return error;
}
