// SPDX-License-Identifier: MIT
#include "vmcs.hpp"

namespace fake {

namespace {
struct range {
    std::uint32_t first, last;
};
// Without SMM's, posted interrupts' and nested VMX's own, which nothing here uses.
constexpr range ranges[] = {
    {0x0000, 0x0004}, {0x0800, 0x0810}, {0x0c00, 0x0c0c}, {0x2000, 0x2004}, {0x2006, 0x200e},
    {0x2010, 0x201a}, {0x2024, 0x202e}, {0x2400, 0x2400}, {0x2800, 0x2812}, {0x2c00, 0x2c04},
    {0x4000, 0x4022}, {0x4400, 0x440e}, {0x4800, 0x482a}, {0x482e, 0x482e}, {0x4c00, 0x4c00},
    {0x6000, 0x600e}, {0x6400, 0x640a}, {0x6800, 0x6826}, {0x6c00, 0x6c16},
};
}    // namespace

bool vmcs::has(std::uint64_t field) {
    if ((field & 1) != 0) return false;    // upper halves are for 32-bit code
    for (auto const& r : ranges)
        if (field >= r.first && field <= r.last) return true;
    return false;
}

std::uint64_t vmcs::narrow(std::uint64_t field, std::uint64_t value) {
    switch (field >> 13 & 3) {
    case 0:  return value & 0xffff;
    case 2:  return value & 0xffffffff;
    default: return value;
    }
}

}    // namespace fake
