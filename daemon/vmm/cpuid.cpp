// SPDX-License-Identifier: MIT
#include "daemon/vmm/cpuid.hpp"

#include <bit>
#include <cstdint>

namespace hv::vmm {
namespace {

// Sources: SDM 2A, CPUID; AMD's manual, volume 3, appendix E.
enum leaves : std::uint32_t {
    features = 1,
    caches = 4,
    performance = 0xa,
    topology = 0xb,
    topology_2 = 0x1f,
    amd_features = 0x80000001,
    amd_sizes = 0x80000008,
    amd_caches = 0x8000001d,
    amd_topology = 0x8000001e,
};
constexpr std::uint32_t ecx_vmx = 1u << 5;
constexpr std::uint32_t ecx_deadline_timer = 1u << 24;
constexpr std::uint32_t ecx_hypervisor = 1u << 31;
constexpr std::uint32_t edx_many = 1u << 28;    // "HTT"
constexpr std::uint32_t ecx_many = 1u << 1;     // AMD's "CmpLegacy"
constexpr std::uint32_t ecx_svm = 1u << 2;
constexpr std::uint32_t level_thread = 1;
constexpr std::uint32_t level_core = 2;

/// How many bits of an APIC's number tell the cores of a package apart.
std::uint32_t core_bits(unsigned count) {
    return static_cast<std::uint32_t>(std::bit_width(count - 1));
}

void set_features(kvm_cpuid_entry2& leaf, cpu_place const& place) {
    leaf.ebx = (leaf.ebx & 0xffff) | place.id << 24 | place.count << 16;
    leaf.ecx = (leaf.ecx & ~(ecx_vmx | ecx_deadline_timer)) | ecx_hypervisor;
    if (place.deadline_timer) leaf.ecx |= ecx_deadline_timer;
    leaf.edx = place.count > 1 ? leaf.edx | edx_many : leaf.edx & ~edx_many;
}

void set_amd_features(kvm_cpuid_entry2& leaf, cpu_place const& place) {
    leaf.ecx &= ~ecx_svm;
    leaf.ecx = place.count > 1 ? leaf.ecx | ecx_many : leaf.ecx & ~ecx_many;
}

/// Caches of Intel's leaf: shared by one core, but for the third level, which all share.
void set_cache(kvm_cpuid_entry2& leaf, cpu_place const& place) {
    if ((leaf.eax & 0x1f) == 0) return;
    bool const shared = (leaf.eax >> 5 & 7) >= 3;
    auto const sharing = shared ? (1u << core_bits(place.count)) - 1 : 0;
    auto const cores = (1u << core_bits(place.count)) - 1;
    leaf.eax = (leaf.eax & 0x3fff) | sharing << 14 | cores << 26;
}

void set_amd_cache(kvm_cpuid_entry2& leaf, cpu_place const& place) {
    if ((leaf.eax & 0x1f) == 0) return;
    bool const shared = (leaf.eax >> 5 & 7) >= 3;
    leaf.eax = (leaf.eax & ~(0xfffu << 14)) | (shared ? place.count - 1 : 0) << 14;
}

void set_topology(kvm_cpuid_entry2& leaf, cpu_place const& place) {
    leaf.eax = leaf.index == 0 ? 0 : core_bits(place.count);
    leaf.ebx = leaf.index == 0 ? 1 : place.count;
    leaf.ecx = leaf.index | (leaf.index == 0 ? level_thread : level_core) << 8;
    leaf.edx = place.id;
    if (leaf.index < 2) return;
    leaf.eax = leaf.ebx = 0;
    leaf.ecx = leaf.index;
}

void set_amd_sizes(kvm_cpuid_entry2& leaf, cpu_place const& place) {
    leaf.ecx = (leaf.ecx & ~0xf0ffu) | core_bits(place.count) << 12 | (place.count - 1);
}

void set_amd_topology(kvm_cpuid_entry2& leaf, cpu_place const& place) {
    leaf.eax = place.id;
    leaf.ebx = place.id & 0xff;    // one thread a core
    leaf.ecx = 0;                  // one node
    leaf.edx = 0;
}

void set_leaf(kvm_cpuid_entry2& leaf, cpu_place const& place) {
    switch (leaf.function) {
    case features:     set_features(leaf, place); break;
    case caches:       set_cache(leaf, place); break;
    case performance:  leaf.eax = leaf.ebx = leaf.ecx = leaf.edx = 0; break;
    case topology:
    case topology_2:   set_topology(leaf, place); break;
    case amd_features: set_amd_features(leaf, place); break;
    case amd_sizes:    set_amd_sizes(leaf, place); break;
    case amd_caches:   set_amd_cache(leaf, place); break;
    case amd_topology: set_amd_topology(leaf, place); break;
    default:           break;
    }
}

/// KVM gives one entry of the topology, as it knows none; a VM wants one for each level.
void complete_topology(std::vector<kvm_cpuid_entry2>& leaves_of_cpu, std::uint32_t function) {
    bool const there = std::erase_if(leaves_of_cpu, [&](auto const& each) {
                           return each.function == function;
                       }) != 0;
    for (std::uint32_t index = 0; there && index < 3; ++index) {
        kvm_cpuid_entry2 leaf{};
        leaf.function = function;
        leaf.index = index;
        leaf.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
        leaves_of_cpu.push_back(leaf);
    }
}

}

std::vector<kvm_cpuid_entry2> cpuid_of(std::vector<kvm_cpuid_entry2> supported,
                                       cpu_place const& place) {
    complete_topology(supported, topology);
    complete_topology(supported, topology_2);
    for (auto& each : supported) {
        set_leaf(each, place);
    }
    return supported;
}

}
