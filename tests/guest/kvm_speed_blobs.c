// SPDX-License-Identifier: MIT
#include "kvm_speed_blobs.h"

#define TIMED(operation) \
    "mov $1000, %ebp\n rdtsc\n shl $32, %rdx\n lea (%rax, %rdx), %rsi\n" \
    "1: mov $0x40000000, %eax\n xor %ecx, %ecx\n" operation "\n dec %ebp\n jnz 1b\n" \
    "rdtsc\n shl $32, %rdx\n add %rdx, %rax\n sub %rsi, %rax\n hlt"

BLOB(timed_cpuid, 64, TIMED("cpuid"));
// The CPU's own: KVM would write the other vendor's instruction anew.
BLOB(timed_vmcall, 64, TIMED("vmcall"));
BLOB(timed_vmmcall, 64, TIMED("vmmcall"));
BLOB(timed_out, 64, "1: out %al, $0x10\n jmp 1b");
BLOB(timed_hlt, 64, "hlt");

struct blob const speed_cpuid = ENTRY(timed_cpuid, long64);
struct blob const speed_vmcall = ENTRY(timed_vmcall, long64);
struct blob const speed_vmmcall = ENTRY(timed_vmmcall, long64);
struct blob const speed_out = ENTRY(timed_out, long64);
struct blob const speed_hlt = ENTRY(timed_hlt, long64);
