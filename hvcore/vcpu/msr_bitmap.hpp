// SPDX-License-Identifier: MIT
#pragma once
#include "base/array.hpp"
#include "policy/rule_set.hpp"
#include "vcpu/msr_table.hpp"

namespace hv {

/// The page that says which MSR accesses exit. SDM 3C 25.6.9 "MSR-Bitmap Address": reads of the low
/// range, of the high range, then writes of both; a set bit exits.
class msr_bitmap {
public:
    /// Recompute the whole page from the built-in table and the rules. Words are written once each,
    /// so a CPU that looks meanwhile sees the old or the new answer for an MSR.
    void build(policy::rule_set const& rules) {
        for (unsigned write = 0; write < 2; ++write)
            for (std::uint32_t slot = 0; slot < policy::msr_slots; slot += 64) {
                auto const bits = built_in(slot, write != 0) | watched(slot, write != 0, rules);
                __atomic_store_n(&words_[write * (policy::msr_slots / 64) + slot / 64], bits,
                                 __ATOMIC_RELAXED);
            }
    }
    [[nodiscard]] bool exits(std::uint32_t index, bool write) const {
        if (!policy::msr_in_bitmap(index)) return true;
        auto const slot = policy::msr_slot(index);
        return (words_[write * (policy::msr_slots / 64) + slot / 64] >> slot % 64 & 1) != 0;
    }

private:
    /// The 64 bits from `slot` on that the table asks for. What it does not name is decide_msr's
    /// default.
    static std::uint64_t built_in(std::uint32_t slot, bool write) {
        auto bits = write ? ~std::uint64_t{0} : 0;
        for (auto const& r : msr_table) {
            auto const first = policy::msr_slot(r.first), last = policy::msr_slot(r.last);
            if (last < slot || first >= slot + 64) continue;
            bool const exits = (write ? r.write : r.read) != msr_decision::pass;
            for (auto i = first < slot ? slot : first; i <= last && i < slot + 64; ++i)
                bits = (bits & ~(1ull << (i - slot))) | std::uint64_t{exits} << (i - slot);
        }
        return bits;
    }
    static std::uint64_t watched(std::uint32_t slot, bool write, policy::rule_set const& rules) {
        std::uint64_t bits = 0;
        for (std::uint32_t i = 0; rules.watches_msrs() && i < 64; ++i)
            bits |= std::uint64_t{rules.watches_msr(slot + i, write)} << i;
        return bits;
    }
    array<std::uint64_t, 512> words_{};
};
static_assert(sizeof(msr_bitmap) == page_bytes);

}    // namespace hv
