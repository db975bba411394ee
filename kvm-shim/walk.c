// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The guest's page tables. Source: SDM 3A 4 "Paging", APM 2 5 "Page Translation and Protection".
 */
#include <asm/msr-index.h>

#include "memory.h"
#include "registers.h"
#include "walk.h"

#define PRESENT BIT_ULL(0)
#define WRITABLE BIT_ULL(1)
#define USER BIT_ULL(2)
#define ACCESSED BIT_ULL(5)
#define DIRTY BIT_ULL(6)
#define LARGE BIT_ULL(7)
#define NO_EXECUTE BIT_ULL(63)
#define ADDRESS_MASK GENMASK_ULL(51, 12)

/* A walk under way: which entry it is at, and what all entries so far allow. */
struct walk {
	const struct hvk_paging *paging;
	u64 address;
	u32 access;
	unsigned int entry_bytes;
	unsigned int index_bits;
	unsigned int level;	/* 1: the last one */
	u64 table;
	u64 rights;		/* WRITABLE, USER of all */
	bool no_execute;	/* of any */
};

int hvk_paging(struct hvk_vcpu *vcpu, struct hvk_paging *paging)
{
	struct hv_vcpu_system *system = hvk_system(vcpu);

	if (!system)
		return -EIO;
	*paging = (struct hvk_paging){
		.cr0 = system->cr0,
		.cr3 = system->cr3,
		.cr4 = system->cr4,
		.efer = system->efer,
		.user = hvk_cpl(vcpu) == 3,
		.alignment_flag = vcpu->exchange->rflags & X86_EFLAGS_AC,
	};
	return 0;
}

static void start(struct walk *walk, const struct hvk_paging *paging, u64 address, u32 access)
{
	bool pae = paging->cr4 & X86_CR4_PAE;
	bool long_mode = paging->efer & EFER_LMA;

	*walk = (struct walk){
		.paging = paging,
		.address = long_mode ? address : (u32)address,
		.access = access,
		.entry_bytes = pae ? 8 : 4,
		.index_bits = pae ? 9 : 10,
		.level = pae ? 3 : 2,
		.table = paging->cr3 & (pae ? ADDRESS_MASK : GENMASK_ULL(31, 12)),
		.rights = WRITABLE | USER,
	};
	if (long_mode)
		walk->level = paging->cr4 & X86_CR4_LA57 ? 5 : 4;
	else if (pae)
		walk->table = paging->cr3 & GENMASK_ULL(31, 5);
}

static unsigned int shift_of(const struct walk *walk)
{
	return PAGE_SHIFT + walk->index_bits * (walk->level - 1);
}

static u64 entry_address(const struct walk *walk)
{
	u64 index = walk->address >> shift_of(walk) & ((1u << walk->index_bits) - 1);

	return walk->table + index * walk->entry_bytes;
}

static bool is_leaf(const struct walk *walk, u64 entry)
{
	if (walk->level == 1)
		return true;
	if (!(entry & LARGE) || walk->level > 3)
		return false;
	if (walk->entry_bytes == 4)
		return walk->paging->cr4 & X86_CR4_PSE;
	return walk->level == 2 || walk->paging->efer & EFER_LMA;
}

/* Entries of a PAE page-directory pointer table have no rights, accessed or dirty bit. */
static bool is_pae_root(const struct walk *walk)
{
	return walk->level == 3 && !(walk->paging->efer & EFER_LMA);
}

static bool allowed(const struct walk *walk)
{
	const struct hvk_paging *paging = walk->paging;
	bool user_page = walk->rights & USER;

	if (paging->quiet)
		return true;
	if (walk->access & HVK_PF_FETCH && walk->no_execute)
		return false;
	if (paging->user && !user_page)
		return false;
	if (!paging->user && user_page) {
		if (walk->access & HVK_PF_FETCH)
			return !(paging->cr4 & X86_CR4_SMEP);
		if (paging->cr4 & X86_CR4_SMAP && !paging->alignment_flag)
			return false;
	}
	if (walk->access & HVK_PF_WRITE && !(walk->rights & WRITABLE))
		return !paging->user && !(paging->cr0 & X86_CR0_WP);
	return true;
}

