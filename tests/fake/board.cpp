// SPDX-License-Identifier: MIT
#include "board.hpp"
#include "fake_machine.hpp"
#include <sys/mman.h>

extern "C" std::int64_t hv_core_launch(hv_launch* args);

namespace fake {

namespace {

constexpr std::uint64_t page = hv::page_bytes;

/// The tables map the layout, themselves included, and the spare pages.
std::uint64_t table_pages(std::uint64_t others) {
    std::uint64_t tables = 4;
    while (3 + (others + tables + HV_SPARE_PAGES + 511) / 512 > tables) ++tables;
    return tables;
}

hv::frame_layout layout_for(std::uint32_t cpus) {
    hv::frame_layout l{.image = board::image_pages,
                       .pool = hv::pool_pages,
                       .cpu = std::uint64_t{hv::cpu_pages} * cpus,
                       .tables = 0,
                       .mailbox = HV_MAILBOX_PAGES,
                       .shared_cpu = std::uint64_t{hv::shared_cpu_pages} * cpus};
    l.tables = table_pages(l.total());
    return l;
}

void* reserve(std::uint64_t bytes) {
    auto* const wanted = reinterpret_cast<void*>(std::uint64_t{HV_CORE_BASE});
    auto* const got = mmap(wanted, bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1,
                           0);
    require(got == wanted, "memory at HV_CORE_BASE");
    return got;
}

}    // namespace

board::board(std::uint32_t count, vendor maker) : layout_{layout_for(count)} {
    reserve((layout_.total() + HV_SPARE_PAGES) * page);
    // Three chunks, apart and not in order, that end in the middle of areas.
    auto const first = layout_.image + 3;
    auto const second = layout_.pool;
    chunks_ = {{first_hpa, first},
               {first_hpa + 0x4000000, second},
               {first_hpa + 0x1000000, layout_.total() - first - second}};
    build_tables();
    auto const regions = std::make_shared<std::map<std::uint64_t, vmcs>>();
    for (std::uint32_t n = 0; n < count; ++n)
        cpus.push_back(std::make_unique<cpu>(
            2 * n,
            surroundings{[this](hv::hpa at) { return memory(at); },
                         [this](std::uint32_t id) {
                             if (on_nmi && id / 2 < cpus.size()) on_nmi(id / 2);
                         },
                         [this] { return ticks.fetch_add(tick_step) + tick_step; }, regions},
            maker));
}

board::~board() {
    munmap(reinterpret_cast<void*>(std::uint64_t{HV_CORE_BASE}),
           (layout_.total() + HV_SPARE_PAGES) * page);
}

hv::hpa board::hpa_of_page(std::uint64_t n) const {
    for (auto const& c : chunks_) {
        if (n < c.pages) return hv::hpa{c.hpa + n * page};
        n -= c.pages;
    }
    hv::broken("no such page", __LINE__);
}

void* board::memory(hv::hpa at) const {
    std::uint64_t before = 0;
    for (auto const& c : chunks_) {
        if (at.raw >= c.hpa && at.raw - c.hpa < c.pages * page)
            return reinterpret_cast<void*>(HV_CORE_BASE + before * page + (at.raw - c.hpa));
        before += c.pages;
    }
    return nullptr;
}

void board::build_tables() {
    std::uint64_t used = 1;
    for (std::uint64_t n = 0; n < layout_.total() + HV_SPARE_PAGES; ++n) {
        // Spare pages have tables and no leaves.
        if (n > layout_.total() && n % 512 != 0) continue;
        auto const at = hva_of_page(n).raw;
        auto table = hpa_of_page(layout_.tables_first());
        for (unsigned shift = 39; shift > 12; shift -= 9) {
            auto& entry = static_cast<std::uint64_t*>(memory(table))[at >> shift & 511];
            if (entry == 0) entry = hpa_of_page(layout_.tables_first() + used++).raw | 0x23;
            table = hv::hpa{entry & 0xffffffffff000};
        }
        if (n >= layout_.total()) continue;
        auto& leaf = static_cast<std::uint64_t*>(memory(table))[at >> 12 & 511];
        leaf = hpa_of_page(n).raw | 0x63 | (n < layout_.image ? 0 : 1ull << 63);
    }
    require(used <= layout_.tables, "enough table pages");
}

std::optional<hv::hpa> board::mapped(hv::hva at) const {
    auto table = hpa_of_page(layout_.tables_first());
    for (unsigned shift = 39;; shift -= 9) {
        auto const entry = static_cast<std::uint64_t const*>(memory(table))[at.raw >> shift & 511];
        if ((entry & 1) == 0) return std::nullopt;
        table = hv::hpa{entry & 0xffffffffff000};
        if (shift == 12) return table;
    }
}

hv_launch board::arguments(std::uint32_t n) const {
    hv_launch a{};
    a.version = HV_ABI_VERSION;
    a.size = sizeof a;
    a.cpu = n;
    a.cpus = static_cast<std::uint32_t>(cpus.size());
    a.cpu_id = first_cpu_id + n;
    a.chunks = static_cast<std::uint32_t>(chunks_.size());
    a.table_pages = static_cast<std::uint32_t>(layout_.tables);
    a.handle = secret;
    a.top_of_ram = top_of_ram;
    a.guest_rip = 0xffffffffc0001000 + n * 0x100;
    a.guest_rsp = 0xffffc90000008000 - n * 0x100;
    a.guest_cr3 = 0x2345000;
    for (std::size_t i = 0; i < chunks_.size(); ++i) a.chunk[i] = chunks_[i];
    return a;
}

std::int64_t board::launch(std::uint32_t n, hv_launch& args) {
    on_cpu const scope{*cpus[n]};
    try {
        return hv_core_launch(&args);
    } catch (guest_entered const&) {
        return 0;
    }
}

}    // namespace fake
