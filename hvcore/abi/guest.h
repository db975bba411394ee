// SPDX-License-Identifier: MIT
// Guest VMs, as the root VM's kernel drives them: hypercalls of abi/call.h from HV_CALL_VM_CREATE
// on, and the exchange area of a vcpu, pages that the root VM shares with the core.
//
// A vcpu's exchange area is struct hv_vcpu_exchange, then struct hv_vcpu_cpuid on a page of its
// own. The root VM writes it while the vcpu does not run; the core copies what it takes, once,
// checks it, and then uses it.
#ifndef HV_ABI_GUEST_H
#define HV_ABI_GUEST_H

#include "fixed.h"

#define HV_EXCHANGE_PAGES 2u
#define HV_MAX_VMS 64u
#define HV_MAX_VCPUS 64u    // of one VM
#define HV_CPUID_ENTRIES 120u

// Why HV_CALL_VCPU_RUN has come back (hv_vcpu_exchange.exit). `length`: bytes of the instruction,
// which has not been executed; 0 where the core does not know.
enum hv_guest_exit {
    // the root VM has an interrupt or NMI to take, or the slice is over
    HV_GUEST_INTERRUPTED = 0,
    HV_GUEST_HLT = 1,    // length
    // address = port, detail = bits of enum hv_guest_io, value = data of OUT; length. String
    // instructions and their memory are the root VM's to emulate.
    HV_GUEST_IO = 2,
    HV_GUEST_MSR_READ = 3,     // address = index; length
    HV_GUEST_MSR_WRITE = 4,    // address = index, value; length
    // the second stage has no leaf that allows it: address = guest-physical, detail = bits of enum
    // hv_access
    HV_GUEST_MEMORY = 5,
    // detail: 0 read, 1 write; address = general register, 16 where the core does not know; length
    HV_GUEST_CR8 = 6,
    HV_GUEST_SHUTDOWN = 7,       // triple fault
    HV_GUEST_WINDOW = 8,         // what HV_RUN_WINDOW or HV_RUN_NMI_WINDOW waited for
    HV_GUEST_INVALID = 9,        // no CPU enters this state: address = the hardware's own reason
    HV_GUEST_UNEXPECTED = 10,    // address = the backend's exit reason, value = qualification
    HV_GUEST_HYPERCALL = 11,     // number in rax, which KVM answers; length
    HV_GUEST_UNDEFINED = 12,     // #UD, which the guest has not got yet
    // A rule pauses the VM: address = its id. The instruction has not been executed, and is at the
    // next run.
    HV_GUEST_PAUSED = 13,
    // A rule ends the VM: address = its id. No vcpu of it runs any more: -EIO.
    HV_GUEST_KILLED = 14,
    HV_GUEST_EXIT_COUNT
};

enum hv_guest_io {
    HV_GUEST_IO_IN = 1,
    HV_GUEST_IO_STRING = 2,
    HV_GUEST_IO_REPEAT = 4,
    HV_GUEST_IO_BYTES_SHIFT = 4,    // 1, 2 or 4 from this bit on
};

// hv_vcpu_exchange.flags, from the root VM
enum hv_run_flag {
    HV_RUN_SYSTEM = 1,        // hv_vcpu_exchange.system has changed: take it
    HV_RUN_WINDOW = 2,        // come back when an interrupt could be injected
    HV_RUN_NMI_WINDOW = 4,    // come back when an NMI could be injected
    // `event` is to be delivered at the entry; one that the guest was in the middle of comes first,
    // and this one is then refused: HV_GUEST_WINDOW, nothing executed
    HV_RUN_EVENT = 8,
    HV_RUN_CPUID = 16,       // hv_vcpu_cpuid has changed: take it
    HV_RUN_NO_MWAIT = 32,    // MONITOR and MWAIT raise #UD; otherwise they do nothing
};

// hv_vcpu_exchange.state, from the core. A run takes three of them: whether NMIs are blocked, that
// a shadow is over, as it is behind an instruction that Linux has done, and that the event which is
// half delivered is no more.
enum hv_vcpu_state_bit {
    HV_VCPU_INTERRUPTIBLE = 1,    // RFLAGS.IF, no shadow, no event half delivered
    HV_VCPU_SHADOW = 2,           // of STI or MOV SS
    HV_VCPU_NMI_BLOCKED = 4,
    // `event` is half delivered: the next entry does it, unless the root VM clears this bit
    HV_VCPU_EVENT_PENDING = 8,
};

// The format of VMX's entry-interruption field and of SVM's EVENTINJ: vector 7..0, type 10..8 (0
// interrupt, 2 NMI, 3 exception, 4 software interrupt), has error code 11, valid 31.
struct hv_event {
    uint32_t event;
    uint32_t error;
};

struct hv_segment {
    uint64_t base;
    uint32_t limit;
    uint16_t selector;
    uint16_t attributes;    // descriptor bits 47..40, then 55..52; bit 7 clear: not usable
};
HV_STATIC_ASSERT(sizeof(struct hv_segment) == 16, "hv_segment");

struct hv_vcpu_system {
    struct hv_segment es, cs, ss, ds, fs, gs, ldtr, tr, gdtr, idtr;
    uint64_t cr0, cr2, cr3, cr4, cr8, efer, xcr0;
    uint64_t dr[4], dr6, dr7;
    uint64_t star, lstar, cstar, fmask, kernel_gs_base;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t pat, tsc_aux;
    uint64_t tsc_offset;    // guest TSC = TSC of the CPU + this
};
HV_STATIC_ASSERT(sizeof(struct hv_vcpu_system) == 160 + 8 * 24, "hv_vcpu_system");

struct hv_vcpu_exchange {
    uint32_t version;    // HV_ABI_VERSION, written by the core
    uint32_t size;
    uint32_t flags;      // bits of enum hv_run_flag; the core clears what it has taken
    uint32_t state;      // bits of enum hv_vcpu_state_bit
    uint64_t gpr[16];    // rax rcx rdx rbx rsp rbp rsi rdi r8 … r15
    uint64_t rip, rflags;
    struct hv_event event;
    uint32_t exit;    // enum hv_guest_exit
    uint32_t length;
    uint32_t detail;
    uint32_t reserved;
    uint64_t address;
    uint64_t value;
    struct hv_vcpu_system system;    // from the core: after HV_CALL_VCPU_READ only
    uint64_t exits;                  // that the core has answered itself, since the vcpu was made
};
HV_STATIC_ASSERT(sizeof(struct hv_vcpu_exchange) == 16 + 128 + 16 + 8 + 16 + 16 + 352 + 8,
                 "hv_vcpu_exchange");

struct hv_cpuid_entry {
    uint32_t leaf, subleaf;
    uint32_t significant;    // 1: subleaf counts
    uint32_t eax, ebx, ecx, edx;
    uint32_t reserved;
};
struct hv_vcpu_cpuid {
    uint32_t count;
    uint32_t reserved[7];
    struct hv_cpuid_entry entry[HV_CPUID_ENTRIES];
};
HV_STATIC_ASSERT(sizeof(struct hv_cpuid_entry) == 32, "hv_cpuid_entry");
HV_STATIC_ASSERT(sizeof(struct hv_vcpu_cpuid) <= 4096, "hv_vcpu_cpuid");

#endif
