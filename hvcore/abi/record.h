// SPDX-License-Identifier: MIT
// Records and counters: pages that the core writes and the root VM may only read.
// A CPU's shared pages are one page with struct hv_cpu_shared, then HV_RING_PAGES of records.
// Ring i belongs to the CPU launched as number i. head counts records written since the launch,
// tail those released by HV_CALL_RECORDS_RELEASE; record n lies in slot n % HV_RING_RECORDS. When
// head - tail is HV_RING_RECORDS the next record is counted in `dropped` and not written.
#ifndef HV_ABI_RECORD_H
#define HV_ABI_RECORD_H

#include "fixed.h"

#define HV_RING_PAGES 4u
#define HV_RING_RECORDS (HV_RING_PAGES * HV_PAGE_BYTES / 64u)

// What a record tells. `reason` is the backend's basic exit reason, 0xffff where there was no exit.
#define HV_RECORD_KINDS(X) \
    X(NONE, "none") \
    X(LAUNCHED, "launched")           /* a CPU is hoisted */ \
    X(UNHOISTED, "unhoisted")         /* a CPU goes back to Linux */ \
    X(CORE_READ, "core_read")         /* unused on VMX: reads see zeroes without an exit */ \
    X(CORE_WRITE, "core_write")       /* write to a core frame: address, rip */ \
    X(CORE_EXECUTE, "core_execute")   /* instruction fetch from a core frame */ \
    X(MEMORY_DENIED, "memory_denied") /* rule; address = guest-physical, qualification */ \
    X(MEMORY_LOGGED, "memory_logged") \
    X(MSR_DENIED, "msr_denied") /* rule, or 0: the built-in table; address = index, value */ \
    X(MSR_LOGGED, "msr_logged") \
    X(CR_DENIED, "cr_denied") /* rule; address = register number, value = wanted, old = present */ \
    X(CR_LOGGED, "cr_logged") \
    X(CALL_DENIED, "call_denied") /* from ring 3, or a wrong handle: address = number */ \
    X(INSTRUCTION_DENIED, "instruction_denied") /* a VMX/SVM instruction of the root VM got #UD */ \
    X(UNEXPECTED_EXIT, "unexpected_exit") \
    X(ENTRY_FAILED, "entry_failed") \
    X(TRIPLE_FAULT, "triple_fault") \
    X(MACHINE_CHECK, "machine_check") \
    X(INIT, "init") \
    X(SIPI, "sipi") \
    X(POLICY_LOADED, "policy_loaded") /* value = number of rules, address = generation */ \
    X(POLICY_LOCKED, "policy_locked") \
    X(FRAMES_DONATED, "frames_donated") /* address, value = pages */ \
    X(FRAMES_RETURNED, "frames_returned") \
    X(ROOT_FAULT, "root_fault") /* exception in root mode: address = vector, value = error */ \
    X(MTRR_DENIED, "mtrr_denied") \
    X(SHOOTDOWN_SLOW, "shootdown_slow") /* a CPU did not answer in time: address = its number */ \
    /* rule; address = enum hv_table, value = base that was loaded, old = the one before */ \
    X(DTR_DENIED, "dtr_denied") \
    X(DTR_LOGGED, "dtr_logged") \
    X(XCR_DENIED, "xcr_denied") /* rule; value = wanted, old = present */ \
    X(XCR_LOGGED, "xcr_logged") \
    X(IO_DENIED, "io_denied") /* rule; address = port, value = of OUT, old = bytes */ \
    X(IO_LOGGED, "io_logged") \
    X(CPUID_DENIED, "cpuid_denied") /* rule; address = leaf << 32 | sub-leaf */ \
    X(CPUID_LOGGED, "cpuid_logged") \
    X(EXECUTION_DENIED, "execution_denied") /* rule; address = enum hv_instruction */ \
    X(EXECUTION_LOGGED, "execution_logged") \
    X(MSR_KEPT, "msr_kept") /* rule; as of the denial, but there was no fault */ \
    X(CR_KEPT, "cr_kept") \
    X(DTR_KEPT, "dtr_kept") \
    X(XCR_KEPT, "xcr_kept") \
    X(POLICY_MARKED, "policy_marked") /* address = marker, value = number of rules */ \
    /* rule; address = register number, value = wanted, old = the one before */ \
    X(DR_DENIED, "dr_denied") \
    X(DR_LOGGED, "dr_logged") \
    X(DR_KEPT, "dr_kept") \
    /* rule; address = user, value = enum hv_vm_limit, old = what it would come to */ \
    X(VM_DENIED, "vm_denied") \
    X(VM_LOGGED, "vm_logged") \
    /* rule; a guest's access: address = port or MSR index, value = what was to be written, old = \
       bytes of I/O, 0: of an MSR, from bit 32 on the user of the VM */ \
    X(GUEST_DENIED, "guest_denied") \
    X(GUEST_LOGGED, "guest_logged") \
    X(GUEST_PAUSED, "guest_paused") \
    X(GUEST_KILLED, "guest_killed")

enum hv_record_kind {
#define HV_X(name, text) HV_RECORD_##name,
    HV_RECORD_KINDS(HV_X)
#undef HV_X
        HV_RECORD_KIND_COUNT
};

// Whether an instruction of the root VM, and so one of its processes, brought a record of this kind
// about: see HV_LAUNCH_NMI_PER_RECORD.
#define HV_RECORD_HAS_PROCESS(kind) \
    (((kind) >= HV_RECORD_CORE_READ && (kind) <= HV_RECORD_INSTRUCTION_DENIED) || \
     (kind) == HV_RECORD_MTRR_DENIED || \
     ((kind) >= HV_RECORD_DTR_DENIED && (kind) <= HV_RECORD_XCR_KEPT) || \
     ((kind) >= HV_RECORD_DR_DENIED && (kind) <= HV_RECORD_VM_LOGGED))

enum hv_vm_limit { HV_VM_COUNT, HV_VM_PAGES, HV_VM_VCPUS };

struct hv_record {
    uint64_t sequence;    // its index in its ring: makes a lost or repeated one visible
    uint64_t tsc;
    uint32_t cpu;    // the operating system's number
    uint16_t kind;
    uint16_t reason;
    uint32_t rule;      // id of the rule, 0 where none was involved
    uint32_t access;    // enum hv_access bits
    uint64_t rip;
    uint64_t address;    // guest-physical address, MSR index, register number, hypercall number
    uint64_t value;      // what was to be written; exit qualification where nothing was
    uint64_t old_value;
};
HV_STATIC_ASSERT(sizeof(struct hv_record) == 64, "hv_record");

#define HV_COUNTERS 128u    // per basic exit reason; SVM maps its codes into this range (svm/)

struct hv_cpu_shared {
    uint32_t version;    // HV_ABI_VERSION
    uint32_t size;
    uint32_t cpu;         // number in launch order
    uint32_t cpu_id;      // the operating system's number
    uint32_t launched;    // 1 while hoisted
    uint32_t parked;      // 1: the core gave this CPU up after a dump
    uint64_t head;
    uint64_t tail;
    uint64_t dropped;
    uint64_t counter[HV_COUNTERS];
};
HV_STATIC_ASSERT(sizeof(struct hv_cpu_shared) == 24 + 24 + 8 * HV_COUNTERS, "hv_cpu_shared");

#endif
