// SPDX-License-Identifier: MIT
#include "policy/rule_set.hpp"

namespace hv::policy {

status rule_set::load(span<hv_rule const> rules, std::uint32_t& culprit) {
    HV_ASSERT(rules.size() <= HV_MAX_RULES);
    count_ = 0;
    for (auto& side : msr_rule_) side = {};
    bit_rule_ = {};
    bit_mask_ = {};
    for (auto& x : ranges_) x.count = 0;
    any_msr_ = false;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        bool const twice = find(rules[i].id) != nullptr;
        rules_[i] = rules[i];
        if (twice || !index_rule(static_cast<std::uint16_t>(++count_), rules_[i])) {
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

bool rule_set::includes(rule_set const& other) const {
    for (std::uint32_t i = 0; i < other.count_; ++i) {
        auto const* const mine = find(other.rules_[i].id);
        if (mine == nullptr || !same(other.rules_[i], *mine)) return false;
    }
    return true;
}

verdict rule_set::decide(event const& e) const {
    switch (e.kind) {
    case event_kind::msr: {
        if (!msr_has_slot(e.address)) return {};
        auto const slot = msr_slot(static_cast<std::uint32_t>(e.address));
        return verdict_of(msr_rule_[e.access == HV_ACCESS_WRITE][slot], e.value);
    }
    case event_kind::cr:
        return decide_bits(e.address == 4 ? bit_group::cr4 : bit_group::cr0, e.value ^ e.old_value,
                           e.rip);
    case event_kind::xcr: return decide_bits(bit_group::xcr0, e.value ^ e.old_value, e.rip);
    case event_kind::dtr: return decide_bits(bit_group::tables, 1ull << e.address, e.rip);
    case event_kind::instruction:
        return decide_bits(bit_group::instructions, 1ull << e.address, e.rip);
    case event_kind::memory: return decide_range(ranges_[memory], e, e.address);
    case event_kind::io:     return decide_range(ranges_[io], e, e.address + e.old_value - 1);
    case event_kind::cpuid:  break;    // all its rules count: each_about()
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
    case HV_RULE_XCR:    return index_bits(number, bit_group::xcr0, r.mask);
    case HV_RULE_DTR:
        return index_bits(number, bit_group::tables, 3u >> (1 - r.last) & 3u << r.first);
    case HV_RULE_INSTRUCTION: return index_bits(number, bit_group::instructions, r.mask);
    default:                  break;
    }
    return index_bits(number, r.first == 4 ? bit_group::cr4 : bit_group::cr0, r.mask);
}

bool rule_set::index_bits(std::uint16_t number, bit_group of, std::uint64_t mask) {
    bool fits = true;
    bit_mask_[std::size_t(of)] |= mask;
    for (unsigned i = 0; i < 32; ++i)
        if ((mask >> i & 1) != 0) fits = take(bit_rule_[std::size_t(of)][i], number) && fits;
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
    return {passes(r, what) ? action::allow : action_of(r), r.id};
}

verdict rule_set::decide_bits(bit_group of, std::uint64_t touched, std::uint64_t rip) const {
    touched &= bits(of);
    std::uint16_t worst = none;
    for (unsigned i = 0; i < 32; ++i)
        if ((touched >> i & 1) != 0) worst = stricter(worst, bit_rule_[std::size_t(of)][i], rip);
    return verdict_of(worst, rip);
}

verdict rule_set::decide_range(range_index const& x, event const& e, std::uint64_t last) const {
    std::uint16_t worst = none;
    each_at(x, e.address, last, [&](std::uint16_t number) {
        if ((rules_[number - 1u].access & e.access) != 0) worst = stricter(worst, number, e.rip);
    });
    return verdict_of(worst, e.rip);
}

}    // namespace hv::policy
