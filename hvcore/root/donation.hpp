// SPDX-License-Identifier: MIT
#pragma once
#include "mem/identity.hpp"
#include "root/memory_event.hpp"

namespace hv {

/// The root VM gives frames to the pool; they leave its second stage, on every CPU, before this
/// returns.
/// Errors   invalid: unaligned, more than 2 MiB, not ordinary write-back memory of the root VM,
///          watched by a rule; no_space: no room to note them; no_memory: hiding them takes a
///          table, and there is none.
template <typename Machine, typename Cpu>
status donate(Machine& m, Cpu& c, gpa first, std::uint64_t pages) {
    gpa_span const at{first, pages * page_bytes};
    hpa const frame{first.raw};
    auto const hold = hold_machine(m, c);
    if (pages == 0 || pages > 512 || !at.pages()) return error{errc::invalid};
    if (!at.within(m.top_of_ram) || !at.within(m.stage.limits().top())) return error{errc::invalid};
    if (m.all.touches({frame, at.bytes})) return error{errc::invalid};
    if (m.mtrrs.type_of({frame, at.bytes}) != memory_type::wb) return error{errc::invalid};
    auto const run = m.rules().memory_at(first);
    if (run.watched != 0 || run.bytes < at.bytes) return error{errc::invalid};
    close_pages(m, c, true);    // their leaves must stay 4 KiB until then
    HV_TRY(hide_run(m.stage, m.all, m.stage_types(), {frame, at.bytes}));
    HV_TRY(shoot_down(m, c));
    auto const window = m.space.map({frame, at.bytes}, core_space::caching::write_back);
    if (window) {
        auto const noted = m.all.add({frame.raw, pages}, window.value());
        if (noted && m.pool.add({frame, at.bytes})) {
            c.common().records.append({.tsc = insn::rdtsc(),
                                       .kind = HV_RECORD_FRAMES_DONATED,
                                       .address = first.raw,
                                       .value = pages});
            return done;
        }
        if (noted) HV_ASSERT(m.all.remove(frame));
        m.space.unmap(window.value(), at.bytes);
    }
    HV_ASSERT(
        expose(m.stage, m.all, m.stage_types(), {frame, at.bytes}));    // its tables are there
    HV_TRY(shoot_down(m, c));
    return error{errc::no_space};
}

/// Give a donation back, zeroed, once none of its pages is in use.
/// Errors   no_entry: never donated; busy: in use.
template <typename Machine, typename Cpu> status reclaim(Machine& m, Cpu& c, gpa first) {
    auto const hold = hold_machine(m, c);
    auto const chunk = HV_TRY(m.all.donation(hpa{first.raw}));
    HV_TRY(m.pool.remove(chunk.first));    // zeroes them
    close_pages(m, c, true);               // their leaves must stay 4 KiB until then
    HV_ASSERT(m.all.remove(chunk.first));
    m.space.unmap(chunk.at, chunk.pages * page_bytes);
    HV_ASSERT(expose(m.stage, m.all, m.stage_types(), chunk.span()));    // its tables are there
    HV_TRY(shoot_down(m, c));
    c.common().records.append({.tsc = insn::rdtsc(),
                               .kind = HV_RECORD_FRAMES_RETURNED,
                               .address = first.raw,
                               .value = chunk.pages});
    return done;
}

}    // namespace hv
