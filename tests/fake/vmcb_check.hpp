// SPDX-License-Identifier: MIT
#pragma once
#include "svm/vmcb.hpp"
#include <string>
#include <vector>

namespace fake {

/// What the checks need to know of the processor.
struct svm_limits {
    unsigned physical_bits;
    std::uint64_t cr4_known, efer_known;
    std::uint64_t asids;
    bool nested_paging;
};

/// The conditions that a VMRUN breaks, in words; empty: the processor enters the guest.
/// Source   APM 2 15.5.1 "Basic Operation", "Canonicalization and Consistency Checks", 15.20 "Event
///          Injection", 15.25.4 "Enabling Nested Paging".
std::vector<std::string> check_vmcb(hv::svm::vmcb const& v, svm_limits const& limits);

}    // namespace fake
