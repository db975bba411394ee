// SPDX-License-Identifier: MIT
// Compiled rules, as hvd writes them and the core keeps them: flat, fixed size, checked on arrival.
#ifndef HV_ABI_POLICY_H
#define HV_ABI_POLICY_H

#include "fixed.h"

enum hv_rule_kind {
    HV_RULE_MSR = 1,    // first, last: MSR indices, inclusive; access: read, write
    HV_RULE_CR = 2,     // first: 0 or 4; mask: bits that may not change any more; access: write
    // first, last: guest-physical bytes, inclusive, first 4 KiB aligned, last + 1 too; access:
    // write, execute
    HV_RULE_MEMORY = 3,
    // mask: bits, 1 << enum hv_table, that may not be loaded with anything else than each CPU has
    // when the rule comes into force; access: write
    HV_RULE_DTR = 4,
    HV_RULE_IO = 5,     // first, last: ports, inclusive; access: read (IN), write (OUT)
    HV_RULE_XCR = 6,    // mask: bits of XCR0 that may not change any more; access: write
    // first, last: leaf << 32 | sub-leaf, inclusive; mask: bits of EAX and, from bit 32 on, EBX;
    // pass_first: those of ECX and EDX. Denied, they read as zero; access: read
    HV_RULE_CPUID = 7,
    HV_RULE_INSTRUCTION = 8,    // mask: bits, 1 << enum hv_instruction; access: execute
    // mask: bits of DR7 and, 1 << (32 + n), DRn for n from 0 to 3, that may not change any more;
    // access: write
    HV_RULE_DR = 9,
    // first, last: users that VMs belong to (HV_CALL_VM_CREATE), inclusive; all VMs of these users
    // together are at most mask VMs with pass_last vcpus, and have at most pass_first pages of
    // memory; access: execute
    HV_RULE_VM = 10,
};

// Denied, MONITOR and all behind it raise #UD, the others #GP(0).
enum hv_instruction {
    HV_INSTRUCTION_RDTSC,
    HV_INSTRUCTION_RDTSCP,
    HV_INSTRUCTION_RDPMC,
    HV_INSTRUCTION_WBINVD,
    HV_INSTRUCTION_INVLPG,
    HV_INSTRUCTION_MONITOR,
    HV_INSTRUCTION_MWAIT,
    HV_INSTRUCTION_RDRAND,    // VMX only, as is the next
    HV_INSTRUCTION_RDSEED,
    HV_INSTRUCTION_COUNT
};

enum hv_table {
    HV_TABLE_GDT = 0,
    HV_TABLE_IDT = 1,
    HV_TABLE_LDT = 2,    // LDTR and TR: selector, base, limit and attributes
    HV_TABLE_TR = 3,
    HV_TABLE_COUNT
};

enum hv_access {
    HV_ACCESS_READ = 1,
    HV_ACCESS_WRITE = 2,
    HV_ACCESS_EXECUTE = 4,
};

// Of several the strictest counts: the highest.
enum hv_action {
    HV_ACTION_LOG = 1,    // it happens, and a record says so
    // MSR with access write alone, CR, DTR, XCR, DR: the instruction is done, without a fault, but
    // what the rule watches has its old value; and a record
    HV_ACTION_KEEP = 2,
    HV_ACTION_DENY = 3,    // it does not happen, the fault of real hardware, and a record
    // Rules with HV_RULE_GUEST: as HV_GUEST_PAUSED and HV_GUEST_KILLED say (abi/guest.h)
    HV_ACTION_PAUSE = 4,
    HV_ACTION_KILL = 5,
};

#define HV_MAX_RULES 1024u

enum hv_rule_flag {
    // What lies in pass_first..pass_last passes, without a record. MSR (access: write alone): the
    // value that is written. CR, and memory with access write alone: the linear address of the
    // instruction.
    HV_RULE_PASSES = 1,
    // MSR, one, access write alone: with HV_RULE_PASSES; the core reads the value that passes when
    // the rule comes into force.
    HV_RULE_UNCHANGED = 2,
    // How long it is in force, of all kinds. STAYS: it can be neither removed nor changed before
    // Linux is unhoisted. RATCHET: that neither, nor is a CPU unhoisted, before the next boot.
    HV_RULE_STAYS = 8,
    HV_RULE_RATCHET = 16,
    // MSR, access write alone: a value that is not below the present one passes, without a record
    // (SHRINKS: not above). CR, XCR: bits may be set, but not cleared (SHRINKS: cleared, not set).
    HV_RULE_GROWS = 32,
    HV_RULE_SHRINKS = 64,
    // IO and MSR: about guest VMs, not the root VM: those of the users mask & 0xffffffff to mask >>
    // 32, inclusive. An MSR that guests have without an exit is refused.
    HV_RULE_GUEST = 128,
    // Bits 8 to 13: 0, or the marker that it waits for: in force from HV_CALL_POLICY_MARK on.
    HV_RULE_MARKER_SHIFT = 8,
    HV_RULE_MARKER_MASK = 0x3f00,
};

// Markers that rules can wait for: from 1 on. The first is the seal.
#define HV_MARKERS 64u
#define HV_MARKER_SEAL 1u

// CPUs that a rule can name: those of these numbers.
#define HV_RULE_CPUS 64u

struct hv_rule {
    uint32_t id;    // not 0, unique in its set; the records name it
    uint16_t kind;
    uint16_t action;    // one of enum hv_action
    uint32_t access;    // bits of enum hv_access
    uint32_t flags;     // bits of enum hv_rule_flag
    uint64_t first;
    uint64_t last;
    uint64_t mask;          // 0 unless the kind gives it a meaning
    uint64_t pass_first;    // 0 unless the kind or the flags give it a meaning
    uint64_t pass_last;
    // Bit n: the CPU with the operating system's number n, as in records. 0: all CPUs, and so it is
    // for memory, whose second stage is one.
    uint64_t cpus;
};
HV_STATIC_ASSERT(sizeof(struct hv_rule) == 64, "hv_rule");
HV_STATIC_ASSERT(HV_MAX_RULES * 64 <= 16 * 4096, "a whole set fits the mailbox");

#endif
