// SPDX-License-Identifier: MIT
#include "daemon/policy/rule_book.hpp"

#include <gtest/gtest.h>

#include "temporary_folder.hpp"

namespace hv {
namespace {

compiled_policy make_policy(std::string const& name, std::vector<std::uint64_t> const& msrs,
                            unsigned action = HV_ACTION_DENY) {
    compiled_policy policy;
    policy.name = name;
    policy.path = "/etc/" + name + ".json";
    for (auto const msr : msrs) {
        compiled_rule rule;
        rule.name = "m" + std::to_string(msr);
        rule.rule.kind = HV_RULE_MSR;
        rule.rule.action = static_cast<std::uint16_t>(action);
        rule.rule.access = HV_ACCESS_WRITE;
        rule.rule.first = rule.rule.last = msr;
        rule.place = policy.path + ":1:1";
        policy.rules.push_back(rule);
    }
    return policy;
}

enforced_policies as_enforced(rule_book const& book) { return {false, 0, book.rules()}; }

TEST(rule_book, gives_each_rule_an_id_of_its_own) {
    auto const book = rule_book{}.with(make_policy("a", {1, 2})).with(make_policy("b", {3}));
    auto const rules = book.rules();
    EXPECT_EQ(rules.at(0).rules.at(0).id, 1u);
    EXPECT_EQ(rules.at(0).rules.at(1).id, 2u);
    EXPECT_EQ(rules.at(1).rules.at(0).id, 3u);
    EXPECT_EQ(book.name_of(3)->policy, "b");
    EXPECT_EQ(book.name_of(3)->rule, "m3");
    EXPECT_EQ(book.name_of(4), nullptr);
}

TEST(rule_book, keeps_the_id_of_an_unchanged_rule_and_never_uses_one_twice) {
    auto const first = rule_book{}.with(make_policy("a", {1, 2}));
    auto const second = first.with(make_policy("a", {2, 9}));
    EXPECT_EQ(second.rules().at(0).rules.at(0).id, 2u);
    EXPECT_EQ(second.rules().at(0).rules.at(1).id, 3u);
    auto const third = second.without("a").with(make_policy("a", {1}));
    EXPECT_EQ(third.rules().at(0).rules.at(0).id, 4u);
    EXPECT_EQ(third.name_of(1)->rule, "m1") << "records of a rule that is gone keep its name";
}

TEST(rule_book, refuses_contradictions_between_policies) {
    auto const book = rule_book{}.with(make_policy("a", {1}));
    EXPECT_EQ(
        refusal_of<policy_error>([&] { (void)book.with(make_policy("b", {1}, HV_ACTION_LOG)); }),
        "/etc/b.json:1:1: rule \"m1\" (log) contradicts rule \"m1\" (deny) at "
        "/etc/a.json:1:1: both are about write of msr 0x1: change one of them");
    EXPECT_NO_THROW((void)book.with(make_policy("a", {1}, HV_ACTION_LOG)));
}

TEST(rule_book, holds_as_many_rules_as_the_core) {
    std::vector<std::uint64_t> many(HV_MAX_RULES);
    for (std::size_t i = 0; i < many.size(); ++i) {
        many[i] = i;
    }
    auto const full = rule_book{}.with(make_policy("a", many));
    EXPECT_NE(refusal_of<policy_error>([&] {
                  (void)full.with(make_policy("b", {5000}));
              }).find("1025 rules"),
              std::string::npos);
}

TEST(rule_book, comes_back_from_its_own_json) {
    auto const book = rule_book{}.with(make_policy("a", {1, 2})).with(make_policy("b", {3}));
    auto const again = rule_book::from_json(book.to_json()).adjusted_to(as_enforced(book));
    EXPECT_EQ(again.to_json(), book.to_json());
    EXPECT_EQ(again.find("a")->path, "/etc/a.json");
    EXPECT_EQ(again.with(make_policy("c", {9})).rules().back().rules.back().id, 4u);
}

TEST(rule_book, believes_nothing_of_a_damaged_file) {
    auto const text = rule_book{}.with(make_policy("a", {1, 2})).to_json();
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const book = rule_book::from_json(text.substr(0, i));
        EXPECT_TRUE(book.policies().empty());
    }
    EXPECT_TRUE(rule_book::from_json("[]").policies().empty());
}

TEST(rule_book, what_hv_ko_enforces_is_the_truth) {
    auto const saved = rule_book{}.with(make_policy("a", {1})).with(make_policy("gone", {2}));
    auto enforced = as_enforced(rule_book{}.with(make_policy("a", {1, 7})));
    enforced.policies[0].rules[1].id = 77;
    auto const book = saved.adjusted_to(enforced);
    ASSERT_EQ(book.policies().size(), 1u);
    auto const& rules = book.policies()[0].rules;
    EXPECT_EQ(rules.at(0).name, "m1");
    EXPECT_EQ(rules.at(1).name, "rule-77");
    EXPECT_EQ(rules.at(1).object, "msr 0x7");
    EXPECT_EQ(book.name_of(2)->policy, "gone");
    EXPECT_EQ(book.with(make_policy("b", {9})).rules().back().rules.back().id, 78u);
}

TEST(rule_book, an_empty_one_is_sent_as_an_empty_set) {
    EXPECT_TRUE(rule_book{}.with(make_policy("a", {1})).emptied().rules().empty());
}

}
}
