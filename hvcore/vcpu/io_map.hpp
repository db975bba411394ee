// SPDX-License-Identifier: MIT
#pragma once
#include "base/address.hpp"
#include "base/array.hpp"
#include "policy/rule_set.hpp"

namespace hv {

/// The pages that say which ports exit, a bit for each, alike for both vendors; a third page is for
/// SVM's accesses across the last port. SDM 3C 25.6.4 "I/O-Bitmap Addresses", APM 2 15.10.1 "I/O
/// Permissions Map". They count only while the controls say so.
class io_map {
public:
    static constexpr std::uint64_t pages = 3;
    void build(policy::rule_set const& rules) {
        for (std::uint32_t first = 0; first < 0x10000; first += 64) {
            std::uint64_t bits = 0;
            rules.each_about(HV_RULE_IO, first, first + 63, [&](hv_rule const& r) {
                for (unsigned i = 0; i < 64; ++i)
                    bits |= std::uint64_t{first + i >= r.first && first + i <= r.last} << i;
            });
            __atomic_store_n(&words_[first / 64], bits, __ATOMIC_RELAXED);
        }
    }

private:
    array<std::uint64_t, pages * page_bytes / 8> words_{};
};

}    // namespace hv
