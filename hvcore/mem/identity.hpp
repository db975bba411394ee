// SPDX-License-Identifier: MIT
#pragma once
// The root VM's second stage: every address leads to itself, but for the core's frames.
#include "mem/frames.hpp"
#include "mem/mtrr.hpp"
#include "mem/second_stage.hpp"
#include <initializer_list>

namespace hv {

/// Runs that a span may fall into: boundaries of chunks, of kinds of frames and of memory types.
inline constexpr unsigned identity_runs_max = 8 * HV_MAX_CHUNKS + 256;

constexpr gpa same(hpa a) { return gpa{a.raw}; }
constexpr hpa same(gpa a) { return hpa{a.raw}; }

/// Map each part of `at` that is not the core's to itself, with the type that the MTRRs give it.
/// Errors   as map(), but what came before stays mapped.
template <typename Stage>
[[nodiscard]] status map_identity(Stage& stage, frames const& all, mtrr_set const& types,
                                  gpa_span at) {
    std::uint64_t offset = 0;
    for (unsigned i = 0; i < identity_runs_max && offset < at.bytes; ++i) {
        auto const here = same(at.first + offset);
        auto const run = all.run_at(here);
        auto const type = types.type_at(here);
        auto bytes = run.bytes < at.bytes - offset ? run.bytes : at.bytes - offset;
        if (run.kind == frame_kind::outside) {
            if (type.bytes < bytes) bytes = type.bytes;
            HV_TRY(stage.map({same(here), bytes}, here, all_rights, type.type));
        }
        offset += bytes;
    }
    if (offset < at.bytes) return error{errc::range};
    return done;
}

/// Map [0, top), except for the core's frames, which stay not present until hide().
/// top      4 KiB aligned, first byte after the highest RAM.
/// Effect   entries only; for a second stage that no CPU uses yet.
/// Errors   as map(); the tables are then good for release() only.
template <typename Stage>
[[nodiscard]] status build_identity(Stage& stage, frames const& all, mtrr_set const& types,
                                    std::uint64_t top) {
    return map_identity(stage, all, types, {gpa{}, top});
}

/// Put the zero page, read-only, where the root VM would meet the frames of `run`.
/// Effect   as map(). For a donation: call this first, then frames::add(), then shoot down.
/// Errors   as map(), nothing changed.
template <typename Stage>
[[nodiscard]] status hide_run(Stage& stage, frames const& all, mtrr_set const& types,
                              hpa_span run) {
    auto const zero = all.zero_page();
    return stage.map_to_one({same(run.first), run.bytes}, zero, rights::read,
                            types.type_at(zero).type);
}

/// Show the root VM of the core's frames what it may see: shared ones with the rights of their
/// kind, zeroes for all others.
/// Effect   as map().
/// Errors   as map(); what came before stays.
template <typename Stage>
[[nodiscard]] status hide(Stage& stage, frames const& all, mtrr_set const& types) {
    for (auto const& chunk : all.chunks()) {
        auto const whole = chunk.span();
        std::uint64_t offset = 0;
        for (unsigned i = 0; i < identity_runs_max && offset < whole.bytes; ++i) {
            auto const here = whole.first + offset;
            auto const run = all.run_at(here);
            auto const type = types.type_at(here);
            if (run.kind == frame_kind::private_core) {
                HV_TRY(hide_run(stage, all, types, {here, run.bytes}));
                offset += run.bytes;
            } else {
                auto const bytes = run.bytes < type.bytes ? run.bytes : type.bytes;
                HV_TRY(stage.map({same(here), bytes}, here, most_rights(run.kind), type.type));
                offset += bytes;
            }
        }
    }
    return done;
}

/// Give the frames of a donation that frames::remove() has forgotten back to the root VM.
/// Effect   as map(); merges what became alike again.
/// Errors   as map(); what came before stays mapped.
template <typename Stage>
[[nodiscard]] status expose(Stage& stage, frames const& all, mtrr_set const& types, hpa_span run) {
    HV_TRY(map_identity(stage, all, types, {same(run.first), run.bytes}));
    stage.merge({same(run.first), run.bytes});
    return done;
}

/// Map the largest page around an address beyond RAM that the root VM has just used: MMIO.
/// Effect   as map(), from not present to present only: no CPU owes a flush.
/// Errors   perm: a core frame. range: beyond what the CPU can address. no_memory: pool empty.
///          exists: present already, with whatever rights.
template <typename Stage>
[[nodiscard]] status map_on_demand(Stage& stage, frames const& all, mtrr_set const& types, gpa a) {
    if (a.raw >= stage.limits().top()) return error{errc::range};
    auto const hole = stage.hole_at(a);
    if (hole == 0) return error{errc::exists};
    for (unsigned level = stage_levels - 1; level >= 1; --level) {
        auto const bytes = entry_bytes(level);
        hpa_span const around{same(a.down(bytes)), bytes};
        if (!stage.limits().leaf_at(level) || bytes > hole) continue;
        auto const type = types.type_of(around);
        if (!type || all.touches(around)) continue;
        return stage.map({same(around.first), bytes}, around.first, all_rights, *type);
    }
    return error{errc::perm};
}

/// Follow new MTRRs: every leaf gets the type of the frames it leads to, with the rights it had.
/// Effect   as map(); merges what became alike. Never fails: where the pool is empty, a mixed large
///          leaf becomes UC.
template <typename Stage> void retype(Stage& stage, mtrr_set const& types) {
    stage.retype([&](hpa_span run) { return types.type_of(run); });
    stage.merge({gpa{}, stage.limits().top()});
}

}    // namespace hv
