// SPDX-License-Identifier: MIT
#include "mem/core_space.hpp"

namespace hv {

// Read-write data.
static constexpr std::uint64_t ordinary = core_entry::present::mask | core_entry::writable::mask |
                                          core_entry::accessed::mask | core_entry::dirty::mask |
                                          core_entry::no_execute::mask;
static constexpr std::uint64_t device = core_entry::write_through::mask |
                                        core_entry::cache_disable::mask;

result<hva> core_space::map(hpa_span at, caching kind) {
    auto const pages = at.bytes / page_bytes;
    auto const run = HV_TRY(free_run(pages));
    auto const first = spare_ + run * page_bytes;
    for (std::uint64_t i = 0; i < pages; ++i)
        static_cast<void>(HV_TRY(entry_of(first + i * page_bytes)));
    bool const uncached = kind == caching::uncached;
    for (std::uint64_t i = 0; i < pages; ++i) {
        auto const entry = make<core_entry>(uncached ? ordinary | device : ordinary)
                               .with<core_entry::page>((at.first.raw >> 12) + i);
        *entry_of(first + i * page_bytes).value() = entry.raw;
        windows_[run + i] = window::used;
    }
    return first;
}

void core_space::unmap(hva at, std::uint64_t bytes) {
    for (std::uint64_t done_bytes = 0; done_bytes < bytes; done_bytes += page_bytes) {
        auto const entry = entry_of(at + done_bytes);
        HV_ASSERT(entry);
        *entry.value() = 0;
        if (at < spare_) continue;    // a guard page
        windows_[(at + done_bytes - spare_) / page_bytes] = window::retired;
        any_retired_ = true;
    }
}

void core_space::settle() {
    if (!any_retired_) return;
    any_retired_ = false;
    for (auto& w : windows_)
        if (w == window::retired) w = window::free;
}

result<std::uint64_t> core_space::free_run(std::uint64_t pages) const {
    std::uint64_t length = 0;
    for (std::uint64_t i = 0; i < windows_.size(); ++i) {
        length = windows_[i] == window::free ? length + 1 : 0;
        if (length == pages) return i + 1 - pages;
    }
    return error{errc::no_space};
}

result<std::uint64_t*> core_space::entry_of(hva at) const {
    auto table = root_;
    for (unsigned shift = 39;; shift -= 9) {
        auto const page = frames_->to_hva(table);
        if (!page) return error{errc::invalid};
        auto* const entry = reinterpret_cast<std::uint64_t*>(page.value().raw) +
                            (at.raw >> shift) % 512;
        if (shift == 12) return entry;
        auto const next = make<core_entry>(*entry);
        if (!next.get<core_entry::present>()) return error{errc::invalid};
        table = hpa{next.get<core_entry::page>() << 12};
    }
}

}    // namespace hv
