// SPDX-License-Identifier: MIT
#include "mem/page_pool.hpp"
#include <bit>

namespace hv {

void page_pool::set(bitmap& b, std::uint64_t i, bool v) {
    auto const mask = 1ull << i % word_bits;
    b[i / word_bits] = v ? b[i / word_bits] | mask : b[i / word_bits] & ~mask;
}

status page_pool::add(hpa_span pages) {
    if (!pages.pages()) return error{errc::invalid};
    auto const kind = frames_.run_at(pages.first);
    if (kind.kind != frame_kind::private_core || kind.bytes < pages.bytes)
        return error{errc::invalid};
    for (std::size_t i = 0; i < run_count_; ++i) {
        auto const& r = runs_[i];
        if (r.first < pages.first + pages.bytes && pages.first < r.first + r.pages * page_bytes)
            return error{errc::invalid};
    }
    auto const count = pages.bytes / page_bytes;
    if (run_count_ == runs_.size() || count > max_pages - total_) return error{errc::no_space};
    runs_[run_count_++] = {pages.first, count, total_};
    total_ += count;
    return done;
}

status page_pool::add_layout(std::uint64_t first_page, std::uint64_t pages) {
    std::uint64_t added = 0;
    for (unsigned i = 0; i < HV_MAX_CHUNKS && added < pages; ++i) {
        auto part = HV_TRY(frames_.layout_run(first_page + added));
        auto const wanted = (pages - added) * page_bytes;
        if (part.bytes > wanted) part.bytes = wanted;
        auto const put = add(part);
        if (!put) return put;
        added += part.bytes / page_bytes;
    }
    return done;
}

bool page_pool::any_in_use(run const& r) const {
    for (std::uint64_t i = 0; i < r.pages; ++i)
        if (get(used_, r.bit + i)) return true;
    return false;
}

status page_pool::remove(hpa first) {
    for (std::size_t i = 0; i < run_count_; ++i) {
        if (runs_[i].first != first) continue;
        if (any_in_use(runs_[i])) return error{errc::busy};
        for (std::uint64_t page = 0; page < runs_[i].pages; ++page) zero(first + page * page_bytes);
        forget(i);
        return done;
    }
    return error{errc::no_entry};
}

/// Closes the gap in both bitmaps: the bits of all later runs move down.
void page_pool::forget(std::size_t index) {
    auto const gone = runs_[index].pages;
    for (std::uint64_t i = runs_[index].bit; i < total_; ++i) {
        bool const inside = i + gone < total_;
        set(used_, i, inside && get(used_, i + gone));
        set(retiring_, i, inside && get(retiring_, i + gone));
    }
    total_ -= gone;
    --run_count_;
    for (std::size_t i = index; i < run_count_; ++i) {
        runs_[i] = runs_[i + 1];
        runs_[i].bit -= gone;
    }
    runs_[run_count_] = {};
}

result<hpa> page_pool::take() {
    if (available() == 0) return error{errc::no_memory};
    for (std::size_t word = 0; word < used_.size(); ++word) {
        if (used_[word] == ~0ull) continue;
        auto const i = word * word_bits + static_cast<unsigned>(std::countr_one(used_[word]));
        if (i >= total_) break;
        set(used_, i, true);
        ++in_use_;
        auto const page = page_of(i);
        zero(page);
        return page;
    }
    return error{errc::no_memory};
}

result<hpa> page_pool::take_run(std::uint64_t pages) {
    std::uint64_t length = 0;    // of the free run that ends at i
    for (std::uint64_t i = 0; i < total_; ++i) {
        if (get(used_, i)) {
            length = 0;
            continue;
        }
        length = length != 0 && page_of(i - 1) + page_bytes == page_of(i) ? length + 1 : 1;
        if (length < pages) continue;
        for (auto bit = i + 1 - pages; bit <= i; ++bit) {
            set(used_, bit, true);
            zero(page_of(bit));
        }
        in_use_ += pages;
        return page_of(i + 1 - pages);
    }
    return error{errc::no_memory};
}

void page_pool::give(hpa page) {
    auto const i = bit_of(page);
    HV_ASSERT(get(used_, i) && !get(retiring_, i));
    set(used_, i, false);
    --in_use_;
}

void page_pool::retire(hpa page) {
    auto const i = bit_of(page);
    HV_ASSERT(get(used_, i) && !get(retiring_, i));
    set(retiring_, i, true);
    ++retired_;
}

void page_pool::settle() {
    if (retired_ == 0) return;
    for (std::size_t word = 0; word < used_.size(); ++word) {
        used_[word] &= ~retiring_[word];
        retiring_[word] = 0;
    }
    in_use_ -= retired_;
    retired_ = 0;
}

std::uint64_t page_pool::bit_of(hpa page) const {
    HV_ASSERT(page.aligned(page_bytes));
    for (std::size_t i = 0; i < run_count_; ++i) {
        auto const& r = runs_[i];
        if (page >= r.first && page - r.first < r.pages * page_bytes)
            return r.bit + (page - r.first) / page_bytes;
    }
    broken("a page that is not the pool's", __LINE__);
}

hpa page_pool::page_of(std::uint64_t bit) const {
    for (std::size_t i = 0; i < run_count_; ++i) {
        auto const& r = runs_[i];
        if (bit >= r.bit && bit - r.bit < r.pages) return r.first + (bit - r.bit) * page_bytes;
    }
    broken("a bit without a page", __LINE__);
}

void page_pool::zero(hpa page) const {
    auto const at = frames_.to_hva(page);
    HV_ASSERT(at);
    auto* const words = reinterpret_cast<volatile std::uint64_t*>(at.value().raw);
    for (std::size_t i = 0; i < page_bytes / sizeof(std::uint64_t); ++i) words[i] = 0;
}

}    // namespace hv
