// SPDX-License-Identifier: MIT
#pragma once
// The machine under the hosted core: CPUs, an NMI bus, and the loader's part of abi/image.h and
// abi/launch.h. The frames that it donates lie at HV_CORE_BASE of this very process.
#include "abi/launch.h"
#include "core_layout.hpp"
#include "cpu.hpp"
#include <atomic>
#include <memory>

namespace fake {

/// What Linux calls the CPU launched as number 0; the next ones follow.
inline constexpr std::uint32_t first_cpu_id = 10;

class board {
public:
    static constexpr std::uint64_t first_hpa = 0x8000000;    // of the first chunk
    static constexpr std::uint64_t top_of_ram = 0x40000000;
    static constexpr std::uint64_t secret = 0x5ec7e7a11dead5;
    static constexpr std::uint32_t image_pages = 16;    // entry.cpp: hv_image_end

    explicit board(std::uint32_t cpus, vendor maker = vendor::intel);
    ~board();
    board(board const&) = delete;
    board& operator=(board const&) = delete;

    /// What hv.ko hands to the core on CPU `n`.
    [[nodiscard]] hv_launch arguments(std::uint32_t n) const;
    /// The loader's call on CPU `n`: 0, and the CPU is a guest; or what the core returned.
    std::int64_t launch(std::uint32_t n, hv_launch& args);
    /// Memory of the core by physical address; null: not the core's.
    [[nodiscard]] void* memory(hv::hpa at) const;
    [[nodiscard]] hv::hpa hpa_of_page(std::uint64_t page) const;
    [[nodiscard]] hv::hva hva_of_page(std::uint64_t page) const {
        return hv::hva{HV_CORE_BASE + page * 4096};
    }
    [[nodiscard]] hv::frame_layout const& layout() const { return layout_; }
    [[nodiscard]] std::uint64_t core_pages() const { return layout_.total(); }
    /// Where the loader's tables map an address of the core; nothing: not present.
    [[nodiscard]] std::optional<hv::hpa> mapped(hv::hva at) const;
    template <typename Machine = hv::vmx::root_machine> [[nodiscard]] Machine& machine() const {
        return *reinterpret_cast<Machine*>(hva_of_page(layout_.pool_first()).raw);
    }

    std::vector<std::unique_ptr<cpu>> cpus;
    std::function<void(std::uint32_t)> on_nmi;    // an NMI for the CPU of this number
    std::atomic<std::uint64_t> ticks{};
    std::uint64_t tick_step{1 << 14};    // of the TSC, per look at it

private:
    void build_tables();
    hv::frame_layout layout_;
    std::vector<hv_chunk> chunks_;
};

}    // namespace fake
