// SPDX-License-Identifier: MIT
#include "svm/capabilities.hpp"

namespace hv::svm {

namespace {
constexpr std::uint32_t leaf_extended = 0x80000001, leaf_svm = 0x8000000a;

struct extended_ecx : reg<extended_ecx> {    // APM 3 E.4.2 "Function 8000_0001h", ECX
    using svm = bit<extended_ecx, 2>;
};

struct extended_edx : reg<extended_edx> {
    using page_1g = bit<extended_edx, 26>;
};
}    // namespace

bool has_svm() {
    if (insn::cpuid(0x80000000, 0).eax < leaf_svm) return false;
    return make<extended_ecx>(insn::cpuid(leaf_extended, 0).ecx).get<extended_ecx::svm>();
}

result<svm_features> choose_features(std::uint64_t& detail) {
    auto const leaf = insn::cpuid(leaf_svm, 0);
    detail = leaf.edx;
    auto const f = make<svm_features>(leaf.edx);
    if (!f.get<svm_features::nested_paging>() || leaf.ebx < 2) return error{errc::no_device};
    return f;
}

stage_limits npt_limits(unsigned max_phy_addr) {
    auto const edx = make<extended_edx>(insn::cpuid(leaf_extended, 0).edx);
    return {.address_bits = max_phy_addr < 48 ? max_phy_addr : 48,
            .leaf_2m = true,
            .leaf_1g = edx.get<extended_edx::page_1g>()};
}

bool pat_is_usable(std::uint64_t pat) { return (pat & 0xff) == 6 && (pat >> 24 & 0xff) == 0; }

}    // namespace hv::svm
