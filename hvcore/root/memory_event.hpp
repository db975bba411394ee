// SPDX-License-Identifier: MIT
#pragma once
#include "mem/identity.hpp"
#include "root/shoot_down.hpp"

namespace hv {

/// What the CPU does after a second-stage violation.
enum class outcome : std::uint8_t { retry, fault };

/// A violation as both backends decode it.
struct violation {
    gpa at{};
    std::uint32_t access{};    // bits of enum hv_access
    gva rip{};                 // linear
    std::uint16_t reason{};
    std::uint64_t qualification{};
};

/// Rights have the bits of enum hv_access.
constexpr rights rights_of(std::uint32_t access) { return static_cast<rights>(access & 7); }
static_assert(rights_of(HV_ACCESS_READ | HV_ACCESS_EXECUTE) == read_execute);

/// Rights that the root VM has in ordinary memory, less what the rules watch: none where that is
/// reading.
constexpr rights unwatched(std::uint32_t watched) {
    return (watched & HV_ACCESS_READ) != 0 ? rights::none : all_rights & ~rights_of(watched);
}

template <typename Machine> rights while_open(Machine& m, gpa page, gva rip) {
    auto r = all_rights;
    for (auto access : {HV_ACCESS_WRITE, HV_ACCESS_EXECUTE}) {
        event const e{
            event_kind::memory, static_cast<std::uint32_t>(access), page.raw, 0, 0, rip.raw};
        if (m.rules().decide(e).action == action::deny) r = r & ~rights_of(e.access);
    }
    return r;
}

/// Close the pages that `c` has open, or all. The machine's lock is held.
template <typename Machine, typename Cpu> void close_pages(Machine& m, Cpu& c, bool all) {
    bool changed = false;
    for (auto& o : m.open_pages) {
        if (!o.open || (!all && o.cpu != c.common().number)) continue;
        // The leaf is 4 KiB already, so this needs no page and cannot fail.
        HV_ASSERT(
            m.stage.protect({o.page, page_bytes}, unwatched(m.rules().memory_at(o.page).watched)));
        o.open = false;
        changed = true;
    }
    if (changed) HV_ASSERT(shoot_down(m, c));
}

/// Let a watched access happen that is only logged, or passes: open its page for a slice of this
/// CPU's time.
/// once   for one instruction, not longer
/// Errors   no_memory: the page's leaf is large and cannot be split.
template <typename Machine, typename Cpu>
status open_page_for(Machine& m, Cpu& c, violation const& v, bool once) {
    auto const page = v.at.down(page_bytes);
    auto* slot = m.open_pages.begin();
    while (slot != m.open_pages.end() && slot->open) ++slot;
    if (slot == m.open_pages.end()) {
        close_pages(m, c, true);
        slot = m.open_pages.begin();
    }
    HV_TRY(m.stage.protect({page, page_bytes}, while_open(m, page, v.rip)));
    *slot = {page, c.common().number, true};
    c.start_time_slice((v.access & HV_ACCESS_EXECUTE) != 0, once);
    return done;
}

template <typename Machine, typename Cpu>
outcome refuse(Machine&, Cpu& c, violation const& v, std::uint16_t kind, std::uint32_t rule) {
    event const e{event_kind::memory, v.access, v.at.raw, v.qualification, 0, v.rip.raw};
    record_event(c.common(), kind, v.reason, e, rule);
    return outcome::fault;
}

/// Decide an access of the root VM that its second stage does not allow.
template <typename Machine, typename Cpu>
outcome on_violation(Machine& m, Cpu& c, violation const& v) {
    auto const hold = hold_machine(m, c);
    if (m.all.kind(hpa{v.at.raw}) != frame_kind::outside) {
        bool const fetch = (v.access & HV_ACCESS_EXECUTE) != 0;
        return refuse(m, c, v, fetch ? HV_RECORD_CORE_EXECUTE : HV_RECORD_CORE_WRITE, 0);
    }
    auto const now = m.stage.translate(v.at);
    if (!now) {
        bool const mapped{map_on_demand(m.stage, m.all, m.stage_types(), v.at)};
        return mapped ? outcome::retry : refuse(m, c, v, HV_RECORD_UNEXPECTED_EXIT, 0);
    }
    if (includes(now->allowed, rights_of(v.access))) return outcome::retry;    // changed meanwhile
    auto const by = m.rules().decide({event_kind::memory, v.access, v.at.raw, 0, 0, v.rip.raw});
    if (by.action == action::deny) return refuse(m, c, v, HV_RECORD_MEMORY_DENIED, by.rule);
    // Of a page that is watched for reading, what no rule names exits too.
    bool const known = by.rule != 0 || now->allowed == rights::none;
    if (!known || !open_page_for(m, c, v, by.action == action::allow))
        return refuse(m, c, v, HV_RECORD_UNEXPECTED_EXIT, by.rule);
    if (by.action == action::log)
        static_cast<void>(refuse(m, c, v, HV_RECORD_MEMORY_LOGGED, by.rule));
    return outcome::retry;
}

}    // namespace hv
