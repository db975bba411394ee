// SPDX-License-Identifier: MIT
// Launch: what a loader hands to the core on each CPU, and what it gets back.
//
// The loader calls hv_image_header.entry on one CPU after the other (never two at a time), in ring
// 0, 64-bit mode, interrupts off, with a CR3 under which both the core (as in image.h) and the
// caller's own code, stack, GDT, IDT and this struct are mapped. Before the call it stores in the
// struct where the CPU shall go on as a guest: guest_rip, guest_rsp, guest_cr3.
//   success  the core does not return: the CPU is in VMX non-root operation at guest_rip/guest_rsp/
//            guest_cr3 with rax = 0, rflags = 2, all other general registers undefined.
//   failure  the call returns -errno; step and detail say why. If root_state is 1, the CPU's GDTR
//            and IDTR limits, TR, segment registers, FS/GS base, DR7 and DEBUGCTL hold the core's
//            values, and the loader must load its own again. CR0, CR3, CR4, EFER, PAT and the
//            SYSENTER MSRs are as before the call.
//            SVM: then EFER.SVME is still set and GIF clear; the loader loads its own state,
//            executes STGI and clears SVME, in this order. After HV_CALL_UNHOIST so too, and CR0,
//            CR4 and EFER are the core's.
#ifndef HV_ABI_LAUNCH_H
#define HV_ABI_LAUNCH_H

#include "fixed.h"

#define HV_MAX_CHUNKS 64u

// Steps in the order in which they happen; the name of each in lower case is what messages print.
#define HV_LAUNCH_STEPS(X) \
    X(NONE, "none")                       /* nothing failed */ \
    X(ARGUMENTS, "arguments")             /* struct hv_launch is not sound */ \
    X(VENDOR, "vendor")                   /* neither VMX nor SVM in CPUID */ \
    X(FEATURE_CONTROL, "feature_control") /* firmware locked VMX off */ \
    X(IN_USE, "in_use")                   /* CR4.VMXE already set: another hypervisor */ \
    X(CAPABILITIES, "capabilities")       /* no EPT, unrestricted guest or other need */ \
    X(MEMORY_TYPES, "memory_types")       /* MTRRs could not be understood */ \
    X(SECOND_STAGE, "second_stage")       /* building the EPT failed: out of pool pages */ \
    X(HIDE, "hide")                       /* core frames could not be hidden */ \
    X(HOST_STATE, "host_state")           /* GDT, TSS, IDT, stacks of the CPU */ \
    X(VMXON, "vmxon") \
    X(VMCLEAR, "vmclear") \
    X(VMPTRLD, "vmptrld") \
    X(CONTROLS, "controls")       /* VMWRITE of controls */ \
    X(GUEST_STATE, "guest_state") /* VMWRITE of guest state */ \
    X(VMLAUNCH, "vmlaunch")       /* entry refused: detail is the VM-instruction error */ \
    X(ENTRY, "entry")             /* entry failed: detail is the exit reason */ \
    X(SVME, "svme")               /* SVM, before the controls: EFER.SVME does not stay set */

enum hv_launch_step {
#define HV_X(name, text) HV_STEP_##name,
    HV_LAUNCH_STEPS(HV_X)
#undef HV_X
        HV_STEP_COUNT
};

enum hv_launch_flag {
    // This CPU gets an NMI behind each record for which HV_RECORD_HAS_PROCESS, so that the
    // operating system can note which of its processes that was.
    HV_LAUNCH_NMI_PER_RECORD = 1,
};

struct hv_chunk {
    uint64_t hpa;    // 4 KiB aligned
    uint64_t pages;
};

struct hv_launch {
    uint32_t version;    // HV_ABI_VERSION
    uint32_t size;       // of this struct
    // 0 .. cpus-1, the order of the areas in image.h; the first call of all must be 0
    uint32_t cpu;
    // launched in all; a CPU that left may be launched again, with the same number
    uint32_t cpus;
    uint32_t cpu_id;    // the operating system's number of this CPU, for records
    uint32_t chunks;    // of chunk[], in the order of their virtual addresses
    uint32_t table_pages;
    uint32_t fail_step;    // builds with test hooks: fail at this step; otherwise must be 0
    uint64_t handle;       // a secret, not 0; every hypercall but HV_CALL_NOP must carry it
    // first byte after the highest RAM, bytes; MMIO above is mapped on first use
    uint64_t top_of_ram;
    uint64_t debugctl;    // IA32_DEBUGCTL of this CPU, 0 where the CPU has none
    uint64_t flags;       // bits of enum hv_launch_flag
    uint64_t guest_rip;
    uint64_t guest_rsp;
    uint64_t guest_cr3;
    // written by the core
    uint32_t step;    // enum hv_launch_step, where it failed
    uint32_t root_state;
    uint64_t detail;    // the hardware's own reason: VM-instruction error, exit reason, MSR value …
    struct hv_chunk chunk[HV_MAX_CHUNKS];
};
HV_STATIC_ASSERT(sizeof(struct hv_chunk) == 16, "hv_chunk");
HV_STATIC_ASSERT(sizeof(struct hv_launch) == 32 + 56 + 16 + 16 * HV_MAX_CHUNKS, "hv_launch");
HV_STATIC_ASSERT(offsetof(struct hv_launch, guest_rip) == 64, "hv_launch.guest_rip");

#endif
