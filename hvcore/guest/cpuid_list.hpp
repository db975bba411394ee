// SPDX-License-Identifier: MIT
#pragma once
#include "abi/guest.h"
#include "arch/insn.hpp"
#include "base/array.hpp"

namespace hv {

/// What CPUID answers in a guest, on a page of its own: the root VM's list, copied and indexed.
class cpuid_list {
public:
    /// Take a copy of `from`, which the root VM may go on writing. Entries beyond the end are not
    /// looked at.
    void take(hv_vcpu_cpuid const volatile& from) {
        auto const count = from.count;
        count_ = count < HV_CPUID_ENTRIES ? count : HV_CPUID_ENTRIES;
        for (auto& at : first_) at = none;
        for (std::uint32_t i = 0; i < count_; ++i) {
            entry& e = entries_[i];
            auto const& f = from.entry[i];
            e = {f.leaf, f.subleaf, f.eax, f.ebx, f.ecx, f.edx, (f.significant & 1) != 0};
            if (auto const at = index_of(e.leaf); at < first_.size() && first_[at] == none)
                first_[at] = static_cast<std::uint8_t>(i);
        }
    }
    /// The answer, with the bits that follow the guest's own registers; what is not listed is zero.
    [[nodiscard]] cpuid_leaf answer(std::uint32_t leaf, std::uint32_t subleaf, cr4 now4) const;

private:
    static constexpr std::uint32_t hypervisor = 0x40000000, extended = 0x80000000;
    static constexpr std::uint8_t none = 0xff;
    struct entry {
        std::uint32_t leaf, subleaf, eax, ebx, ecx, edx;
        bool significant;
    };
    /// Leaves that guests ask often have the place of their first entry in a table.
    static constexpr std::uint32_t index_of(std::uint32_t leaf) {
        if (leaf < 32) return leaf;
        if (leaf - hypervisor < 32) return 64 + (leaf - hypervisor);
        return leaf - extended < 32 ? 32 + (leaf - extended) : ~0u;
    }
    [[nodiscard]] entry const* find(std::uint32_t leaf, std::uint32_t subleaf) const {
        auto const at = index_of(leaf);
        std::uint32_t i = at < first_.size() ? first_[at] : 0;
        for (; i < count_; ++i) {
            auto const& e = entries_[i];
            if (e.leaf == leaf && (!e.significant || e.subleaf == subleaf)) return &e;
        }
        return nullptr;
    }

    std::uint32_t count_{};
    array<std::uint8_t, 96> first_{};
    array<entry, HV_CPUID_ENTRIES> entries_{};
};
static_assert(sizeof(cpuid_list) <= 4096);

inline cpuid_leaf cpuid_list::answer(std::uint32_t leaf, std::uint32_t subleaf, cr4 now4) const {
    auto const* e = find(leaf, subleaf);
    if (e == nullptr) return {};
    cpuid_leaf a{e->eax, e->ebx, e->ecx, e->edx};
    if (leaf == 1) {
        using c = cpuid::leaf_1_ecx;
        bool const on = make<c>(a.ecx).get<c::xsave>() && now4.get<cr4::osxsave>();
        a.ecx = static_cast<std::uint32_t>(make<c>(a.ecx).with<c::osxsave>(on).raw);
    }
    if (leaf == 7 && subleaf == 0) {
        using c = cpuid::leaf_7_ecx;
        auto const on = make<c>(a.ecx).with<c::ospke>(now4.get<cr4::pke>());
        a.ecx = static_cast<std::uint32_t>(on.raw);
    }
    // Bytes of the states that are on: the guest's XCR0 is loaded.
    if (leaf == 0xd && subleaf == 0) a.ebx = insn::cpuid(leaf, subleaf).ebx;
    return a;
}

}    // namespace hv
