// SPDX-License-Identifier: MIT
#pragma once
#include "arch/register.hpp"
#include <cstdint>

namespace hv {

/// The four registers that CPUID answers with. SDM 2A "CPUID—CPU Identification".
struct cpuid_leaf {
    std::uint32_t eax{}, ebx{}, ecx{}, edx{};
};

namespace cpuid {

inline constexpr std::uint32_t hypervisor_first = 0x40000000;
inline constexpr std::uint32_t hypervisor_last = 0x400000ff;

struct leaf_1_ecx : reg<leaf_1_ecx> {
    using dtes64 = bit<leaf_1_ecx, 2>;
    using ds_cpl = bit<leaf_1_ecx, 4>;
    using vmx = bit<leaf_1_ecx, 5>;
    using smx = bit<leaf_1_ecx, 6>;
    using xsave = bit<leaf_1_ecx, 26>;
    using osxsave = bit<leaf_1_ecx, 27>;
    using hypervisor = bit<leaf_1_ecx, 31>;
};

struct leaf_1_edx : reg<leaf_1_edx> {
    using msr = bit<leaf_1_edx, 5>;
    using mtrr = bit<leaf_1_edx, 12>;
    using ds = bit<leaf_1_edx, 21>;
};

struct leaf_7_ebx : reg<leaf_7_ebx> {
    using sgx = bit<leaf_7_ebx, 2>;
    using processor_trace = bit<leaf_7_ebx, 25>;
};

struct leaf_7_ecx : reg<leaf_7_ecx> {
    using ospke = bit<leaf_7_ecx, 4>;
    using key_locker = bit<leaf_7_ecx, 23>;
    using sgx_lc = bit<leaf_7_ecx, 30>;
};

struct leaf_7_edx : reg<leaf_7_edx> {
    using uintr = bit<leaf_7_edx, 5>;
    using pconfig = bit<leaf_7_edx, 18>;
};

// thermal and power: hardware feedback writes to physical memory
struct leaf_6_eax : reg<leaf_6_eax> {
    using hw_feedback = bit<leaf_6_eax, 19>;
    using thread_director = bit<leaf_6_eax, 23>;
};

}    // namespace cpuid
}    // namespace hv
