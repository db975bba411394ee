// SPDX-License-Identifier: MIT
#pragma once
#include "abi/fixed.h"
#include "arch/cpuid.hpp"
#include "arch/register.hpp"

namespace hv {

/// Leaves whose native answer is not what the root VM shall see; the exit path tests this first.
constexpr bool cpuid_is_filtered(std::uint32_t leaf) {
    constexpr std::uint32_t low = 1u << 1 | 1u << 6 | 1u << 7 | 1u << 0x12 | 1u << 0x14 |
                                  1u << 0x19 | 1u << 0x1b;
    if (leaf < 32) return (low >> leaf & 1) != 0;
    return leaf - cpuid::hypervisor_first <= cpuid::hypervisor_last - cpuid::hypervisor_first;
}

/// "HoistHoistHv" in ebx, ecx, edx; leaf +1 gives the ABI version. All other leaves of the range
/// are zero.
constexpr cpuid_leaf hypervisor_leaf(std::uint32_t leaf) {
    if (leaf == cpuid::hypervisor_first)
        return {cpuid::hypervisor_first + 1, 0x73696f48, 0x696f4874, 0x76487473};
    if (leaf == cpuid::hypervisor_first + 1) return {HV_ABI_VERSION, 0, 0, 0};
    return {};
}

/// A native answer with the bits that follow the root VM's CR4, which is not the core's.
constexpr cpuid_leaf with_cr4_bits(std::uint32_t leaf, std::uint32_t subleaf, cpuid_leaf a,
                                   cr4 now) {
    using c1 = cpuid::leaf_1_ecx;
    using c7 = cpuid::leaf_7_ecx;
    if (leaf == 1)
        a.ecx = std::uint32_t(make<c1>(a.ecx).with<c1::osxsave>(now.get<cr4::osxsave>()).raw);
    if (leaf == 7 && subleaf == 0)
        a.ecx = std::uint32_t(make<c7>(a.ecx).with<c7::ospke>(now.get<cr4::pke>()).raw);
    return a;
}

/// The answer to CPUID for the root VM.
/// native   what the CPU answered in root mode; guest_cr4: mirrored in OSXSAVE and OSPKE; show_vmx:
///          to a program that looks for it before it opens the node of guest VMs.
/// Effect   VMX is hidden, and with it what writes to memory by physical address or past the second
///          stage (hardware feedback, processor trace, SGX, debug store, PCONFIG, key locker).
constexpr cpuid_leaf filter_cpuid(std::uint32_t leaf, std::uint32_t subleaf, cpuid_leaf native,
                                  cr4 guest_cr4, bool show_vmx) {
    if (leaf >= cpuid::hypervisor_first) return hypervisor_leaf(leaf);
    native = with_cr4_bits(leaf, subleaf, native, guest_cr4);
    auto const without = [](std::uint32_t& from, std::uint64_t bits) {
        from &= static_cast<std::uint32_t>(~bits);
    };
    if (leaf == 1) {
        using c = cpuid::leaf_1_ecx;
        without(native.ecx, c::smx::mask | c::dtes64::mask | c::ds_cpl::mask);
        if (!show_vmx) without(native.ecx, c::vmx::mask);
        native.ecx |= static_cast<std::uint32_t>(c::hypervisor::mask);
        without(native.edx, cpuid::leaf_1_edx::ds::mask);
    } else if (leaf == 6) {
        using a = cpuid::leaf_6_eax;
        without(native.eax, a::hw_feedback::mask | a::thread_director::mask);
    } else if (leaf == 7 && subleaf == 0) {
        using b = cpuid::leaf_7_ebx;
        using c = cpuid::leaf_7_ecx;
        using d = cpuid::leaf_7_edx;
        without(native.ebx, b::sgx::mask | b::processor_trace::mask);
        without(native.ecx, c::sgx_lc::mask | c::key_locker::mask);
        without(native.edx, d::pconfig::mask | d::uintr::mask);
    } else if (leaf != 7) {
        return {};    // SGX, processor trace, key locker, PCONFIG: a leaf with nothing to say
    }
    return native;
}

}    // namespace hv
