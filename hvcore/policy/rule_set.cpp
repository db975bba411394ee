// SPDX-License-Identifier: MIT
#include "policy/rule_set.hpp"

namespace hv::policy {

status rule_set::load(span<hv_rule const> rules, std::uint32_t& culprit) {
    HV_ASSERT(rules.size() <= HV_MAX_RULES);
    count_ = 0;
    memory_count_ = 0;
    for (auto& side : msr_rule_) side = {};
    for (auto& side : cr_rule_) side = {};
    cr_mask_ = {};
    table_rule_ = {};
    tables_ = 0;
    any_msr_ = false;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        bool const twice = find(rules[i].id) != nullptr;
        rules_[i] = rules[i];
        if (twice || !index_rule(static_cast<std::uint16_t>(++count_), rules_[i])) {
            culprit = static_cast<std::uint32_t>(i + 1);
            return error{errc::invalid};
        }
    }
    index_parts();
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
    case event_kind::cr:     return decide_cr(e);
    case event_kind::memory: return decide_memory(e);
    case event_kind::dtr:    return verdict_of(table_rule_[e.address], e.rip);
    }
    return {};
}

memory_run rule_set::memory_at(gpa at) const {
    memory_run run{.bytes = ~std::uint64_t{0} - at.raw};
    for (std::uint32_t i = 0; i < memory_count_; ++i) {
        auto const& r = memory_rule(i);
        auto const change = r.first > at.raw ? r.first : r.last + 1;
        if (change > at.raw && change - at.raw < run.bytes) run.bytes = change - at.raw;
        if (r.first > at.raw) break;    // sorted: what follows starts later still
        if (r.last >= at.raw) run.watched |= r.access;
    }
    return run;
}

bool rule_set::index_rule(std::uint16_t number, hv_rule const& r) {
    if (r.kind == HV_RULE_MSR) return index_msr(number, r);
    if (r.kind == HV_RULE_MEMORY) index_memory(number, r);
    bool fits = true;
    for (auto i = r.first; r.kind == HV_RULE_DTR && i <= r.last; ++i) {
        fits = take(table_rule_[i], number) && fits;
        tables_ |= 1u << i;
    }
    if (r.kind != HV_RULE_CR) return fits;
    bool const is_cr4 = r.first == 4;
    cr_mask_[is_cr4] |= r.mask;
    for (unsigned i = 0; i < 32; ++i)
        if ((r.mask >> i & 1) != 0) fits = take(cr_rule_[is_cr4][i], number) && fits;
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

void rule_set::index_memory(std::uint16_t number, hv_rule const& r) {
    auto i = memory_count_++;
    for (; i > 0 && memory_rule(i - 1).first > r.first; --i) memory_[i] = memory_[i - 1];
    memory_[i] = number;
}

void rule_set::index_parts() {
    lowest_ = memory_count_ == 0 ? 0 : memory_rule(0).first;
    auto const highest = memory_count_ == 0 ? 0 : memory_rule(memory_count_ - 1).first;
    for (part_shift_ = 12; (highest - lowest_) >> part_shift_ >= memory_parts;) ++part_shift_;
    std::uint64_t reach = 0;
    std::uint32_t part = 0;
    for (std::uint32_t i = 0; i < memory_count_; ++i) {
        auto const& r = memory_rule(i);
        for (; part <= (r.first - lowest_) >> part_shift_; ++part)
            part_[part] = static_cast<std::uint16_t>(i);
        reach = r.last > reach ? r.last : reach;
        reach_[i] = reach;
    }
    for (; part <= memory_parts; ++part) part_[part] = static_cast<std::uint16_t>(memory_count_);
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

verdict rule_set::decide_cr(event const& e) const {
    auto changed = (e.value ^ e.old_value) & cr_mask_[e.address == 4];
    std::uint16_t worst = none;
    for (unsigned i = 0; i < 32; ++i)
        if ((changed >> i & 1) != 0) worst = stricter(worst, cr_rule_[e.address == 4][i], e.rip);
    return verdict_of(worst, e.rip);
}

verdict rule_set::decide_memory(event const& e) const {
    if (e.address < lowest_) return {};
    auto part = (e.address - lowest_) >> part_shift_;
    if (part >= memory_parts) part = memory_parts - 1;
    // First rule that starts beyond the address; of a part, by bisection: it may hold all 1,024.
    std::uint32_t low = part_[part], high = part_[part + 1];
    for (unsigned step = 0; step < 11 && low < high; ++step) {
        auto const middle = low + (high - low) / 2;
        if (memory_rule(middle).first <= e.address)
            low = middle + 1;
        else
            high = middle;
    }
    std::uint16_t worst = none;
    for (auto i = low; i > 0 && reach_[i - 1] >= e.address; --i) {
        auto const& r = memory_rule(i - 1);
        if (r.last >= e.address && (r.access & e.access) != 0)
            worst = stricter(worst, memory_[i - 1], e.rip);
    }
    return verdict_of(worst, e.rip);
}

}    // namespace hv::policy
