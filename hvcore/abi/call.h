// SPDX-License-Identifier: MIT
// Hypercalls of the root VM: VMCALL (VMMCALL on SVM) in ring 0, 64-bit mode.
// rax number; rdi handle (the secret of struct hv_launch); rsi rdx r10 r8 arguments; result in rax:
// 0 or a positive value, or -errno. All other registers are kept. Ring 3 gets #UD.
// Unknown number: -ENOSYS (38). Wrong handle: -EBADF (9).
#ifndef HV_ABI_CALL_H
#define HV_ABI_CALL_H

#include "fixed.h"

enum hv_call {
    // No arguments, no handle; does nothing.
    HV_CALL_NOP = 0,
    // rsi = where to go on (a canonical kernel address). Takes this CPU out of guest operation: on
    // success the CPU is in VMX root operation (SVM: host) at rsi, on the caller's CR3 and rsp, rdx
    // = physical address of the VMCS to VMCLEAR before VMXOFF; registers as after a failed launch
    // with root_state = 1 (launch.h). -EPERM (1) once locked or under
    // a rule with HV_RULE_RATCHET; -EINVAL: rsi is not canonical.
    // SVM: rdx = physical address of the page table to go on with instead of the caller's: one as
    // for launch, which maps the core too; -EINVAL: unaligned, no RAM, or a frame of the core.
    HV_CALL_UNHOIST = 1,
    // rsi = ring (launch order of the CPU), rdx = tail: records before this index are read.
    // -EINVAL: not between the old tail and head. See record.h.
    HV_CALL_RECORDS_RELEASE = 2,
    // Writes struct hv_audit to the start of the mailbox. 0: clean; else -EIO with the first
    // finding in it.
    HV_CALL_AUDIT = 3,
    // rsi = physical address, rdx = pages: the root VM gives frames to the core's pool. They leave
    // its second stage before the call returns. -EINVAL: not RAM that it has, unaligned, already
    // the core's; -ENOSPC: no room to note it.
    HV_CALL_DONATE = 4,
    // rsi = physical address of an earlier donation: gives it back, zeroed. -EBUSY (16): in use;
    // -ENOENT (2): never donated.
    HV_CALL_RECLAIM = 5,
    // rsi = number of struct hv_rule at the start of the mailbox, rdx = generation. Replaces the
    // whole set, on all CPUs, before it returns. -EINVAL: rule number (1-based) in the mailbox's
    // first word is not sound; -ENOMEM: pool empty (donate and try again); -EPERM: a rule
    // in force is missing, and it stays (enum hv_rule_flag) or the set is locked. Nothing changed
    // on any error.
    HV_CALL_POLICY_LOAD = 6,
    // The ratchet: from now on rules can only be added, and no CPU can be unhoisted before the next
    // boot.
    HV_CALL_POLICY_LOCK = 7,
    // rsi = ring of this CPU (no other's state can be read): writes struct hv_cpu_dump of its last
    // exit to the mailbox. -EINVAL: another CPU's ring.
    HV_CALL_DUMP = 8,
    // Builds with test hooks only (-ENOSYS otherwise): rsi = enum hv_test_hook.
    HV_CALL_TEST = 9,
    // Guest VMs (abi/guest.h). VM and vcpu numbers are positive and never used twice in a session;
    // -EBADF: there is none of this number. -ENOMEM: pool empty, donate and try again.
    // rsi = user that it belongs to, as the root VM tells users apart → number of the VM. -ENOSPC:
    // HV_MAX_VMS exist; -EPERM, of this call and of those that give a VM memory and vcpus: a rule
    // (HV_RULE_VM) lets this user's VMs have no more.
    HV_CALL_VM_CREATE = 10,
    // rsi = VM. Its vcpus and tables are gone, and no CPU has any of its translations, when the
    // call returns. -EBUSY: a vcpu of it runs.
    HV_CALL_VM_DESTROY = 11,
    // rsi = VM, rdx = guest-physical address, r10 = physical address, r8 = pages | bits of enum
    // hv_access << 56: memory of the root VM is the guest's too from now on. All or nothing.
    // -EINVAL: unaligned, not RAM, more than 512 pages, no rights; -EPERM: a frame of the core, or
    // rules keep even the root VM from such an access.
    HV_CALL_VM_MAP = 12,
    // rsi = VM, rdx = guest-physical address, r10 = pages: not the guest's any more on any CPU when
    // the call returns; what is not mapped stays so.
    HV_CALL_VM_UNMAP = 13,
    // rsi = VM, rdx = physical address of its exchange area, HV_EXCHANGE_PAGES pages that
    // HV_CALL_SHARE has made. → number of the vcpu. -ENOSPC: HV_MAX_VCPUS of this VM exist.
    HV_CALL_VCPU_CREATE = 14,
    HV_CALL_VCPU_DESTROY = 15,    // rsi = vcpu. -EBUSY: it runs
    // rsi = vcpu. Enters the guest; back with 0 and the exchange area filled. -EBUSY: it runs
    // already; -EINVAL: what the exchange area says is not sound, nothing was executed; -EIO: a
    // rule has ended the VM.
    HV_CALL_VCPU_RUN = 16,
    HV_CALL_VCPU_READ = 17,    // rsi = vcpu: fills hv_vcpu_exchange.system. -EBUSY: it runs
    // rsi = physical address, rdx = pages: like HV_CALL_DONATE, but the root VM goes on seeing and
    // writing them: exchange areas. HV_CALL_RECLAIM gives them back; -EBUSY: a vcpu's.
    HV_CALL_SHARE = 18,
    // rsi = 1: there is a node that runs guests, and where VMX is hidden its CPUID bit is shown in
    // ring 3, where programs look for it before they open the node. 0: not any more.
    HV_CALL_OFFER = 19,
    // rsi = marker, below HV_MARKERS, not 0. Rules that wait for it are in force, and those that
    // come later are so at once; on all CPUs, before it returns. The second time it does nothing.
    // Errors as of HV_CALL_POLICY_LOAD, the number in the mailbox is that of the rule in the set.
    HV_CALL_POLICY_MARK = 20,
    HV_CALL_COUNT
};

