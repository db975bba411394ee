// SPDX-License-Identifier: MIT
#pragma once
#include "base/address.hpp"
#include "base/array.hpp"
#include "vmx/msr_list.hpp"

namespace hv::vmx {

/// The page that says which MSR accesses exit. SDM 3C 25.6.9 "MSR-Bitmap Address": reads of the low
/// range, of the high range, then writes of both; a set bit exits.
class msr_bitmap {
public:
    static constexpr std::uint64_t pages = 1;
    static constexpr msr_list list() { return msr_table; }
    /// Recompute the whole page from the built-in list and the rules. Words are written once each,
    /// so a CPU that looks meanwhile sees the old or the new answer for an MSR.
    void build(policy::rule_set const& rules) {
        for (unsigned write = 0; write < 2; ++write)
            for (std::uint32_t slot = 0; slot < slots; slot += 64)
                __atomic_store_n(&words_[(write * slots + slot) / 64],
                                 msr_exits(msr_table, rules, slot, write != 0), __ATOMIC_RELAXED);
    }

private:
    static constexpr std::uint32_t slots = 2 * policy::msr_range_slots;
    array<std::uint64_t, 512> words_{};
};
static_assert(sizeof(msr_bitmap) == page_bytes);

}    // namespace hv::vmx
