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
    any_msr_ = false;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        for (std::uint32_t seen = 0; seen < count_; ++seen)
            if (rules_[seen].id == rules[i].id) {
                culprit = static_cast<std::uint32_t>(i + 1);
                return error{errc::invalid};
            }
        rules_[i] = rules[i];
        index_rule(static_cast<std::uint16_t>(++count_), rules_[i]);
    }
    std::uint64_t reach = 0;
    for (std::uint32_t i = 0; i < memory_count_; ++i) {
        auto const last = rules_[memory_[i] - 1u].last;
        reach = last > reach ? last : reach;
        reach_[i] = reach;
    }
    return done;
}

bool rule_set::includes(rule_set const& other) const {
    for (std::uint32_t i = 0; i < other.count_; ++i) {
        bool found = false;
        for (std::uint32_t j = 0; j < count_ && !found; ++j)
            found = same(other.rules_[i], rules_[j]);
        if (!found) return false;
    }
    return true;
}

verdict rule_set::decide(event const& e) const {
    switch (e.kind) {
    case event_kind::msr: {
        if (!msr_has_slot(e.address)) return {};
        auto const slot = msr_slot(static_cast<std::uint32_t>(e.address));
        return verdict_of(msr_rule_[e.access == HV_ACCESS_WRITE][slot]);
    }
    case event_kind::cr:     return decide_cr(e);
    case event_kind::memory: return decide_memory(e);
    }
    return {};
}

memory_run rule_set::memory_at(gpa at) const {
    memory_run run{.bytes = ~std::uint64_t{0} - at.raw};
    for (std::uint32_t i = 0; i < memory_count_; ++i) {
        auto const& r = rules_[memory_[i] - 1u];
        auto const change = r.first > at.raw ? r.first : r.last + 1;
        if (change > at.raw && change - at.raw < run.bytes) run.bytes = change - at.raw;
        if (r.first > at.raw) break;    // sorted: what follows starts later still
        if (r.last >= at.raw) run.watched |= r.access;
    }
    return run;
}

void rule_set::index_rule(std::uint16_t number, hv_rule const& r) {
    if (r.kind == HV_RULE_MSR) index_msr(number, r);
    if (r.kind == HV_RULE_MEMORY) index_memory(number, r);
    if (r.kind != HV_RULE_CR) return;
    bool const is_cr4 = r.first == 4;
    cr_mask_[is_cr4] |= r.mask;
    for (unsigned i = 0; i < 32; ++i)
        if ((r.mask >> i & 1) != 0) cr_rule_[is_cr4][i] = stricter(cr_rule_[is_cr4][i], number);
}

void rule_set::index_msr(std::uint16_t number, hv_rule const& r) {
    any_msr_ = true;
    auto const first = msr_slot(static_cast<std::uint32_t>(r.first));
    auto const last = msr_slot(static_cast<std::uint32_t>(r.last));
    for (unsigned write = 0; write < 2; ++write) {
        if ((r.access & (write != 0 ? HV_ACCESS_WRITE : HV_ACCESS_READ)) == 0) continue;
        for (auto slot = first; slot <= last; ++slot)
            msr_rule_[write][slot] = stricter(msr_rule_[write][slot], number);
    }
}

void rule_set::index_memory(std::uint16_t number, hv_rule const& r) {
    auto i = memory_count_++;
    for (; i > 0 && rules_[memory_[i - 1] - 1u].first > r.first; --i) memory_[i] = memory_[i - 1];
    memory_[i] = number;
}

std::uint16_t rule_set::stricter(std::uint16_t a, std::uint16_t b) const {
    if (a == none || b == none) return a == none ? b : a;
    bool const only_b_denies = action_of(rules_[b - 1u]) == action::deny &&
                               action_of(rules_[a - 1u]) != action::deny;
    return only_b_denies ? b : a;
}

verdict rule_set::verdict_of(std::uint16_t number) const {
    if (number == none) return {};
    auto const& r = rules_[number - 1u];
    return {action_of(r), r.id};
}

verdict rule_set::decide_cr(event const& e) const {
    auto changed = (e.value ^ e.old_value) & cr_mask_[e.address == 4];
    std::uint16_t worst = none;
    for (unsigned i = 0; i < 32; ++i)
        if ((changed >> i & 1) != 0) worst = stricter(worst, cr_rule_[e.address == 4][i]);
    return verdict_of(worst);
}

verdict rule_set::decide_memory(event const& e) const {
    // First rule that starts beyond the address, by bisection; 11 steps reach 1,024 rules.
    std::uint32_t low = 0;
    auto high = memory_count_;
    for (unsigned step = 0; step < 11 && low < high; ++step) {
        auto const middle = low + (high - low) / 2;
        if (rules_[memory_[middle] - 1u].first <= e.address)
            low = middle + 1;
        else
            high = middle;
    }
    std::uint16_t worst = none;
    for (auto i = low; i > 0 && reach_[i - 1] >= e.address; --i) {
        auto const& r = rules_[memory_[i - 1] - 1u];
        if (r.last >= e.address && (r.access & e.access) != 0)
            worst = stricter(worst, memory_[i - 1]);
    }
    return verdict_of(worst);
}

}    // namespace hv::policy
