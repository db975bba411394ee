// SPDX-License-Identifier: MIT
#pragma once
#include "mem/mtrr.hpp"
#include <cstdint>
#include <map>

namespace fake {

/// MSRs by index; what was never set reads as 0.
struct msr_file {
    std::map<std::uint32_t, std::uint64_t> value;
    std::uint64_t operator()(std::uint32_t index) const {
        auto const found = value.find(index);
        return found == value.end() ? 0 : found->second;
    }
    void variable(unsigned n, std::uint64_t first, std::uint64_t bytes, std::uint64_t type,
                  unsigned address_bits) {
        value[0x200 + 2 * n] = first | type;
        value[0x201 + 2 * n] = ((1ull << address_bits) - bytes) | 0x800;
    }
    void fixed_all(std::uint64_t eight_types) {
        for (unsigned n = 0; n < hv::mtrr_fixed::registers; ++n)
            value[hv::mtrr_fixed::msr(n)] = eight_types;
    }
    [[nodiscard]] hv::mtrr_set read(unsigned address_bits) const {
        return hv::read_mtrrs(*this, address_bits).value();
    }
};

inline constexpr unsigned bochs_bits = 40;

/// What Debian's Bochs has after its BIOS: write-back, but for the video window and the PCI hole.
inline msr_file bochs_mtrrs() {
    msr_file f;
    f.value[0xfe] = 0x508;
    f.value[0x2ff] = 0xc06;
    f.fixed_all(0x0606060606060606);
    f.value[0x259] = 0;
    f.variable(0, 0xc0000000, 1ull << 30, 0, bochs_bits);
    return f;
}

}    // namespace fake
