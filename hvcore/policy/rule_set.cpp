// SPDX-License-Identifier: MIT
#include "policy/rule_set.hpp"

namespace hv::policy {

status rule_set::load(span<hv_rule const> rules, std::uint32_t& culprit, std::uint64_t reached) {
    HV_ASSERT(rules.size() <= HV_MAX_RULES);
    count_ = 0;
    reached_ = reached;
    for (auto& side : msr_rule_) side = {};
    bit_rule_ = {};
    bit_mask_ = moving_ = {};
    for (auto& x : ranges_) x.count = 0;
    any_msr_ = false;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        bool const twice = find(rules[i].id) != nullptr;
        rules_[i] = rules[i];
        auto const number = static_cast<std::uint16_t>(++count_);
        if (twice || (in_force(rules_[i]) && !index_rule(number, rules_[i]))) {
            culprit = static_cast<std::uint32_t>(i + 1);
            return error{errc::invalid};
        }
    }
    for (auto& x : ranges_) index_parts(x);
    return done;
}

hv_rule const* rule_set::find(std::uint32_t id) const {
    for (std::uint32_t i = 0; i < count_; ++i)
        if (rules_[i].id == id) return &rules_[i];
    return nullptr;
}

bool rule_set::includes(rule_set const& other, bool all) const {
    for (std::uint32_t i = 0; i < other.count_; ++i) {
        auto const& theirs = other.rules_[i];
        bool const stays = (theirs.flags & (HV_RULE_STAYS | HV_RULE_RATCHET)) != 0;
        if (!all && !(stays && other.in_force(theirs))) continue;
        auto const* const mine = find(theirs.id);
        if (mine == nullptr || !same(theirs, *mine)) return false;
    }
    return true;
}

bool rule_set::ratchets() const {
    for (std::uint32_t i = 0; i < count_; ++i)
        if ((rules_[i].flags & HV_RULE_RATCHET) != 0 && in_force(rules_[i])) return true;
    return false;
}

verdict rule_set::decide(event const& e) const {
    switch (e.kind) {
    case event_kind::msr: {
        if (!msr_has_slot(e.address)) return {};
        auto const slot = msr_slot(static_cast<std::uint32_t>(e.address));
        auto const of_all = msr_rule_[e.access == HV_ACCESS_WRITE][slot];
        return decide_range(ranges_[msr], e, e.address, of_all);
    }
    case event_kind::cr:
        return decide_bits(e.address == 4 ? bit_group::cr4 : bit_group::cr0, e.value ^ e.old_value,
                           e);
    case event_kind::xcr:         return decide_bits(bit_group::xcr0, e.value ^ e.old_value, e);
    case event_kind::dtr:         return decide_bits(bit_group::tables, 1ull << e.address, e);
    case event_kind::instruction: return decide_bits(bit_group::instructions, 1ull << e.address, e);
    case event_kind::memory:      return decide_range(ranges_[memory], e, e.address);
    case event_kind::io:          return decide_range(ranges_[io], e, e.address + e.old_value - 1);
    case event_kind::dr:
        return decide_bits(bit_group::dr,
                           e.address == 7 ? e.value ^ e.old_value : 1ull << (32 + e.address), e);
    case event_kind::guest: {
        auto const bytes = static_cast<std::uint32_t>(e.old_value);    // of I/O
        return decide_range(ranges_[guest], e, e.address + (bytes != 0 ? bytes - 1 : 0));
    }
    case event_kind::cpuid:
    case event_kind::vm:    break;    // all their rules count: each_about()
    }
    return {};
}

memory_run rule_set::memory_at(gpa at) const {
    memory_run run{.bytes = ~std::uint64_t{0} - at.raw};
    auto const& x = ranges_[memory];
    for (std::uint32_t i = 0; i < x.count; ++i) {
        auto const& r = rule(x, i);
        auto const change = r.first > at.raw ? r.first : r.last + 1;
        if (change > at.raw && change - at.raw < run.bytes) run.bytes = change - at.raw;
        if (r.first > at.raw) break;    // sorted: what follows starts later still
        if (r.last >= at.raw) run.watched |= r.access;
    }
    return run;
}

bool rule_set::index_rule(std::uint16_t number, hv_rule const& r) {
    bool const of_guests = (r.flags & HV_RULE_GUEST) != 0;
    if (r.kind == HV_RULE_MSR && !of_guests) return index_msr(number, r);
    auto const cr = r.first == 4 ? bit_group::cr4 : bit_group::cr0;
    switch (r.kind) {
    case HV_RULE_CR:          return index_bits(number, r, cr);
    case HV_RULE_XCR:         return index_bits(number, r, bit_group::xcr0);
    case HV_RULE_DTR:         return index_bits(number, r, bit_group::tables);
    case HV_RULE_INSTRUCTION: return index_bits(number, r, bit_group::instructions);
    case HV_RULE_DR:          return index_bits(number, r, bit_group::dr);
    default:                  break;
    }
    index_range(number, ranges_[of_guests ? guest : index_of(r.kind)]);
    return true;
}

