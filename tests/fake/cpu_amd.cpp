// SPDX-License-Identifier: MIT
// MSRs and CPUID of the fake CPU of the other vendor. APM 2 A "MSR Cross-Reference", APM 3 E.
#include "cpu.hpp"

namespace fake {

namespace {

/// What Debian's Bochs has and no CPU with SVM.
constexpr std::uint32_t absent[] = {0x3a,  0x79,  0x1a0, 0x38f, 0x3f1, 0x480, 0x485,
                                    0x486, 0x487, 0x488, 0x489, 0x48b, 0x48c, 0x48d,
                                    0x48e, 0x48f, 0x490, 0x560, 0x600};

constexpr std::pair<std::uint32_t, std::uint64_t>
    present
        [] =
            {
                {0xc0000108, 0},          {0xc0000300, 0},
                {0xc0010000, 0},          {0xc0010004, 0},
                {0xc0010010, 0x740000},                                // SYSCFG
                {0xc0010015, 0x49000010},                              // HWCR
                {0xc0010016, 0},                                       // IORR
                {0xc0010017, 0},          {0xc001001a, 0x80000000},    // top of memory
                {0xc001001d, 0},          {0xc0010020, 0},
                {0xc0010058, 0},                              // base of configuration space
                {0xc0010062, 0},          {0xc0010112, 0},    // SMM's memory
                {0xc0010113, 0},          {0xc0010114, 0},
                {0xc0010117, 0},          {0xc001011f, 0},
                {0xc0011030, 0},    // instruction-based sampling
};

}    // namespace

msr_file amd_msrs() {
    auto f = default_msrs();
    for (auto const index : absent) f.value.erase(index);
    for (auto const& [index, value] : present) f.value[index] = value;
    return f;
}

bool cpu::amd_msr_accepts(std::uint32_t index, std::uint64_t value) const {
    constexpr std::uint64_t svme = 1 << 12;
    auto const control = msrs(0xc0010114);
    bool const disabled = (control & 0x10) != 0;
    switch (index) {
    case 0xc0000080: return (value & ~0xfd01ull) == 0 && !(disabled && (value & svme) != 0);
    case 0xc0010114:
        // With LOCK set, LOCK and SVMDIS stay as they are.
        if ((control & 8) != 0 && ((control ^ value) & 0x18) != 0) return false;
        return (value & ~0x1full) == 0;
    case 0xc0010117: return (value & 0xfff) == 0 && value >> 40 == 0;
    default:         return true;
    }
}

std::map<std::uint64_t, hv::cpuid_leaf> amd_leaves(std::uint32_t apic_id) {
    auto at = [](std::uint64_t leaf, std::uint64_t subleaf = 0) { return leaf << 32 | subleaf; };
    auto all = default_leaves(apic_id);
    for (std::uint64_t const leaf : {6ull, 0x12ull, 0x14ull, 0x16ull, 0x19ull, 0x1bull})
        all.erase(at(leaf));
    all[at(0)] = {0x10, 0x68747541, 0x444d4163, 0x69746e65};
    all[at(1)].ecx &= ~(1u << 5 | 1u << 6);
    all[at(0x80000000)] = {0x8000000a, 0x68747541, 0x444d4163, 0x69746e65};
    all[at(0x80000001)] = {0, 0, 0x125, 0x2e500800};
    all[at(0x8000000a)] = {1, 16, 0, 1};    // nested paging, and nothing more
    return all;
}

}    // namespace fake
