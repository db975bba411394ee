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
    // first, last: enum hv_table, inclusive: may not be loaded with another base or limit than each
    // CPU has when the rule comes into force; access: write
    HV_RULE_DTR = 4,
    HV_RULE_IO = 5,     // first, last: ports, inclusive; access: read (IN), write (OUT)
    HV_RULE_XCR = 6,    // mask: bits of XCR0 that may not change any more; access: write
    // first, last: leaf << 32 | sub-leaf, inclusive; mask: bits of EAX and, from bit 32 on, EBX;
    // pass_first: those of ECX and EDX. Denied, they read as zero; access: read
    HV_RULE_CPUID = 7,
    HV_RULE_INSTRUCTION = 8,    // mask: bits, 1 << enum hv_instruction; access: execute
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
};

enum hv_access {
    HV_ACCESS_READ = 1,
    HV_ACCESS_WRITE = 2,
    HV_ACCESS_EXECUTE = 4,
};

enum hv_action {
    HV_ACTION_LOG = 1,     // it happens, and a record says so
    HV_ACTION_DENY = 2,    // it does not happen, the fault of real hardware, and a record
    // MSR with access write alone, CR, DTR, XCR: the instruction is done, without a fault, but what
    // the rule watches has its old value; and a record
    HV_ACTION_KEEP = 3,
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
    // How long it is in force, of all kinds. WAITS: from HV_CALL_POLICY_SEAL on. STAYS: it can be
    // neither removed nor changed before Linux is unhoisted. RATCHET: that neither, nor is a CPU
    // unhoisted, before the next boot.
    HV_RULE_WAITS = 4,
    HV_RULE_STAYS = 8,
    HV_RULE_RATCHET = 16,
};

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
