// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Where the tables lie that lead to the kernel's own code: page tables of its image, the GDTs. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <asm/desc.h>
#include <asm/pgtable.h>

#include "hv.h"

static int add_table(struct hv_ranges *ranges, const void *entry)
{
	return hv_ranges_add(ranges, __pa((unsigned long)entry & PAGE_MASK), PAGE_SIZE);
}

static int add_middle_table(struct hv_ranges *ranges, pmd_t *entry)
{
	unsigned int i;
	int error = add_table(ranges, entry);

	for (i = 0; i < PTRS_PER_PMD && !error; i++)
		if ((pmd_flags(entry[i]) & (_PAGE_PRESENT | _PAGE_PSE)) == _PAGE_PRESENT)
			error = add_table(ranges, pte_offset_kernel(&entry[i], 0));
	return error;
}

/*
 * All processes share the tables below the top one, which each has for itself. On SVM each walk
 * counts as a write to them.
 */
int hv_place_image_tables(struct hv_ranges *ranges)
{
	pgd_t *top = (pgd_t *)__va(read_cr3_pa()) + pgd_index(__START_KERNEL_map);
	p4d_t *fourth = p4d_offset(top, __START_KERNEL_map);
	pud_t *upper = pud_offset(fourth, __START_KERNEL_map);
	int error = 0;

	if (hv.backend == &hv_svm)
		return hv_refuse(-EOPNOTSUPP,
			"on AMD CPUs each walk counts as a write: page tables can't be watched");
	if (KERNEL_IMAGE_SIZE % PUD_SIZE)
		return hv_refuse(-EOPNOTSUPP,
			"in this kernel the image shares page tables with the modules");
	if (pgtable_l5_enabled())
		error = add_table(ranges, fourth);
	if (!error)
		error = add_table(ranges, upper);
	return error ?: add_middle_table(ranges, pmd_offset(upper, __START_KERNEL_map));
}

/* A whole page each. What the CPU has loaded is a second mapping, read-only, of the same page. */
int hv_place_gdts(struct hv_ranges *ranges)
{
	unsigned int cpu;
	int error = 0;

	for_each_possible_cpu(cpu) {
		error = hv_ranges_add_linear(ranges, (unsigned long)get_cpu_gdt_rw(cpu), PAGE_SIZE);
		if (error)
			break;
	}
	return error;
}
