// SPDX-License-Identifier: MIT
#pragma once
#include "arch/insn.hpp"
#include "base/result.hpp"
#include "mem/entry_format.hpp"

namespace hv::svm {

struct svm_features : reg<svm_features> {    // APM 3 E.4.9 "Function 8000_000Ah—SVM Features", EDX
    using nested_paging = bit<svm_features, 0>;
    using next_rip = bit<svm_features, 3>;
};

/// Whether CPUID names SVM.
bool has_svm();

/// The features of SVM on this CPU.
/// detail   on an error: what CPUID 8000000AH:EDX says.
/// Errors   no_device: no nested paging, or a single ASID.
result<svm_features> choose_features(std::uint64_t& detail);

/// What nested paging can do here: what the host's own page tables can.
stage_limits npt_limits(unsigned max_phy_addr);

/// Whether the PAT is as the core's own page tables and NPT entries need it: WB first, UC fourth.
/// That is how the CPU starts, and how Linux leaves it.
bool pat_is_usable(std::uint64_t pat);

}    // namespace hv::svm
