// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

namespace hv {

/// SDM 3A 12.11 "Memory Type Range Registers (MTRRs)": the encodings that MTRRs and EPT share.
enum class memory_type : std::uint8_t { uc = 0, wc = 1, wt = 4, wp = 5, wb = 6 };

constexpr bool is_memory_type(std::uint64_t encoding) {
    return encoding <= 6 && encoding != 2 && encoding != 3;
}

/// Whether the guest's own PAT may weaken a leaf's type. It may not where the target is the core's,
/// or the root VM could make an uncached alias of memory that the core uses write-back.
enum class guest_pat : bool { honoured, ignored };

}    // namespace hv
