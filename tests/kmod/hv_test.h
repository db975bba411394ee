/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What the files of hv_test.ko share. One command at a time is written to /proc/hv_test, its answer
 * is read from there: lines of "name value". All arguments are numbers.
 */
#ifndef HV_TEST_H
#define HV_TEST_H

#include <linux/types.h>

#include "fault.h"

#define HV_TEST_ARGUMENTS 10

/* 0, or -errno for what could not even be tried; what happened stands in the answer. */
typedef int hv_test_run(const u64 *argument, unsigned int count);

struct hv_test_command {
	const char *name;
	const char *arguments;
	unsigned int least; /* number of arguments */
	hv_test_run *run;
};

/* main.c */
__printf(1, 2) void hv_tell(const char *format, ...);

/* snapshot.c */
hv_test_run hv_test_snapshot;

/* calls.c */
u64 hv_test_random(u64 *state);
hv_test_run hv_test_calls;
hv_test_run hv_test_call;
hv_test_run hv_test_keeps;

/* instructions.c */
hv_test_run hv_test_vmx;
hv_test_run hv_test_svm;
hv_test_run hv_test_nops;

/* secret.c */
void *hv_test_symbol(const char *name);
int hv_test_symbols_start(void);
void hv_test_symbols_stop(void);
hv_test_run hv_test_core;

/* frames.c */
#define HV_TEST_FRAMES 8192u
extern u64 hv_test_frame[HV_TEST_FRAMES];
extern unsigned int hv_test_frame_count;
int hv_test_each_ram_page(int (*visit)(u64 page, void *data), void *data);
hv_test_run hv_test_sweep;
hv_test_run hv_test_frames;
hv_test_run hv_test_read;

/* frame_access.c */
hv_test_run hv_test_write;
hv_test_run hv_test_peek;
hv_test_run hv_test_poke;

/* alias.c */
hv_test_run hv_test_alias;
hv_test_run hv_test_execute;

/* loads.c */
hv_test_run hv_test_fill;
hv_test_run hv_test_load;

/* patch.c */
hv_test_run hv_test_patch;

/* huge_alias.c; all zero: there is none */
struct hv_test_huge {
	u64 *tables;
	unsigned long cr3;
};

int hv_test_huge_map(struct hv_test_huge *huge, u64 physical, void **at);
void hv_test_huge_enter(struct hv_test_huge *huge);
void hv_test_huge_leave(struct hv_test_huge *huge);
void hv_test_huge_unmap(struct hv_test_huge *huge);

/* places.c */
hv_test_run hv_test_places;
hv_test_run hv_test_gdt;
void hv_test_places_free(void);

/* patterns.c */
hv_test_run hv_test_find;

/* blocks.c */
#define HV_TEST_BLOCK_BYTES (2u << 20)
hv_test_run hv_test_own;
hv_test_run hv_test_disown;
hv_test_run hv_test_hog;
hv_test_run hv_test_unhog;
void hv_test_blocks_free(void);

/* registers.c */
hv_test_run hv_test_cr;
hv_test_run hv_test_cr_set;
hv_test_run hv_test_cr0_instructions;
hv_test_run hv_test_xsetbv;
hv_test_run hv_test_invd;
hv_test_run hv_test_ipi;

/* debug_registers.c */
hv_test_run hv_test_dr;
hv_test_run hv_test_dr_set;

/* tables.c, segments.c */
hv_test_run hv_test_table;
int hv_test_segment(const u64 *argument);

/* watched.c */
hv_test_run hv_test_port;
hv_test_run hv_test_instruction;
hv_test_run hv_test_cpuid;

/* msrs.c */
/* The number of the exception, or 0. */
int hv_test_write_msr(u32 index, u64 value);
hv_test_run hv_test_rdmsr;
hv_test_run hv_test_wrmsr;
hv_test_run hv_test_lend_msr;
hv_test_run hv_test_rewrite;

/* msr_exits.c */
hv_test_run hv_test_msr_exits;

/* traps.c, trap_cases.c */
struct hv_test_trap_case {
	const char *name;
	void (*run)(void);
};

extern const struct hv_test_trap_case hv_test_trap_cases[];
extern const unsigned int hv_test_trap_case_count;
extern u64 hv_test_watched;
hv_test_run hv_test_traps;

/* nmi.c */
hv_test_run hv_test_nmi;

/* bench.c */
hv_test_run hv_test_time_nop;
hv_test_run hv_test_time_wrmsr;
hv_test_run hv_test_time_write;
hv_test_run hv_test_time_ipi;

/* scribble.c */
hv_test_run hv_test_scribble;
hv_test_run hv_test_rest;
void hv_test_scribble_stop(void);

/* sleep.c */
hv_test_run hv_test_sleepless;
void hv_test_sleep_allow(void);

#endif
