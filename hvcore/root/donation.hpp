// SPDX-License-Identifier: MIT
#pragma once
#include "mem/identity.hpp"
#include "root/memory_event.hpp"

namespace hv {

/// Whether the root VM may give these frames: ordinary write-back memory of its own that no rule
/// watches and no guest has.
template <typename Machine> status can_be_given(Machine& m, gpa first, std::uint64_t pages) {
    gpa_span const at{first, pages * page_bytes};
    hpa const frame{first.raw};
    if (pages == 0 || pages > 512 || !at.pages()) return error{errc::invalid};
    if (!at.within(m.top_of_ram) || !at.within(m.stage.limits().top())) return error{errc::invalid};
    if (m.all.touches({frame, at.bytes})) return error{errc::invalid};
    if (m.mtrrs.type_of({frame, at.bytes}) != memory_type::wb) return error{errc::invalid};
    auto const run = m.rules().memory_at(first);
    if (run.watched != 0 || run.bytes < at.bytes) return error{errc::invalid};
    return m.guests.reach({frame, at.bytes}) ? status{error{errc::busy}} : status{done};
}

/// The root VM gives frames: to the pool (private_core), and then they leave its second stage on
/// every CPU before this returns; or such that it goes on seeing and writing them (shared_write):
/// exchange areas of vcpus.
/// Errors   invalid: unaligned, more than 2 MiB, not ordinary write-back memory of the root VM,
///          watched by a rule; busy: a guest has one; no_space: no room to note them; no_memory:
///          it takes a table, and there is none.
template <typename Machine, typename Cpu>
status give_frames(Machine& m, Cpu& c, gpa first, std::uint64_t pages, frame_kind kind) {
    gpa_span const at{first, pages * page_bytes};
    hpa const frame{first.raw};
    bool const shared = kind == frame_kind::shared_write;
    auto const hold = hold_machine(m, c);
    HV_TRY(can_be_given(m, first, pages));
    close_pages(m, c, true);    // their leaves must stay 4 KiB until then
    // Shared ones are split while the guard still takes them for ordinary: the leaf around them is
    // not.
    HV_TRY(shared ? m.stage.protect(at, read_write)
                  : hide_run(m.stage, m.all, m.stage_types(), {frame, at.bytes}));
    if (!shared) HV_TRY(shoot_down(m, c));
    auto const window = m.space.map({frame, at.bytes}, core_space::caching::write_back);
    auto noted = window ? m.all.add({frame.raw, pages}, window.value(), kind)
                        : status{window.error()};
    if (noted && !shared) {
        noted = m.pool.add({frame, at.bytes});
        if (!noted) HV_ASSERT(m.all.remove(frame));
    }
    if (!noted) {
        if (window) m.space.unmap(window.value(), at.bytes);
        // Its tables are there.
        HV_ASSERT(expose(m.stage, m.all, m.stage_types(), {frame, at.bytes}));
        HV_TRY(shoot_down(m, c));
        return shared ? noted.error() : error{errc::no_space};
    }
    // Written anew, now that the guard knows their kind: always write-back.
    if (shared) HV_ASSERT(m.stage.map(at, frame, read_write, m.stage_types().type_at(frame).type));
    record_plain(c.common(), HV_RECORD_FRAMES_DONATED, first.raw, pages);
    return shared ? shoot_down(m, c) : status{done};
}

/// Give a donation back, zeroed, once none of its pages is in use.
/// Errors   no_entry: never donated; busy: in use.
template <typename Machine, typename Cpu> status reclaim(Machine& m, Cpu& c, gpa first) {
    auto const hold = hold_machine(m, c);
    auto const chunk = HV_TRY(m.all.donation(hpa{first.raw}));
    if (chunk.kind == frame_kind::private_core) {
        HV_TRY(m.pool.remove(chunk.first));    // zeroes them
    } else {
        if (m.guests.exchange_in(chunk.span())) return error{errc::busy};
        auto* const words = reinterpret_cast<volatile std::uint64_t*>(chunk.at.raw);
        for (std::uint64_t i = 0; i < chunk.pages * page_bytes / 8; ++i) words[i] = 0;
    }
    close_pages(m, c, true);    // their leaves must stay 4 KiB until then
    HV_ASSERT(m.all.remove(chunk.first));
    m.space.unmap(chunk.at, chunk.pages * page_bytes);
    HV_ASSERT(expose(m.stage, m.all, m.stage_types(), chunk.span()));    // its tables are there
    HV_TRY(shoot_down(m, c));
    record_plain(c.common(), HV_RECORD_FRAMES_RETURNED, first.raw, chunk.pages);
    return done;
}

}    // namespace hv
