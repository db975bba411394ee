// SPDX-License-Identifier: MIT
#pragma once
#include "arch/cpuid.hpp"
#include "arch/descriptor.hpp"
#include "base/address.hpp"
#include <cstdint>

// gate: list
// Every instruction that the language has no word for. The hosted build puts a fake CPU in this
// file's place (tests/fake/arch/insn.hpp), so nothing else in the core may contain assembly.
namespace hv::insn {

/// An entry of the fix-up table: a fault at `at` goes on at `to` (arch/fixup.hpp).
#define HV_FIXUP ".pushsection .hv_fixup, \"a\"\n\t.quad 1b, 2b\n\t.popsection\n\t"

inline std::uint64_t rdmsr(std::uint32_t index) {
    std::uint32_t low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
    return low | std::uint64_t{high} << 32;
}
inline void wrmsr(std::uint32_t index, std::uint64_t value) {
    asm volatile("wrmsr" ::"c"(index), "a"(static_cast<std::uint32_t>(value)),
                 "d"(static_cast<std::uint32_t>(value >> 32))
                 : "memory");
}
/// False: the CPU raised #GP.
inline bool rdmsr_safe(std::uint32_t index, std::uint64_t& value) {
    std::uint32_t low, high;
    bool ok = false;
    asm volatile("1: rdmsr\n\tmovb $1, %2\n2:\n\t" HV_FIXUP
                 : "=a"(low), "=d"(high), "+m"(ok)
                 : "c"(index), "0"(0), "1"(0));
    value = low | std::uint64_t{high} << 32;
    return ok;
}
#define HV_SAFE_WRITE(name) \
    inline bool name##_safe(std::uint32_t index, std::uint64_t value) { \
        bool ok = false; \
        asm volatile("1: " #name "\n\tmovb $1, %0\n2:\n\t" HV_FIXUP \
                     : "+m"(ok) \
                     : "c"(index), "a"(static_cast<std::uint32_t>(value)), \
                       "d"(static_cast<std::uint32_t>(value >> 32)) \
                     : "memory"); \
        return ok; \
    }
HV_SAFE_WRITE(wrmsr)
HV_SAFE_WRITE(xsetbv)
#undef HV_SAFE_WRITE
/// XCR0; only where CR4.OSXSAVE is set.
inline std::uint64_t xgetbv() {
    std::uint32_t low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low | std::uint64_t{high} << 32;
}
inline cpuid_leaf cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
    cpuid_leaf r;
    asm volatile("cpuid"
                 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                 : "0"(leaf), "2"(subleaf));
    return r;
}
/// As a guest executes it: the registers of the leaf and subleaf become those of the answer.
[[gnu::always_inline]] inline void cpuid(std::uint64_t& rax, std::uint64_t& rbx, std::uint64_t& rcx,
                                         std::uint64_t& rdx) {
    asm volatile("cpuid" : "+a"(rax), "=b"(rbx), "+c"(rcx), "=d"(rdx));
}

