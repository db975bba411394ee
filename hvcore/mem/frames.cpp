// SPDX-License-Identifier: MIT
#include "mem/frames.hpp"
#include <initializer_list>

namespace hv {
namespace {

constexpr std::uint64_t physical_top = 1ull << 52;
constexpr std::uint64_t area_pages_max = 1ull << 32;

constexpr std::uint64_t below(std::uint64_t a, std::uint64_t b) { return a < b ? a : b; }

/// Neither sum of a start and a length is formed, so none can overflow.
constexpr bool overlap(std::uint64_t a, std::uint64_t a_bytes, std::uint64_t b,
                       std::uint64_t b_bytes) {
    return a <= b ? b - a < a_bytes : a - b < b_bytes;
}

constexpr bool sound_run(std::uint64_t first, std::uint64_t pages, std::uint64_t top) {
    return pages != 0 && pages <= area_pages_max && first % page_bytes == 0 && first < top &&
           pages * page_bytes <= top - first;
}

}    // namespace

std::uint64_t frame_layout::kind_end(std::uint64_t page) const {
    if (page < zero_page()) return zero_page();
    if (page < mailbox_first()) return mailbox_first();
    return page < shared_cpu_first() ? shared_cpu_first() : total();
}

bool frame_layout::sound() const {
    for (auto const pages : {image, pool, cpu, tables, mailbox, shared_cpu})
        if (pages > area_pages_max) return false;
    return image != 0;
}

bool frames::fits(frame_chunk const& c) const {
    if (!sound_run(c.first.raw, c.pages, physical_top)) return false;
    if (!sound_run(c.at.raw, c.pages, ~std::uint64_t{0})) return false;
    auto const bytes = c.pages * page_bytes;
    for (auto const& other : chunks()) {
        auto const other_bytes = other.pages * page_bytes;
        if (overlap(c.first.raw, bytes, other.first.raw, other_bytes)) return false;
        if (overlap(c.at.raw, bytes, other.at.raw, other_bytes)) return false;
    }
    return true;
}

status frames::init(hv::span<hv_chunk const> chunks, frame_layout const& layout, hva base) {
    if (chunks.size() > HV_MAX_CHUNKS || !layout.sound()) return error{errc::invalid};
    frames fresh{};
    fresh.layout_ = layout;
    std::uint64_t page = 0;
    for (auto const& given : chunks) {
        frame_chunk const c{hpa{given.hpa}, given.pages, base + page * page_bytes, page, false};
        if (!fresh.fits(c)) return error{errc::invalid};
        fresh.chunks_[fresh.count_++] = c;
        page += given.pages;
    }
    if (page != layout.total()) return error{errc::invalid};
    auto const zero = HV_TRY(fresh.layout_run(layout.zero_page()));
    fresh.zero_page_ = zero.first;
    *this = fresh;
    return done;
}

status frames::add(hv_chunk const& chunk, hva at, frame_kind kind) {
    frame_chunk const c{hpa{chunk.hpa}, chunk.pages, at, 0, true, kind};
    if (!fits(c)) return error{errc::invalid};
    if (count_ == HV_MAX_CHUNKS) return error{errc::no_space};
    chunks_[count_++] = c;
    return done;
}

result<frame_chunk> frames::donation(hpa first) const {
    for (auto const& c : chunks())
        if (c.donated && c.first == first) return c;
    return error{errc::no_entry};
}

status frames::remove(hpa first) {
    for (std::size_t i = 0; i < count_; ++i) {
        if (!chunks_[i].donated || chunks_[i].first != first) continue;
        chunks_[i] = chunks_[--count_];
        chunks_[count_] = {};
        return done;
    }
    return error{errc::no_entry};
}

bool frames::donated(hpa at) const {
    for (auto const& c : chunks())
        if (c.donated && at - c.first < c.pages * page_bytes) return true;
    return false;
}

kind_run frames::run_at(hpa at) const {
    std::uint64_t next = ~std::uint64_t{0} - at.raw;
    for (auto const& c : chunks()) {
        if (at < c.first) {
            next = below(next, c.first - at);
            continue;
        }
        auto const offset = at - c.first;
        if (offset >= c.pages * page_bytes) continue;
        if (c.donated) return {c.kind, c.pages * page_bytes - offset};
        auto const page = offset / page_bytes;
        auto const end = below(layout_.kind_end(c.page + page) - c.page, c.pages);
        return {layout_.kind(c.page + page), end * page_bytes - offset};
    }
    return {frame_kind::outside, next};
}

bool frames::touches(hpa_span run) const {
    if (run.bytes == 0) return false;
    if (!run.within(~std::uint64_t{0})) return true;
    for (auto const& c : chunks())
        if (overlap(run.first.raw, run.bytes, c.first.raw, c.pages * page_bytes)) return true;
    return false;
}

result<hva> frames::to_hva(hpa at) const {
    for (auto const& c : chunks())
        if (at >= c.first && at - c.first < c.pages * page_bytes) return c.at + (at - c.first);
    return error{errc::fault};
}

result<hva> frames::to_private_hva(hpa at) const {
    for (auto const& c : chunks()) {
        auto const offset = at - c.first;    // wraps below the chunk, and is then beyond its end
        if (offset >= c.pages * page_bytes) continue;
        bool const shared = c.donated ? c.kind != frame_kind::private_core
                                      : c.page + offset / page_bytes >= layout_.zero_page();
        if (shared) break;
        return c.at + offset;
    }
    return error{errc::fault};
}

result<hpa> frames::to_hpa(hva at) const {
    for (auto const& c : chunks())
        if (at >= c.at && at - c.at < c.pages * page_bytes) return c.first + (at - c.at);
    return error{errc::fault};
}

result<hpa_span> frames::layout_run(std::uint64_t page) const {
    for (auto const& c : chunks()) {
        if (c.donated || page < c.page || page - c.page >= c.pages) continue;
        auto const offset = page - c.page;
        return hpa_span{c.first + offset * page_bytes, (c.pages - offset) * page_bytes};
    }
    return error{errc::range};
}

std::uint64_t frames::count() const {
    std::uint64_t pages = 0;
    for (auto const& c : chunks()) pages += c.pages;
    return pages;
}

}    // namespace hv
