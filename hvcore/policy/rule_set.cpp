// SPDX-License-Identifier: MIT
#include "policy/rule_set.hpp"

namespace hv::policy {

status rule_set::load(span<hv_rule const> rules, std::uint32_t& culprit, bool sealed) {
    HV_ASSERT(rules.size() <= HV_MAX_RULES);
    count_ = 0;
    sealed_ = sealed;
    for (auto& side : msr_rule_) side = {};
    bit_rule_ = {};
    bit_mask_ = {};
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
        return decide_range(ranges_[msr], e, e.address, of_all, e.value);
    }
    case event_kind::cr:
        return decide_bits(e.address == 4 ? bit_group::cr4 : bit_group::cr0, e.value ^ e.old_value,
                           e);
    case event_kind::xcr:         return decide_bits(bit_group::xcr0, e.value ^ e.old_value, e);
    case event_kind::dtr:         return decide_bits(bit_group::tables, 1ull << e.address, e);
    case event_kind::instruction: return decide_bits(bit_group::instructions, 1ull << e.address, e);
    case event_kind::memory:      return decide_range(ranges_[memory], e, e.address, none, e.rip);
    case event_kind::io:
        return decide_range(ranges_[io], e, e.address + e.old_value - 1, none, e.rip);
    case event_kind::cpuid: break;    // all its rules count: each_about()
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
    switch (r.kind) {
    case HV_RULE_MSR:    return index_msr(number, r);
    case HV_RULE_MEMORY: index_range(number, ranges_[memory]); return true;
    case HV_RULE_IO:     index_range(number, ranges_[io]); return true;
    case HV_RULE_CPUID:  index_range(number, ranges_[cpuid]); return true;
    case HV_RULE_XCR:    return index_bits(number, r, bit_group::xcr0, r.mask);
    case HV_RULE_DTR:
        return index_bits(number, r, bit_group::tables, 3u >> (1 - r.last) & 3u << r.first);
    case HV_RULE_INSTRUCTION: return index_bits(number, r, bit_group::instructions, r.mask);
    default:                  break;
    }
    return index_bits(number, r, r.first == 4 ? bit_group::cr4 : bit_group::cr0, r.mask);
}

bool rule_set::index_bits(std::uint16_t number, hv_rule const& r, bit_group of,
                          std::uint64_t mask) {
    bool fits = true;
    auto const group = std::size_t(of);
    bit_mask_[group] |= mask;
    for (unsigned i = 0; i < 32; ++i)
        for (std::uint32_t row = 0; (mask >> i & 1) != 0 && row < rows; ++row)
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

std::uint16_t rule_set::stricter(std::uint16_t a, std::uint16_t b, std::uint64_t what) const {
    if (a == none || b == none) return a == none ? b : a;
    return verdict_of(b, what).action > verdict_of(a, what).action ? b : a;
}

verdict rule_set::verdict_of(std::uint16_t number, std::uint64_t what) const {
    if (number == none) return {};
    auto const& r = rules_[number - 1u];
    return {passes(r, what) ? action::allow : action_of(r), r.id, 0};
}

verdict rule_set::decide_bits(bit_group of, std::uint64_t touched, event const& e) const {
    touched &= bits(of);
    std::uint16_t worst = none;
    std::uint64_t kept = 0;
    auto const& row = bit_rule_[row_of(e.cpu)][std::size_t(of)];
    for (unsigned i = 0; i < 32; ++i) {
        if ((touched >> i & 1) == 0) continue;
        worst = stricter(worst, row[i], e.rip);
        if (verdict_of(row[i], e.rip).action == action::keep) kept |= 1ull << i;
    }
    auto by = verdict_of(worst, e.rip);
    if (by.action == action::keep) by.kept = kept;
    return by;
}

verdict rule_set::decide_range(range_index const& x, event const& e, std::uint64_t last,
                               std::uint16_t worst, std::uint64_t what) const {
    each_at(x, e.address, last, [&](std::uint16_t number) {
        auto const& r = rules_[number - 1u];
        if ((r.access & e.access) != 0 && on_cpu(r, e.cpu)) worst = stricter(worst, number, what);
    });
    return verdict_of(worst, what);
}

}    // namespace hv::policy
