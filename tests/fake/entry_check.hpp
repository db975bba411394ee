// SPDX-License-Identifier: MIT
#pragma once
#include "vmcs.hpp"
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fake {

/// What the checks need to know of the processor.
struct vmx_limits {
    std::uint64_t true_pin, true_processor, true_exit, true_entry, secondary;
    std::uint64_t misc, ept_vpid, cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
    unsigned physical_bits;
};

/// The conditions that a VM entry breaks, in words; empty: the processor enters the guest.
/// Source   SDM 3C 27.2 "Checks on VMX Controls and Host-State Area", 27.3 "Checking and Loading
///          Guest State".
std::vector<std::string> check_controls(vmcs const& v, vmx_limits const& limits);
std::vector<std::string> check_host(vmcs const& v, vmx_limits const& limits);
std::vector<std::string> check_guest(vmcs const& v, vmx_limits const& limits);

/// Gathers what does not hold.
class findings {
public:
    void expect(bool holds, std::string_view rule) {
        if (!holds) broken_.emplace_back(rule);
    }
    [[nodiscard]] std::vector<std::string> take() { return std::move(broken_); }

private:
    std::vector<std::string> broken_;
};

namespace entry_rule {
inline bool bit(std::uint64_t value, unsigned n) { return (value >> n & 1) != 0; }
inline bool canonical(std::uint64_t a) { return a + (1ull << 47) < 1ull << 48; }
inline bool pat(std::uint64_t value) {
    for (unsigned i = 0; i < 8; ++i) {
        auto const type = value >> 8 * i & 0xff;
        if (type > 7 || type == 2 || type == 3) return false;
    }
    return true;
}
/// Bits that must be 1 in fixed0 are, none that must be 0 in fixed1 is.
inline bool fixed(std::uint64_t value, std::uint64_t fixed0, std::uint64_t fixed1) {
    return (value & fixed0) == fixed0 && (value & ~fixed1) == 0;
}
inline bool unrestricted(vmcs const& v) {
    return bit(v[field::processor], 31) && bit(v[field::secondary], 7);
}
}    // namespace entry_rule

}    // namespace fake
