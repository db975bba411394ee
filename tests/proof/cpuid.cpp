// SPDX-License-Identifier: MIT
// What CPUID tells the root VM, for every leaf and whatever the CPU says.
#include "prove.hpp"
#include "vcpu/cpuid_filter.hpp"

namespace {
using namespace hv;

constexpr std::uint32_t without(std::uint32_t value, std::uint32_t bits) { return value & ~bits; }
constexpr std::uint32_t with(std::uint32_t value, unsigned bit, bool on) {
    return without(value, 1u << bit) | std::uint32_t{on} << bit;
}

/// SDM 2A "CPUID—CPU Identification", said again bit by bit.
cpuid_leaf expected(std::uint32_t leaf, std::uint32_t subleaf, cpuid_leaf n, std::uint64_t cr4_now,
                    bool show_vmx) {
    switch (leaf) {
    case 1:
        n.ecx = without(n.ecx, 1u << 2 | 1u << 4 | 1u << 6);    // DTES64, DS-CPL, SMX
        n.ecx = with(n.ecx, 5, show_vmx && (n.ecx >> 5 & 1) != 0);
        n.ecx = with(n.ecx, 27, (cr4_now >> 18 & 1) != 0);    // OSXSAVE
        n.ecx = with(n.ecx, 31, true);                        // a hypervisor
        n.edx = without(n.edx, 1u << 21);                     // DS
        return n;
    case 6: n.eax = without(n.eax, 1u << 19 | 1u << 23); return n;    // hardware feedback
    case 7:
        if (subleaf != 0) return n;
        n.ebx = without(n.ebx, 1u << 2 | 1u << 25);          // SGX, processor trace
        n.ecx = without(n.ecx, 1u << 23 | 1u << 30);         // key locker, SGX's launch control
        n.ecx = with(n.ecx, 4, (cr4_now >> 22 & 1) != 0);    // OSPKE
        n.edx = without(n.edx, 1u << 5 | 1u << 18);          // user interrupts, PCONFIG
        return n;
    case 0x12:
    case 0x14:
    case 0x19:
    case 0x1b: return {};
    default:   break;
    }
    if (leaf >> 8 != 0x400000) return n;
    if (leaf == 0x40000000) return {0x40000001, 0x73696f48, 0x696f4874, 0x76487473};
    return {leaf == 0x40000001 ? HV_ABI_VERSION : 0, 0, 0, 0};
}

}    // namespace

extern "C" void cpuid_answer() {
    auto const leaf = static_cast<std::uint32_t>(HV_INPUT("leaf"));
    auto const subleaf = static_cast<std::uint32_t>(HV_INPUT("subleaf"));
    cpuid_leaf const native{prove_any_u32(), prove_any_u32(), prove_any_u32(), prove_any_u32()};
    auto const now4 = make<cr4>(HV_INPUT("cr4"));
    bool const show_vmx = (HV_INPUT("show_vmx") & 1) != 0;
    bool const filtered = cpuid_is_filtered(leaf);
    auto const a = filtered ? filter_cpuid(leaf, subleaf, native, now4, show_vmx) : native;
    auto const b = expected(leaf, subleaf, native, now4.raw, show_vmx);
    prove_check(a.eax == b.eax && a.ebx == b.ebx && a.ecx == b.ecx && a.edx == b.edx,
                "CPUID tells what is to be hidden, or hides what is not");
    filtered ? prove_reach("a leaf that is filtered") : prove_reach("a leaf that is not");
}
