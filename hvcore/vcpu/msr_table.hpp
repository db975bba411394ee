// SPDX-License-Identifier: MIT
#pragma once
#include "arch/msr.hpp"
#include "base/array.hpp"
#include "policy/rule_set.hpp"
#include <cstdint>

namespace hv {

/// What happens when the root VM reads or writes an MSR, before any rule.
enum class msr_decision : std::uint8_t {
    pass,      // no exit
    deny,      // #GP(0), and a record
    ignore,    // writes: nothing happens; reads: zero
    guard,     // an exit, and a check of the value (root/msr_guard.hpp)
};

/// One line of a vendor's list (vmx/msr_list.hpp, svm/msr_list.hpp).
struct msr_range {
    std::uint32_t first, last;
    msr_decision read, write;
};
using msr_list = span<msr_range const>;

template <std::size_t N> constexpr bool msr_list_is_sorted(msr_range const (&list)[N]) {
    std::uint64_t next = 0;
    for (auto const& r : list) {
        if (r.first < next || r.last < r.first) return false;
        if (policy::msr_range_of(r.first) != policy::msr_range_of(r.last)) return false;
        next = std::uint64_t{r.last} + 1;
    }
    return true;
}

/// The built-in decision for one MSR. What the list does not name may be read, but not written; in
/// none of the ranges of policy::msr_slot(), neither.
constexpr msr_decision decide_msr(msr_list list, std::uint32_t index, bool write) {
    for (auto const& r : list)
        if (index >= r.first && index <= r.last) return write ? r.write : r.read;
    return write || !policy::msr_has_slot(index) ? msr_decision::deny : msr_decision::pass;
}

/// For the 64 MSRs from `slot` on, a bit for each access that leaves guest operation: because the
/// list does not let it pass, or a rule watches it.
inline std::uint64_t msr_exits(msr_list list, policy::rule_set const& rules, std::uint32_t slot,
                               bool write) {
    auto bits = write ? ~std::uint64_t{0} : 0;
    for (auto const& r : list) {
        if (!policy::msr_has_slot(r.first)) continue;
        auto const first = policy::msr_slot(r.first), last = policy::msr_slot(r.last);
        if (last < slot || first >= slot + 64) continue;
        bool const exits = (write ? r.write : r.read) != msr_decision::pass;
        for (auto i = first < slot ? slot : first; i <= last && i < slot + 64; ++i)
            bits = (bits & ~(1ull << (i - slot))) | std::uint64_t{exits} << (i - slot);
    }
    for (std::uint32_t i = 0; rules.watches_msrs() && i < 64; ++i)
        bits |= std::uint64_t{rules.watches_msr(slot + i, write)} << i;
    auto const index = policy::msr_at(slot);
    rules.each_about(HV_RULE_MSR, index, index + 63, [&](hv_rule const& r) {
        if ((r.access & (write ? HV_ACCESS_WRITE : HV_ACCESS_READ)) == 0) return;
        for (std::uint32_t i = 0; i < 64; ++i)
            bits |= std::uint64_t{index + i >= r.first && index + i <= r.last} << i;
    });
    return bits;
}

/// MSRs that a guest reads and writes without an exit, as far as the control block or the core
/// switches them. PAT is not among them on SVM: an emulated CPU may have one for all.
inline constexpr std::uint32_t guests_own_msrs[] = {
    msr::ia32_sysenter_cs, msr::ia32_sysenter_esp,   msr::ia32_sysenter_eip, msr::ia32_star,
    msr::ia32_lstar,       msr::ia32_cstar,          msr::ia32_fmask,        msr::ia32_fs_base,
    msr::ia32_gs_base,     msr::ia32_kernel_gs_base, msr::ia32_pat};
/// Whether such a rule would miss accesses: EFER's and reads of the TSC do not reach it either.
constexpr bool misses_guest_msr(hv_rule const& r) {
    auto const covers = [&](std::uint32_t index) { return index >= r.first && index <= r.last; };
    bool any = covers(msr::ia32_efer) || covers(msr::ia32_tsc);
    for (auto const own : guests_own_msrs) any = any || covers(own);
    return any && r.kind == HV_RULE_MSR && (r.flags & HV_RULE_GUEST) != 0;
}

}    // namespace hv