static int page_fault(const struct walk *walk, u32 why, struct hvk_fault *fault)
{
	const struct hvk_paging *paging = walk->paging;

	fault->address = walk->address;
	fault->error = why | (walk->access & HVK_PF_WRITE) | (paging->user ? HVK_PF_USER : 0);
	if (walk->access & HVK_PF_FETCH && (paging->efer & EFER_NX || paging->cr4 & X86_CR4_SMEP))
		fault->error |= HVK_PF_FETCH;
	return 1;
}

static u64 leaf_address(const struct walk *walk, u64 entry)
{
	u64 mask = (1ull << shift_of(walk)) - 1;
	u64 page = entry & ADDRESS_MASK;

	if (walk->entry_bytes == 4) {
		page = entry & GENMASK_ULL(31, 12);
		if (walk->level == 2)	/* PSE-36: bits 39:32 are in 20:13 */
			page |= (entry >> 13 & 0xff) << 32;
	}
	return (page & ~mask) | (walk->address & mask);
}

static int read_entry(struct hvk_vm *vm, const struct walk *walk, u64 *entry)
{
	*entry = 0;
	return hvk_read_page(vm, entry_address(walk), entry, walk->entry_bytes);
}

/* The processor's marks. A table in read-only memory cannot be marked. */
static int mark(struct hvk_vm *vm, const struct walk *walk, u64 entry, bool leaf)
{
	u64 bits = ACCESSED;
	int error;

	if (leaf && walk->access & HVK_PF_WRITE)
		bits |= DIRTY;
	if (walk->paging->quiet || is_pae_root(walk) || !(bits & ~entry))
		return 0;
	error = hvk_set_entry_bits(vm, entry_address(walk), entry, bits, walk->entry_bytes);
	return error == -ENXIO ? 0 : error;
}

static void take_rights(struct walk *walk, u64 entry)
{
	if (is_pae_root(walk))
		return;
	walk->rights &= entry;
	if (walk->paging->efer & EFER_NX && walk->entry_bytes == 8 && entry & NO_EXECUTE)
		walk->no_execute = true;
}

/* 0: at the leaf; 1: page fault; -EAGAIN: an entry changed meanwhile. */
static int descend(struct hvk_vm *vm, struct walk *walk, u64 *gpa, struct hvk_fault *fault)
{
	for (;;) {
		u64 entry;
		bool leaf;
		int error = read_entry(vm, walk, &entry);

		/* A table where no memory is has no entries. */
		if (error && error != -ENXIO)
			return error;
		if (error || !(entry & PRESENT))
			return page_fault(walk, 0, fault);
		leaf = is_leaf(walk, entry);
		take_rights(walk, entry);
		if (leaf && !allowed(walk))
			return page_fault(walk, HVK_PF_PRESENT, fault);
		error = mark(vm, walk, entry, leaf);
		if (error)
			return error;
		if (leaf) {
			*gpa = leaf_address(walk, entry);
			return 0;
		}
		walk->table = entry & (walk->entry_bytes == 8 ? ADDRESS_MASK : GENMASK_ULL(31, 12));
		walk->level--;
	}
}

int hvk_walk(struct hvk_vm *vm, const struct hvk_paging *paging, u64 address, u32 access,
	     u64 *gpa, struct hvk_fault *fault)
{
	struct walk walk;
	int result;

	if (!(paging->cr0 & X86_CR0_PG)) {
		*gpa = (u32)address;
		return 0;
	}
	do {
		start(&walk, paging, address, access);
		result = descend(vm, &walk, gpa, fault);
		cond_resched();
	} while (result == -EAGAIN && !signal_pending(current));
	return result;
}
