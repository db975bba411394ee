// SPDX-License-Identifier: MIT
#pragma once
// In the place of hvcore/arch/insn.hpp: what an instruction reads is anything, the same in no two
// reads; what one writes is noted.
#include "arch/cpuid.hpp"
#include "arch/descriptor.hpp"
#include "base/address.hpp"
#include "prove.hpp"

namespace prove {
/// What the code under proof did to the processor.
struct processor {
    std::uint64_t wrmsr, vmwrite, other;    // how often
    std::uint32_t msr;
    std::uint64_t value;
};
inline constinit processor did{};
/// Fields of the VMCS that are the same in all reads.
struct field {
    std::uint64_t encoding, value;
};
inline constinit field same{~0ull, 0}, same_too{~0ull, 0};
}    // namespace prove

namespace hv::insn {

inline std::uint64_t rdmsr(std::uint32_t) { return prove_any_u64(); }
inline void wrmsr(std::uint32_t index, std::uint64_t value) {
    ++prove::did.wrmsr;
    prove::did.msr = index;
    prove::did.value = value;
}
inline bool rdmsr_safe(std::uint32_t, std::uint64_t& value) {
    value = prove_any_u64();
    return prove_any_bool();
}
inline bool wrmsr_safe(std::uint32_t index, std::uint64_t value) {
    if (prove_any_bool()) return false;
    wrmsr(index, value);
    return true;
}
inline bool xsetbv_safe(std::uint32_t, std::uint64_t) { return prove_any_bool(); }
inline std::uint64_t xgetbv() { return prove_any_u64(); }
inline cpuid_leaf cpuid(std::uint32_t, std::uint32_t) {
    return {prove_any_u32(), prove_any_u32(), prove_any_u32(), prove_any_u32()};
}
inline void cpuid(std::uint64_t& a, std::uint64_t& b, std::uint64_t& c, std::uint64_t& d) {
    a = prove_any_u32();
    b = prove_any_u32();
    c = prove_any_u32();
    d = prove_any_u32();
}
// A VMREAD of a field that exists, of the current VMCS, succeeds.
inline bool vmread(std::uint64_t field, std::uint64_t& value) {
    value = prove_any_u64();
    if (field == prove::same.encoding) value = prove::same.value;
    if (field == prove::same_too.encoding) value = prove::same_too.value;
    return true;
}
inline bool vmwrite(std::uint64_t, std::uint64_t) {
    ++prove::did.vmwrite;
    return true;
}
inline bool invept(std::uint64_t, std::uint64_t) { return true; }
inline bool invvpid(std::uint64_t, std::uint16_t) { return true; }

#define HV_DOES(name, ...) \
    inline void name(__VA_ARGS__) { ++prove::did.other; }
#define HV_READS(name) \
    inline std::uint64_t read_##name() { return prove_any_u64(); }
#define HV_WRITES(name) HV_DOES(write_##name, std::uint64_t)
HV_DOES(clgi)
HV_DOES(open_gif)
HV_DOES(wbinvd)
HV_DOES(pause)
HV_DOES(vmsave, hpa)
HV_DOES(lgdt, table_register)
HV_DOES(lidt, table_register)
HV_DOES(outb, std::uint16_t, std::uint8_t)
HV_DOES(unblock_nmi)
HV_DOES(write_mmio, hva, std::uint32_t)
HV_DOES(invlpg, hva)
HV_READS(cr0)
HV_READS(cr2)
HV_READS(cr3)
HV_READS(cr4)
HV_READS(dr0)
HV_READS(dr1)
HV_READS(dr2)
HV_READS(dr3)
HV_READS(dr6)
HV_READS(dr7)
HV_WRITES(cr0)
HV_WRITES(cr2)
HV_WRITES(cr3)
HV_WRITES(cr4)
HV_WRITES(dr0)
HV_WRITES(dr1)
HV_WRITES(dr2)
HV_WRITES(dr3)
HV_WRITES(dr6)
#undef HV_DOES
#undef HV_READS
#undef HV_WRITES
inline std::uint64_t rdtsc() { return prove_any_u64(); }
inline std::uint32_t read_mmio(hva) { return prove_any_u32(); }
/// The CPU ends there.
[[noreturn]] inline void cli_hlt() {
    prove_assume(false);
    __builtin_unreachable();
}
template <unsigned Vector> inline void interrupt() { ++prove::did.other; }

}    // namespace hv::insn
