// SPDX-License-Identifier: MIT
#pragma once
#include "base/address.hpp"
#include "base/array.hpp"
#include "svm/msr_list.hpp"

namespace hv::svm {

/// The two pages that say which MSR accesses exit. APM 2 15.11 "MSR Intercepts": two bits for each
/// MSR of the three ranges, the lower for reads, the upper for writes; 2 KiB a range; a set bit
/// exits.
class msr_permissions {
public:
    static constexpr std::uint64_t pages = 2;
    static constexpr msr_list list() { return msr_table; }
    /// Recompute the map from the built-in list and the rules. Words are written once each, so a
    /// CPU that looks meanwhile sees the old or the new answer for an MSR.
    void build(policy::rule_set const& rules) {
        for (auto& word : words_) {
            auto const first = static_cast<std::uint32_t>(&word - words_.begin()) * 32;
            auto bits = ~std::uint64_t{0};    // behind the last range
            if (first < policy::msr_slots) bits = word_of(rules, first);
            __atomic_store_n(&word, bits, __ATOMIC_RELAXED);
        }
    }

private:
    /// The 32 MSRs from `slot` on.
    static std::uint64_t word_of(policy::rule_set const& rules, std::uint32_t slot) {
        auto const half = slot & ~63u;
        return spread(msr_exits(msr_table, rules, half, false) >> (slot - half)) |
               spread(msr_exits(msr_table, rules, half, true) >> (slot - half)) << 1;
    }
    /// The low 32 bits, each at twice its place.
    static constexpr std::uint64_t spread(std::uint64_t bits) {
        std::uint64_t to = 0;
        for (unsigned i = 0; i < 32; ++i) to |= (bits >> i & 1) << 2 * i;
        return to;
    }
    array<std::uint64_t, 1024> words_{};
};
static_assert(sizeof(msr_permissions) == 2 * page_bytes);

}    // namespace hv::svm
