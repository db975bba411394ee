// SPDX-License-Identifier: MIT
#pragma once
#include "arch/register.hpp"
#include "mem/frames.hpp"

namespace hv {

// SDM 3A 4.5.4 "Linear-Address Translation with 4-Level Paging"
struct core_entry : reg<core_entry> {
    using present = bit<core_entry, 0>;
    using writable = bit<core_entry, 1>;
    using write_through = bit<core_entry, 3>;
    using cache_disable = bit<core_entry, 4>;
    using accessed = bit<core_entry, 5>;
    using dirty = bit<core_entry, 6>;
    using page = field<core_entry, 51, 12>;
    using no_execute = bit<core_entry, 63>;
};

/// The core's own address space: the loader made its page tables (abi/image.h), the core adds to
/// the spare pages at its end, and takes guard pages out.
class core_space {
public:
    core_space() = default;
    core_space(frames const& all, hpa root, hva spare)
        : frames_{&all}, root_{root}, spare_{spare} {}

    enum class caching : bool { write_back, uncached };
    /// Map `bytes` from `at` on read-write in spare pages that no CPU has a translation of.
    /// Errors   no_space: no such run is left; invalid: the loader's tables do not reach there.
    [[nodiscard]] result<hva> map(hpa_span at, caching kind);
    /// Take away the mapping of [at, at + bytes); the caller owes a TLB flush on every CPU. Spare
    /// pages are used again only after settle().
    void unmap(hva at, std::uint64_t bytes);
    /// To be called when a shoot-down has reached every CPU.
    void settle();
    [[nodiscard]] hpa root() const { return root_; }

private:
    enum class window : std::uint8_t { free, used, retired };
    [[nodiscard]] result<std::uint64_t*> entry_of(hva at) const;
    /// The first of `pages` free windows, one behind the other.
    [[nodiscard]] result<std::uint64_t> free_run(std::uint64_t pages) const;

    frames const* frames_{};
    hpa root_{};
    hva spare_{};
    array<window, HV_SPARE_PAGES> windows_{};    // a spare page each
    bool any_retired_{};
};

}    // namespace hv
