// SPDX-License-Identifier: MIT
#pragma once
#include "root/memory_event.hpp"
#include "vcpu/msr_table.hpp"

namespace hv {

/// What is watched at `at`, and how far that stays so, over the edges of rules that change nothing,
/// but at most for `most` bytes.
inline policy::memory_run same_rights(policy::rule_set const& rules, gpa at, std::uint64_t most) {
    auto run = rules.memory_at(at);
    for (unsigned step = 0; step <= 2 * HV_MAX_RULES && run.bytes < most; ++step) {
        auto const next = rules.memory_at(at + run.bytes);
        if (next.watched != run.watched) break;
        run.bytes += next.bytes;
    }
    if (run.bytes > most) run.bytes = most;
    return run;
}

/// Give the memory that the rules of `where` name the rights that `rules` leave.
/// Errors   no_memory: a leaf must be split, and there is no table. What came before stays changed.
template <typename Machine>
status apply_memory(Machine& m, policy::rule_set const& rules, policy::rule_set const& where) {
    for (std::size_t i = 0; i < where.size(); ++i) {
        if (where[i].kind != HV_RULE_MEMORY || !where.in_force(where[i])) continue;
        auto at = where[i].first;
        for (unsigned step = 0; step <= 2 * HV_MAX_RULES && at <= where[i].last; ++step) {
            auto const run = same_rights(rules, gpa{at}, where[i].last + 1 - at);
            HV_TRY(m.stage.protect({gpa{at}, run.bytes}, unwatched(run.watched)));
            at += run.bytes;
        }
    }
    return done;
}

template <typename Machine> void merge_memory(Machine& m, policy::rule_set const& where) {
    for (std::size_t i = 0; i < where.size(); ++i)
        if (where[i].kind == HV_RULE_MEMORY && where.in_force(where[i]))
            m.stage.merge({gpa{where[i].first}, where[i].last + 1 - where[i].first});
}

/// What the CPUs must be able to exit on for the rule: watchable_…, and instructions.
constexpr std::uint64_t exits_for(hv_rule const& r) {
    if (r.kind == HV_RULE_DTR) return watchable_tables;
    if (r.kind == HV_RULE_DR) return watchable_debug;
    if (r.kind == HV_RULE_IO) return (r.flags & HV_RULE_GUEST) != 0 ? 0 : watchable_ports;
    return r.kind == HV_RULE_INSTRUCTION ? r.mask : 0;
}

/// Whether this machine can enforce the rule: checked here, because a rule that cannot be kept is
/// refused.
template <typename Machine, typename Cpu>
status enforceable(Machine& m, Cpu const& c, hv_rule const& r) {
    HV_TRY(policy::check(r, m.stage.limits().top()));
    if ((exits_for(r) & ~m.exits) != 0) return error{errc::invalid};
    if (misses_guest_msr(r)) return error{errc::invalid};
    if (r.kind == HV_RULE_XCR && !c.has.xsave) return error{errc::invalid};
    if (r.kind != HV_RULE_MEMORY) return done;
    if (m.all.touches({hpa{r.first}, r.last + 1 - r.first})) return error{errc::invalid};
    // A guest that has the memory already would not ask the rule.
    if (m.guests.reach({hpa{r.first}, r.last + 1 - r.first})) return error{errc::busy};
    bool const opens = r.action == HV_ACTION_LOG || (r.flags & HV_RULE_PASSES) != 0;
    if (opens && !m.time_slices) return error{errc::invalid};
    gpa_span const at{gpa{r.first}, r.last + 1 - r.first};
    if (!m.stage.protect_cost(at, rights::read)) return error{errc::invalid};    // not all there
    return done;
}

/// The value that may still be written to an MSR which is to stay as it is: what it had when the
/// rule came into force.
/// Errors   invalid: it cannot be read.
template <typename Machine, typename Cpu> status keep_value(Machine& m, Cpu& c, hv_rule& r) {
    if ((r.flags & HV_RULE_UNCHANGED) == 0 || !policy::in_force(r, m.reached)) return done;
    auto const* const before = m.rules().find(r.id);
    std::uint64_t value = 0;
    if (before != nullptr && before->flags == r.flags && before->first == r.first &&
        m.rules().in_force(*before))
        value = before->pass_first;
    else if (!c.read_msr(static_cast<std::uint32_t>(r.first), value))
        return error{errc::invalid};
    r.pass_first = r.pass_last = value;
    return done;
}

/// Copy `count` rules out of the mailbox, once.
template <typename Machine> status fetch_rules(Machine& m, std::uint64_t count) {
    if (count > HV_MAX_RULES) return error{errc::invalid};
    auto const* from = reinterpret_cast<std::uint64_t const volatile*>(m.mailbox.raw);
    auto* to = reinterpret_cast<std::uint64_t*>(m.arrived.begin());
    for (std::uint64_t i = 0; i < count * (sizeof(hv_rule) / 8); ++i) to[i] = from[i];
    return done;
}

/// Check the first `count` of the rules that have arrived, each by itself.
template <typename Machine, typename Cpu>
status check_rules(Machine& m, Cpu& c, std::uint64_t count, std::uint32_t& culprit) {
    for (std::uint64_t i = 0; i < count; ++i) {
        culprit = static_cast<std::uint32_t>(i + 1);
        HV_TRY(enforceable(m, c, m.arrived[i]));
        HV_TRY(keep_value(m, c, m.arrived[i]));
    }
    culprit = 0;
    return done;
}

/// Replace the set in force by the rules that have arrived. The machine's lock is held.
template <typename Machine, typename Cpu>
status put_in_force(Machine& m, Cpu& c, std::uint64_t count, std::uint32_t& culprit) {
    HV_TRY(check_rules(m, c, count, culprit));
    auto& now = m.rules();
    auto& next = m.staged_rules();
    HV_TRY(next.load({m.arrived.begin(), count}, culprit, m.reached));
    if (!next.includes(now, m.locked.load() != 0)) return error{errc::perm};
    close_pages(m, c, true);
    // First what the new rules ask for: an error then takes nothing from the old ones.
    auto applied = apply_memory(m, next, next);
    if (applied) applied = apply_memory(m, next, now);
    if (!applied) {
        // What was changed has its tables by now; what was not has its old rights, and stays whole.
        HV_ASSERT(apply_memory(m, now, next) && apply_memory(m, now, now));
        merge_memory(m, next);
        HV_ASSERT(shoot_down(m, c));
        return applied.error();
    }
    merge_memory(m, now);
    auto const seen = c.seen_registers();
    m.pinned.cr0 = (m.pinned.cr0 & now.cr_mask(0)) | (seen.cr0 & ~now.cr_mask(0));
    m.pinned.cr4 = (m.pinned.cr4 & now.cr_mask(4)) | (seen.cr4 & ~now.cr_mask(4));
    m.active_rules.store(1 - m.active_rules.load());
    m.msrs->build(m.rules());
    m.ports->build(m.rules());
    return shoot_down(m, c);
}

/// Replace the set in force by the `count` rules in the mailbox, on all CPUs, before it returns.
/// culprit  1-based number of the rule that is not sound, on `invalid`.
/// Errors   invalid; no_memory: pool empty; perm: a rule in force is missing that stays, or the set
///          is locked. Nothing changed.
template <typename Machine, typename Cpu>
status load_policy(Machine& m, Cpu& c, std::uint64_t count, std::uint64_t generation,
                   std::uint32_t& culprit) {
    auto const hold = hold_machine(m, c);
    HV_TRY(fetch_rules(m, count));
    HV_TRY(put_in_force(m, c, count, culprit));
    m.generation = generation;
    record_plain(c.common(), HV_RECORD_POLICY_LOADED, generation, count);
    return done;
}

/// Put the rules in force that wait for `marker`, in the same way. Errors as of load_policy().
template <typename Machine, typename Cpu>
status mark_policy(Machine& m, Cpu& c, std::uint64_t marker, std::uint32_t& culprit) {
    auto const hold = hold_machine(m, c);
    if (marker == 0 || marker >= HV_MARKERS) return error{errc::invalid};
    if ((m.reached >> marker & 1) != 0) return done;
    auto const count = m.rules().size();
    for (std::size_t i = 0; i < count; ++i) m.arrived[i] = m.rules()[i];
    m.reached |= 1ull << marker;
    auto const marked = put_in_force(m, c, count, culprit);
    if (!marked) m.reached &= ~(1ull << marker);
    if (marked) record_plain(c.common(), HV_RECORD_POLICY_MARKED, marker, count);
    return marked;
}

}    // namespace hv