bool rule_set::index_bits(std::uint16_t number, hv_rule const& r, bit_group of) {
    bool fits = true;
    auto const group = std::size_t(of);
    bit_mask_[group] |= r.mask;
    if ((r.flags & one_way) != 0) moving_[group] |= r.mask;
    for (unsigned i = 0; i < group_bits; ++i)
        for (std::uint32_t row = 0; (r.mask >> i & 1) != 0 && row < rows; ++row)
            if (on_cpu(r, row)) fits = take(bit_rule_[row][group][i], number) && fits;
    return fits;
}

bool rule_set::take(std::uint16_t& place, std::uint16_t number) {
    bool const fits = place == none || same_pass(rules_[place - 1u], rules_[number - 1u]);
    bool const first = place == none;
    if (first || action_of(rules_[number - 1u]) > action_of(rules_[place - 1u])) place = number;
    return fits;
}

bool rule_set::index_msr(std::uint16_t number, hv_rule const& r) {
    bool fits = true;
    any_msr_ = true;
    if (r.cpus != 0) {
        index_range(number, ranges_[msr]);
        return true;
    }
    auto const first = msr_slot(static_cast<std::uint32_t>(r.first));
    auto const last = msr_slot(static_cast<std::uint32_t>(r.last));
    for (unsigned write = 0; write < 2; ++write) {
        if ((r.access & (write != 0 ? HV_ACCESS_WRITE : HV_ACCESS_READ)) == 0) continue;
        for (auto slot = first; slot <= last; ++slot)
            fits = take(msr_rule_[write][slot], number) && fits;
    }
    return fits;
}

void rule_set::index_range(std::uint16_t number, range_index& x) {
    auto const first = rules_[number - 1u].first;
    auto i = x.count++;
    for (; i > 0 && rule(x, i - 1).first > first; --i) x.rules[i] = x.rules[i - 1];
    x.rules[i] = number;
}

void rule_set::index_parts(range_index& x) {
    x.lowest = x.count == 0 ? 0 : rule(x, 0).first;
    auto const highest = x.count == 0 ? 0 : rule(x, x.count - 1).first;
    for (x.shift = 0; (highest - x.lowest) >> x.shift >= x.parts;) ++x.shift;
    std::uint64_t reach = 0;
    std::uint32_t part = 0;
    for (std::uint32_t i = 0; i < x.count; ++i) {
        auto const& r = rule(x, i);
        for (; part <= (r.first - x.lowest) >> x.shift; ++part)
            x.part[part] = static_cast<std::uint16_t>(i);
        x.reach[i] = reach = r.last > reach ? r.last : reach;
    }
    for (; part <= x.parts; ++part) x.part[part] = static_cast<std::uint16_t>(x.count);
}

verdict rule_set::verdict_of(std::uint16_t number, event const& e, unsigned bit) const {
    if (number == none) return {};
    auto const& r = rules_[number - 1u];
    return {passes(r, e, bit) ? action::allow : action_of(r), r.id, 0};
}

/// The stricter of what two rules on one object say, or the first.
static verdict stricter(verdict a, verdict b) { return a.rule == 0 || b.action > a.action ? b : a; }

verdict rule_set::decide_bits(bit_group of, std::uint64_t touched, event const& e) const {
    touched &= bits(of);
    verdict worst;
    std::uint64_t kept = 0;
    auto const& row = bit_rule_[row_of(e.cpu)][std::size_t(of)];
    for (unsigned i = 0; i < group_bits; ++i) {
        if ((touched >> i & 1) == 0) continue;
        auto const by = verdict_of(row[i], e, i);
        worst = stricter(worst, by);
        if (by.action == action::keep) kept |= 1ull << i;
    }
    if (worst.action == action::keep) worst.kept = kept;
    return worst;
}

verdict rule_set::decide_range(range_index const& x, event const& e, std::uint64_t last,
                               std::uint16_t first) const {
    auto worst = verdict_of(first, e);
    each_at(x, e.address, last, [&](std::uint16_t number) {
        if (about(rules_[number - 1u], e)) worst = stricter(worst, verdict_of(number, e));
    });
    return worst;
}

}    // namespace hv::policy
