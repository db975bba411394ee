// SPDX-License-Identifier: MIT
#include "mem/core_space.hpp"

namespace hv {

result<hva> core_space::map(hpa_span at, caching kind) {
    auto const pages = at.bytes / page_bytes;
    if (pages > HV_SPARE_PAGES - used_) return error{errc::no_space};
    auto const first = spare_ + used_ * page_bytes;
    for (std::uint64_t i = 0; i < pages; ++i)
        static_cast<void>(HV_TRY(entry_of(first + i * page_bytes)));
    bool const uncached = kind == caching::uncached;
    for (std::uint64_t i = 0; i < pages; ++i) {
        auto const entry = core_entry{}
                               .with<core_entry::present>(true)
                               .with<core_entry::writable>(true)
                               .with<core_entry::write_through>(uncached)
                               .with<core_entry::cache_disable>(uncached)
                               .with<core_entry::accessed>(true)
                               .with<core_entry::dirty>(true)
                               .with<core_entry::page>((at.first.raw >> 12) + i)
                               .with<core_entry::no_execute>(true);
        *entry_of(first + i * page_bytes).value() = entry.raw;
    }
    used_ += pages;
    return first;
}

void core_space::unmap(hva at, std::uint64_t bytes) {
    for (std::uint64_t done_bytes = 0; done_bytes < bytes; done_bytes += page_bytes) {
        auto const entry = entry_of(at + done_bytes);
        HV_ASSERT(entry);
        *entry.value() = 0;
    }
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
