// SPDX-License-Identifier: MIT
#pragma once
#include "abi/guest.h"
#include "arch/insn.hpp"
#include "base/array.hpp"

#include <bit>

namespace hv {

/// What CPUID answers in a guest, on a page of its own: the root VM's list, copied and indexed.
class cpuid_list {
public:
    /// Take a copy of `from`, which the root VM may go on writing. Entries beyond the end are not
    /// looked at.
    void take(hv_vcpu_cpuid const volatile& from) {
        auto const count = from.count;
        count_ = count < HV_CPUID_ENTRIES ? count : HV_CPUID_ENTRIES;
        for (auto& at : first_) at = HV_CPUID_ENTRIES;
        for (std::uint32_t i = 0; i < count_; ++i) {
            entry& e = entries_[i];
            auto const& f = from.entry[i];
            e = {f.leaf, f.subleaf, f.eax, f.ebx, f.ecx, f.edx, (f.significant & 1) != 0, false};
            e.follows = e.leaf == 1 || e.leaf == 7 || e.leaf == 0xd;
            if (auto const at = index_of(e.leaf); at < first_.size() && first_[at] > i)
                first_[at] = static_cast<std::uint8_t>(i);
        }
    }
    /// The answer, with the bits that follow the guest's own registers; what is not listed is zero.
    /// now4   gives the guest's CR4, where that is asked for.
    template <typename Cr4>
    [[nodiscard]] cpuid_leaf answer(std::uint32_t leaf, std::uint32_t subleaf, Cr4 now4) const;

private:
    struct alignas(32) entry {
        std::uint32_t leaf, subleaf, eax, ebx, ecx, edx;
        bool significant;
        bool follows;    // the guest's registers, in some bits
    };
    /// The first 32 leaves of each range, of the hypervisor's 0x40000000 too, which guests ask
    /// often, have the place of their first entry in a table: the range is in the upper two bits.
    static constexpr std::uint32_t index_of(std::uint32_t leaf) { return std::rotl(leaf, 2); }
    [[nodiscard]] entry const* find(std::uint32_t leaf, std::uint32_t subleaf) const {
        auto const at = index_of(leaf);
        auto const* e = entries_.begin() + (at < first_.size() ? first_[at] : 0);
        for (auto const* const end = entries_.begin() + count_; e < end; ++e)
            if (e->leaf == leaf && (!e->significant || e->subleaf == subleaf)) return e;
        return nullptr;
    }

    std::uint32_t count_{};
    array<std::uint8_t, 128> first_{};
    array<entry, HV_CPUID_ENTRIES> entries_{};
};
static_assert(sizeof(cpuid_list) <= 4096);

template <typename Cr4>
cpuid_leaf cpuid_list::answer(std::uint32_t leaf, std::uint32_t subleaf, Cr4 now4) const {
    auto const* e = find(leaf, subleaf);
    if (e == nullptr) return {};
    cpuid_leaf a{e->eax, e->ebx, e->ecx, e->edx};
    if (!e->follows) [[likely]]
        return a;
    if (leaf == 1) {
        using c = cpuid::leaf_1_ecx;
        bool const on = make<c>(a.ecx).get<c::xsave>() && now4().template get<cr4::osxsave>();
        a.ecx = static_cast<std::uint32_t>(make<c>(a.ecx).with<c::osxsave>(on).raw);
    }
    if (leaf == 7 && subleaf == 0) {
        using c = cpuid::leaf_7_ecx;
        auto const on = make<c>(a.ecx).with<c::ospke>(now4().template get<cr4::pke>());
        a.ecx = static_cast<std::uint32_t>(on.raw);
    }
    // Bytes of the states that are on: the guest's XCR0 is loaded.
    if (leaf == 0xd && subleaf == 0) a.ebx = insn::cpuid(leaf, subleaf).ebx;
    return a;
}

}    // namespace hv
