// SPDX-License-Identifier: MIT
#pragma once
#include "arch/register.hpp"
#include "mem/frames.hpp"

namespace hv {

struct core_entry
    : reg<core_entry> {    // SDM 3A 4.5.4 "Linear-Address Translation with 4-Level Paging"
    using present = bit<core_entry, 0>;
    using writable = bit<core_entry, 1>;
    using write_through = bit<core_entry, 3>;
    using cache_disable = bit<core_entry, 4>;
    using accessed = bit<core_entry, 5>;
    using dirty = bit<core_entry, 6>;
    using page = field<core_entry, 51, 12>;
    using no_execute = bit<core_entry, 63>;
};
static_assert(core_entry::page::get(make<core_entry>(0x5063)) == 5);

/// The core's own address space: the loader made its page tables (abi/image.h), the core adds to
/// the spare pages at its end, and takes guard pages out.
class core_space {
public:
    core_space() = default;
    core_space(frames const& all, hpa root, hva spare)
        : frames_{&all}, root_{root}, spare_{spare} {}

    enum class caching : bool { write_back, uncached };
    /// Map `bytes` from `at` on read-write in spare pages nobody has used yet.
    /// Errors   no_space: all HV_SPARE_PAGES used; invalid: the loader's tables do not reach there.
    [[nodiscard]] result<hva> map(hpa_span at, caching kind);
    /// Take away the mapping of [at, at + bytes); the caller owes a TLB flush on every CPU.
    void unmap(hva at, std::uint64_t bytes);
    [[nodiscard]] hpa root() const { return root_; }

private:
    [[nodiscard]] result<std::uint64_t*> entry_of(hva at) const;

    frames const* frames_{};
    hpa root_{};
    hva spare_{};
    // spare pages; never used again, so that no CPU can hold a stale translation
    std::uint64_t used_{};
};

}    // namespace hv
