// SPDX-License-Identifier: MIT
#pragma once
#include "abi/image.h"
#include "abi/launch.h"
#include "base/address.hpp"
#include "base/array.hpp"
#include "base/result.hpp"
#include <cstdint>

namespace hv {

/// What the root VM may do with a frame: everything, nothing, read it, read and write it.
enum class frame_kind : std::uint8_t { outside, private_core, shared_read, shared_write };

/// The areas of abi/image.h in pages, each over all CPUs, in their order.
struct frame_layout {
    std::uint64_t image{}, pool{}, cpu{}, tables{}, mailbox{}, shared_cpu{};

    [[nodiscard]] constexpr std::uint64_t pool_first() const { return image; }
    [[nodiscard]] constexpr std::uint64_t cpu_first() const { return pool_first() + pool; }
    [[nodiscard]] constexpr std::uint64_t tables_first() const { return cpu_first() + cpu; }
    [[nodiscard]] constexpr std::uint64_t zero_page() const { return tables_first() + tables; }
    [[nodiscard]] constexpr std::uint64_t mailbox_first() const { return zero_page() + 1; }
    [[nodiscard]] constexpr std::uint64_t shared_cpu_first() const {
        return mailbox_first() + mailbox;
    }
    [[nodiscard]] constexpr std::uint64_t total() const { return shared_cpu_first() + shared_cpu; }
    [[nodiscard]] constexpr frame_kind kind(std::uint64_t page) const {
        if (page < zero_page()) return frame_kind::private_core;
        bool const mail = page >= mailbox_first() && page < shared_cpu_first();
        return mail ? frame_kind::shared_write : frame_kind::shared_read;
    }
    /// First page after `page` that may be of another kind.
    [[nodiscard]] std::uint64_t kind_end(std::uint64_t page) const;
    [[nodiscard]] bool sound() const;
};

/// Physically contiguous frames of the core, mapped from `at` on.
struct frame_chunk {
    hpa first{};
    std::uint64_t pages{};
    hva at{};
    std::uint64_t page{};    // number of the first one in the layout
    bool donated{};          // after the launch, and no part of the layout: all of one kind
    frame_kind kind{frame_kind::private_core};
    [[nodiscard]] constexpr hpa_span span() const { return {first, pages * page_bytes}; }
};

/// Bytes from an address on that are all of one kind and, if the core's, in one chunk.
struct kind_run {
    frame_kind kind{};
    std::uint64_t bytes{};
};

/// Which frames of the machine are the core's. Slow paths only: linear over the chunks.
class frames {
public:
    /// Take over what the loader donated at launch, mapped without a gap from `base` on.
    /// Errors   invalid: unaligned, empty, wrapping or overlapping chunks, or not layout.total().
    [[nodiscard]] status init(hv::span<hv_chunk const> chunks, frame_layout const& layout,
                              hva base = hva{HV_CORE_BASE});
    /// Note a later donation, which must already be hidden where its kind is private.
    /// Errors   invalid: unaligned, wrapping, overlaps frames or addresses. no_space: no room.
    [[nodiscard]] status add(hv_chunk const& chunk, hva at,
                             frame_kind kind = frame_kind::private_core);
    /// Forget a donation; the whole chunk. Errors: no_entry: no donation starts there.
    [[nodiscard]] status remove(hpa first);
    /// The donation that starts at `first`. Errors: no_entry.
    [[nodiscard]] result<frame_chunk> donation(hpa first) const;

    /// Whether `at` came after the launch.
    [[nodiscard]] bool donated(hpa at) const;
    [[nodiscard]] frame_kind kind(hpa at) const { return run_at(at).kind; }
    [[nodiscard]] kind_run run_at(hpa at) const;
    /// Whether any byte of the run is the core's, of whatever kind. A run that wraps always is.
    [[nodiscard]] bool touches(hpa_span run) const;
    [[nodiscard]] result<hva> to_hva(hpa at) const;
    /// As to_hva(), for private frames only: what the way to every page-table entry goes through.
    [[nodiscard]] result<hva> to_private_hva(hpa at) const;
    [[nodiscard]] result<hpa> to_hpa(hva at) const;
    /// The frame of a page of the layout, and how many bytes follow contiguously in its chunk.
    [[nodiscard]] result<hpa_span> layout_run(std::uint64_t page) const;

    [[nodiscard]] frame_layout const& layout() const { return layout_; }
    [[nodiscard]] hpa zero_page() const { return zero_page_; }
    [[nodiscard]] hv::span<frame_chunk const> chunks() const { return {chunks_.items, count_}; }
    [[nodiscard]] std::uint64_t count() const;    // frames of all kinds but outside

private:
    [[nodiscard]] bool fits(frame_chunk const& c) const;

    array<frame_chunk, HV_MAX_CHUNKS> chunks_{};
    std::size_t count_{};
    frame_layout layout_{};
    hpa zero_page_{};
};

}    // namespace hv