// VMX: true is VMsucceed (CF and ZF clear). SDM 3C 31.2 "Conventions".
#define HV_ON_REGION(name) \
    inline bool name(hpa region) { \
        bool ok; \
        asm volatile(#name " %1" : "=@cca"(ok) : "m"(region.raw) : "memory"); \
        return ok; \
    }
HV_ON_REGION(vmxon)
HV_ON_REGION(vmclear)
HV_ON_REGION(vmptrld)
#undef HV_ON_REGION
inline void vmxoff() { asm volatile("vmxoff" ::: "cc", "memory"); }
[[gnu::always_inline]] inline bool vmread(std::uint64_t field, std::uint64_t& value) {
    bool ok;
    asm volatile("vmread %2, %0" : "=r"(value), "=@cca"(ok) : "r"(field));
    return ok;
}
[[gnu::always_inline]] inline bool vmwrite(std::uint64_t field, std::uint64_t value) {
    bool ok;
    asm volatile("vmwrite %2, %1" : "=@cca"(ok) : "r"(field), "r"(value) : "memory");
    return ok;
}
#define HV_INVALIDATE(name) \
    inline bool name(std::uint64_t type, std::uint64_t what) { \
        std::uint64_t const descriptor[2]{what, 0}; \
        bool ok; \
        asm volatile(#name " %1, %2" : "=@cca"(ok) : "m"(descriptor), "r"(type) : "memory"); \
        return ok; \
    }
HV_INVALIDATE(invept)
HV_INVALIDATE(invvpid)
#undef HV_INVALIDATE

// SVM. APM 3 "VMSAVE", "VMLOAD", "CLGI", "STGI".
inline void vmsave(hpa vmcb) { asm volatile("vmsave %0" ::"a"(vmcb.raw) : "memory"); }
inline void clgi() { asm volatile("clgi" ::: "memory"); }
/// Let what GIF holds back in for a moment: an NMI, or a redirected INIT.
inline void open_gif() { asm volatile("stgi\n\tnop\n\tclgi" ::: "memory"); }
inline void ltr(std::uint16_t task) { asm volatile("ltr %0" ::"r"(task) : "memory"); }
/// Load all segment registers: data into SS, null into DS, ES, FS and GS.
inline void load_segments(std::uint16_t code, std::uint16_t data) {
    std::uint64_t const far = code;
    asm volatile("push %0\n\tlea 1f(%%rip), %%rax\n\tpush %%rax\n\tlretq\n1:\n\tmov %1, %%ss\n\t"
                 "xor %%eax, %%eax\n\tmov %%eax, %%ds\n\tmov %%eax, %%es\n\t"
                 "mov %%eax, %%fs\n\tmov %%eax, %%gs" ::"r"(far),
                 "r"(std::uint32_t{data})
                 : "rax", "memory");
}

#define HV_READ_REGISTER(name, type) \
    inline type read_##name() { \
        type value; \
        asm volatile("mov %%" #name ", %0" : "=r"(value)); \
        return value; \
    }
#define HV_WRITE_REGISTER(name) \
    inline void write_##name(std::uint64_t value) { \
        asm volatile("mov %0, %%" #name ::"r"(value) : "memory"); \
    }
#define HV_REGISTER(name) HV_READ_REGISTER(name, std::uint64_t) HV_WRITE_REGISTER(name)
HV_REGISTER(cr0)
HV_REGISTER(cr2)
HV_REGISTER(cr3)
HV_REGISTER(cr4)
HV_REGISTER(dr0)
HV_REGISTER(dr1)
HV_REGISTER(dr2)
HV_REGISTER(dr3)
HV_REGISTER(dr6)
HV_READ_REGISTER(dr7, std::uint64_t)
#undef HV_REGISTER
HV_READ_REGISTER(cs, std::uint16_t)
HV_READ_REGISTER(ss, std::uint16_t)
HV_READ_REGISTER(ds, std::uint16_t)
HV_READ_REGISTER(es, std::uint16_t)
HV_READ_REGISTER(fs, std::uint16_t)
HV_READ_REGISTER(gs, std::uint16_t)
#undef HV_READ_REGISTER
#undef HV_WRITE_REGISTER

#define HV_STORE(name, type) \
    inline type name() { \
        type value; \
        asm volatile(#name " %0" : "=m"(value)); \
        return value; \
    }
HV_STORE(str, std::uint16_t)
HV_STORE(sldt, std::uint16_t)
HV_STORE(sgdt, table_register)
HV_STORE(sidt, table_register)
#undef HV_STORE
inline void lgdt(table_register value) { asm volatile("lgdt %0" ::"m"(value)); }
inline void lidt(table_register value) { asm volatile("lidt %0" ::"m"(value)); }
inline void invlpg(hva at) { asm volatile("invlpg (%0)" ::"r"(at.raw) : "memory"); }
inline std::uint64_t rdtsc() {
    std::uint32_t low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return low | std::uint64_t{high} << 32;
}
inline void wbinvd() { asm volatile("wbinvd" ::: "memory"); }
inline void pause() { asm volatile("pause"); }
inline void cli_hlt() { asm volatile("cli\n\thlt" ::: "memory"); }
inline void outb(std::uint16_t port, std::uint8_t value) {
    asm volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}
inline std::uint32_t read_mmio(hva at) {
    return *reinterpret_cast<std::uint32_t const volatile*>(at.raw);
}
inline void write_mmio(hva at, std::uint32_t value) {
    *reinterpret_cast<std::uint32_t volatile*>(at.raw) = value;
}
/// An IRET to the next instruction: lifts the blocking of NMIs that an NMI exit leaves behind.
[[gnu::noinline]] inline void unblock_nmi() {
    asm volatile(
        "mov %%ss, %%eax\n\tmov %%rsp, %%rcx\n\tpush %%rax\n\tpush %%rcx\n\tpushf\n\t"
        "mov %%cs, %%eax\n\tpush %%rax\n\tlea 1f(%%rip), %%rax\n\tpush %%rax\n\tiretq\n1:" ::
            : "rax", "rcx", "cc", "memory");
}
template <unsigned Vector> inline void interrupt() {
    asm volatile("int %0" ::"i"(Vector) : "memory");
}

}    // namespace hv::insn
