// SPDX-License-Identifier: MIT
#pragma once
// A set of rules, and a model that just goes through all of them.
#include "hoisted.hpp"
#include "policy/rule_set.hpp"
#include <gtest/gtest.h>
#include <memory>

using namespace hv;
using fake::cr_rule, fake::memory_rule, fake::msr_rule, fake::passing, fake::table_rule;

inline namespace rules_and_model {

inline constexpr std::uint32_t R = HV_ACCESS_READ, W = HV_ACCESS_WRITE, X = HV_ACCESS_EXECUTE;

class rule_set : public testing::Test {
protected:
    void load(std::vector<hv_rule> const& rules) {
        rules_ = rules;
        std::uint32_t culprit = 0;
        ASSERT_TRUE(set_->load({rules_.data(), rules_.size()}, culprit));
    }
    [[nodiscard]] verdict msr(std::uint64_t index, std::uint32_t access) const {
        return set_->decide({event_kind::msr, access, index, 0, 0});
    }
    [[nodiscard]] verdict memory(std::uint64_t at, std::uint32_t access) const {
        return set_->decide({event_kind::memory, access, at, 0, 0});
    }
    [[nodiscard]] verdict cr(std::uint64_t number, std::uint64_t from, std::uint64_t to) const {
        return set_->decide({event_kind::cr, W, number, to, from});
    }
    static bool applies(hv_rule const& r, event const& e) {
        if (policy::passes(r, e)) return false;
        if (!policy::on_cpu(r, e.cpu)) return false;
        switch (e.kind) {
        case event_kind::dtr: return r.kind == HV_RULE_DTR && (r.mask >> e.address & 1) != 0;
        case event_kind::msr:
            return r.kind == HV_RULE_MSR && (r.access & e.access) != 0 && e.address >= r.first &&
                   e.address <= r.last;
        case event_kind::memory:
            return r.kind == HV_RULE_MEMORY && (r.access & e.access) != 0 && e.address >= r.first &&
                   e.address <= r.last;
        case event_kind::cr:
            return r.kind == HV_RULE_CR && r.first == e.address &&
                   ((e.value ^ e.old_value) & r.mask) != 0;
        case event_kind::xcr:
            return r.kind == HV_RULE_XCR && ((e.value ^ e.old_value) & r.mask) != 0;
        case event_kind::io:
            return r.kind == HV_RULE_IO && (r.access & e.access) != 0 &&
                   e.address + e.old_value > r.first && e.address <= r.last;
        case event_kind::instruction:
            return r.kind == HV_RULE_INSTRUCTION && (r.mask >> e.address & 1) != 0;
        case event_kind::cpuid:
        case event_kind::dr:
        case event_kind::vm:
        case event_kind::guest: break;
        }
        return false;
    }
    /// The model: deny wins; the rule named is one of those that lead to the action.
    void expect_as_the_model(event const& e) const {
        auto worst = action::allow;
        for (auto const& r : rules_)
            if (applies(r, e)) worst = std::max(worst, policy::action_of(r));
        auto const got = set_->decide(e);
        ASSERT_EQ(got.action, worst);
        if (worst == action::allow) {    // no rule, or one whose exception it is
            auto const* const by = set_->find(got.rule);
            ASSERT_TRUE(got.rule == 0 || (by != nullptr && !applies(*by, e)));
            return;
        }
        bool named = false;
        for (auto const& r : rules_)
            named = named || (r.id == got.rule && policy::action_of(r) == worst && applies(r, e));
        ASSERT_TRUE(named) << "rule " << got.rule;
    }
    std::unique_ptr<policy::rule_set> set_ = std::make_unique<policy::rule_set>();
    std::vector<hv_rule> rules_;
};

}    // namespace rules_and_model
