// SPDX-License-Identifier: MIT
#pragma once
// A core in a synthetic machine: its frames, MTRRs, tables and the root VM's second stage.
#include "fake_mtrrs.hpp"
#include "fake_tables.hpp"
#include "mem/auditor.hpp"
#include "mem/ept_format.hpp"
#include "mem/identity.hpp"
#include "mem/npt_format.hpp"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace fake {

using namespace hv;

inline constexpr frame_layout small_layout{
    .image = 40, .pool = 400, .cpu = 30, .tables = 9, .mailbox = 16, .shared_cpu = 16};
static_assert(small_layout.total() == 512);

inline constexpr stage_limits bochs_limits{
    .address_bits = bochs_bits, .leaf_2m = true, .leaf_1g = true};

inline hpa_span leaf_target(std::uint64_t entry, unsigned level) {
    return {hpa{entry & 0xffffffffff000}, page_bytes << 9 * (level - 1)};
}

/// For what a test takes for granted: goes on only if it held.
inline void require(bool held, char const* what) {
    if (held) return;
    std::fprintf(stderr, "the fake machine could not be set up: %s\n", what);
    std::abort();
}

/// What an entry lets through, decoded without the core's formats: read 1, write 2, execute 4.
template <entry_format Format> std::uint64_t rights_in(std::uint64_t entry) {
    if constexpr (Format::has_types) return entry & 7;    // EPT
    if ((entry & 1) == 0) return 0;
    return (entry & 3) | (entry >> 63 == 0 ? 4 : 0);
}

/// The core in `chunks`; the tables of the fake lie in its pool, as far as that reaches.
template <entry_format Format> struct machine_of {
    using stage_type = second_stage<Format, tables, core_guard>;

    explicit machine_of(std::vector<hv_chunk> chunks, frame_layout const& layout = small_layout,
                        stage_limits const& limits = bochs_limits)
        : memory{first_pool_page(chunks, layout), layout.pool} {
        require(bool{all.init({chunks.data(), chunks.size()}, layout)}, "frames");
        if constexpr (Format::has_types) types = bochs_mtrrs().read(bochs_bits);
        memory.on_write = [this](hpa, unsigned level, unsigned, std::uint64_t value) {
            check_store(level, value);
        };
        require(bool{stage.init(limits)}, "root table");
    }

    void hoist(std::uint64_t top = 1ull << bochs_bits) {
        require(bool{build_identity(stage, all, types, top)}, "identity");
        require(bool{hide(stage, all, types)}, "hiding");
    }
    [[nodiscard]] hv_audit audit() const {
        return auditor<Format, tables>{memory, all, types, stage.limits()}.audit(stage.root());
    }
    [[nodiscard]] std::optional<translation> at(std::uint64_t a) const {
        return stage.translate(gpa{a});
    }

    frames all;
    mtrr_set types{memory_type::wb, 1ull << bochs_bits};
    tables memory;
    stage_type stage{memory, core_guard{all}};
    std::uint64_t bad_stores{};    // leaves that would have led into the core

private:
    static hpa first_pool_page(std::vector<hv_chunk> const& chunks, frame_layout const& layout) {
        frames f;
        require(bool{f.init({chunks.data(), chunks.size()}, layout)}, "frames");
        return f.layout_run(layout.pool_first()).value().first;
    }
    /// Decodes on its own, page by page: shares nothing with what it watches but the layout.
    void check_store(unsigned level, std::uint64_t value) {
        auto const granted = rights_in<Format>(value);
        if (granted == 0 || (level > 1 && (value & 0x80) == 0)) return;
        auto const target = leaf_target(value, level);
        auto const target_end = target.first.raw + target.bytes;
        for (auto const& c : all.chunks()) {
            auto const first = std::max(c.first.raw, target.first.raw);
            auto const end = std::min(c.first.raw + c.pages * page_bytes, target_end);
            for (auto frame = first; frame < end; frame += page_bytes)
                if ((granted & ~allowed(c, (frame - c.first.raw) / page_bytes)) != 0) ++bad_stores;
        }
    }
    [[nodiscard]] std::uint64_t allowed(frame_chunk const& c, std::uint64_t i) const {
        auto const& layout = all.layout();
        auto const page = c.page + i;
        if (c.donated || page < layout.zero_page()) return 0;
        auto const mail = layout.zero_page() + 1;
        return page >= mail && page < mail + layout.mailbox ? 3 : 1;
    }
};

using machine = machine_of<ept_format>;

/// Set the rights of all leaves in `at`, except those of the core's frames, which keep theirs.
/// Effect   as map().
/// Errors   as protect(), nothing changed.
template <typename Stage>
[[nodiscard]] status protect_root(Stage& stage, frames const& all, gpa_span at, rights r) {
    if (!at.pages() || !at.within(stage.limits().top())) return error{errc::invalid};
    std::uint64_t needed = 0;
    for (bool const act : {false, true}) {
        if (act && needed > stage.available()) return error{errc::no_memory};
        std::uint64_t offset = 0;
        for (unsigned i = 0; i < identity_runs_max && offset < at.bytes; ++i) {
            auto const run = all.run_at(same(at.first + offset));
            auto const bytes = run.bytes < at.bytes - offset ? run.bytes : at.bytes - offset;
            gpa_span const part{at.first + offset, bytes};
            offset += bytes;
            if (run.kind != frame_kind::outside) continue;
            if (act) {
                HV_TRY(stage.protect(part, r));
            } else {
                needed += HV_TRY(stage.protect_cost(part, r));
            }
        }
        if (offset < at.bytes) return error{errc::range};
    }
    return done;
}

/// 2 MiB of core in one piece, as the loader likes it best.
inline std::vector<hv_chunk> chunk_at(std::uint64_t hpa, std::uint64_t pages = 512) {
    return {{hpa, pages}};
}

}    // namespace fake