// What HV_CALL_TEST does in root mode, to show that the core survives it (or parks and says so).
enum hv_test_hook {
    // an XSETBV that faults, recovered by the fix-up table: returns -EIO
    HV_TEST_GENERAL_PROTECTION = 1,
    HV_TEST_MACHINE_CHECK = 2,    // INT 18: recorded, goes on
    HV_TEST_NMI = 3,              // INT 2: delivered to the root VM
    HV_TEST_SPIN = 4,             // rdx = ticks to stay in root mode, so that NMIs meet it there
    HV_TEST_DOUBLE_FAULT = 5,     // parks this CPU after a dump
};

struct hv_audit {
    uint32_t version;
    uint32_t size;
    uint64_t tables;    // second-stage table pages walked
    uint64_t leaves_4k, leaves_2m, leaves_1g;
    uint64_t core_frames;    // checked: none may be the target of a leaf
    uint64_t findings;
    uint64_t first_finding;            // guest-physical address of the first, when there is one
    uint64_t finding_kind;             // enum hv_finding of the first
    uint64_t pool_total, pool_free;    // pages
};
HV_STATIC_ASSERT(sizeof(struct hv_audit) == 88, "hv_audit");

enum hv_finding {
    HV_FINDING_NONE = 0,
    HV_FINDING_CORE_FRAME = 1,         // a leaf leads into a private frame of the core
    HV_FINDING_WRITABLE_SHARED = 2,    // a frame that is read-only for the root VM is writable
    HV_FINDING_NOT_IDENTITY = 3,
    // misconfiguration: a reserved bit, write without read, a bad memory type
    HV_FINDING_RESERVED_BIT = 4,
    HV_FINDING_TABLE_OUTSIDE = 5,    // a table page that is not a frame of the core
    HV_FINDING_TYPE = 6,             // the memory type is not the MTRRs'
};

// One CPU as the core sees it, for `hvctl dump`.
struct hv_cpu_dump {
    uint32_t version;
    uint32_t size;
    uint32_t cpu_id;
    uint32_t launched;    // 1 while hoisted
    uint64_t gpr[16];     // rax rcx rdx rbx rsp rbp rsi rdi r8 … r15
    uint64_t rip, rflags, cr0, cr3, cr4, efer;
    uint64_t cr0_shadow, cr0_mask, cr4_shadow, cr4_mask;
    uint64_t exit_reason, exit_qualification, guest_physical_address;
    uint64_t pin_controls, processor_controls, secondary_controls, exit_controls, entry_controls;
    uint64_t ept_pointer, interruptibility, activity;
    uint64_t cs_selector, ss_selector, tr_selector, gdtr_base, idtr_base, fs_base, gs_base;
};
HV_STATIC_ASSERT(sizeof(struct hv_cpu_dump) == 16 + 8 * (16 + 28), "hv_cpu_dump");

#endif
