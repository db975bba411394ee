// SPDX-License-Identifier: MIT
// The rules in force: look-ups against a model that just goes through all of them.
#include "policy_rule_set.hpp"
#include <random>

TEST_F(rule_set, allows_everything_when_empty) {
    load({});
    EXPECT_EQ(msr(0x10, W).action, action::allow);
    EXPECT_EQ(memory(0x1000, W | X).action, action::allow);
    EXPECT_EQ(cr(4, 0, ~0ull).action, action::allow);
    EXPECT_EQ(set_->memory_at(gpa{0x1234000}).watched, 0u);
    EXPECT_EQ(set_->size(), 0u);
}

TEST_F(rule_set, knows_both_ends_of_a_range) {
    load({msr_rule(1, 0x10, 0x20), msr_rule(2, 0xc0000080, 0xc0001fff, HV_ACTION_LOG, R),
          memory_rule(3, 0x1000, 0x2fff)});
    for (auto const& [index, rule] : std::initializer_list<std::pair<std::uint64_t, std::uint32_t>>{
             {0xf, 0}, {0x10, 1}, {0x20, 1}, {0x21, 0}})
        EXPECT_EQ(msr(index, W).rule, rule);
    EXPECT_EQ(msr(0x10, R).rule, 0u);
    EXPECT_EQ(msr(0xc000007f, R).rule, 0u);
    EXPECT_EQ(msr(0xc0000080, R).rule, 2u);
    EXPECT_EQ(msr(0xc0001fff, R).rule, 2u);
    EXPECT_EQ(msr(0xc0002000, R).rule, 0u) << "outside the bitmap there are no rules";
    EXPECT_EQ(msr(0x2000, W).rule, 0u);
    for (auto const& [at, rule] : std::initializer_list<std::pair<std::uint64_t, std::uint32_t>>{
             {0xfff, 0}, {0x1000, 3}, {0x2fff, 3}, {0x3000, 0}})
        EXPECT_EQ(memory(at, W).rule, rule);
}

TEST_F(rule_set, lets_deny_win_in_any_order) {
    auto const log = msr_rule(1, 0x10, 0x10, HV_ACTION_LOG), deny = msr_rule(2, 0x10, 0x10);
    for (auto const& rules : {std::vector{log, deny}, std::vector{deny, log}}) {
        load(rules);
        EXPECT_EQ(msr(0x10, W).action, action::deny);
        EXPECT_EQ(msr(0x10, W).rule, 2u);
    }
    auto const page_log = memory_rule(1, 0x1000, 0x1fff, HV_ACTION_LOG),
               page_deny = memory_rule(2, 0, 0x3fff);
    for (auto const& rules : {std::vector{page_log, page_deny}, std::vector{page_deny, page_log}}) {
        load(rules);
        EXPECT_EQ(memory(0x1000, W).rule, 2u);
    }
    load({cr_rule(1, 4, 3, HV_ACTION_LOG), cr_rule(2, 4, 2)});
    EXPECT_EQ(cr(4, 0, 1).rule, 1u);
    EXPECT_EQ(cr(4, 0, 3).rule, 2u);
}

TEST_F(rule_set, watches_changes_of_bits_only) {
    load({cr_rule(1, 0, 1 << 16), cr_rule(2, 4, 1u << 31 | 1)});
    EXPECT_EQ(cr(0, 1 << 16, 1 << 16).action, action::allow);
    EXPECT_EQ(cr(0, 1 << 16, 0).rule, 1u);
    EXPECT_EQ(cr(0, 0, 1 << 16).rule, 1u);
    EXPECT_EQ(cr(0, 0, ~(1ull << 16)).action, action::allow);
    EXPECT_EQ(cr(4, 0, 1u << 31).rule, 2u);
    EXPECT_EQ(set_->cr_mask(0), 1u << 16);
    EXPECT_EQ(set_->cr_mask(4), 1u << 31 | 1u);
}

TEST_F(rule_set, knows_which_tables_are_held) {
    load({table_rule(1, HV_TABLE_IDT, HV_TABLE_IDT), table_rule(2, 0, 1, HV_ACTION_LOG)});
    EXPECT_EQ(set_->bits(policy::bit_group::tables), 3u);
    for (std::uint64_t table : {0u, 1u}) expect_as_the_model({event_kind::dtr, W, table, 5, 6});
    load({table_rule(1, HV_TABLE_IDT, HV_TABLE_IDT)});
    EXPECT_EQ(set_->bits(policy::bit_group::tables), 2u);
}

TEST_F(rule_set, agrees_with_the_model_on_ports_and_instructions) {
    std::mt19937_64 random{3};
    for (unsigned round = 0; round < 60; ++round) {
        std::vector<hv_rule> rules;
        for (std::uint32_t i = 0, count = std::uint32_t(random() % 40); i < count; ++i) {
            auto const what = static_cast<std::uint16_t>(random() % 2 != 0 ? HV_ACTION_DENY
                                                                           : HV_ACTION_LOG);
            auto const low = random() % 64;
            if (random() % 2 == 0)
                rules.push_back(fake::io_rule(i + 1, low, low + random() % 8, what,
                                              std::uint32_t(1 + random() % 3)));
            else if (random() % 2 == 0)
                rules.push_back(fake::xcr_rule(i + 1, 1 + random() % 0xff, what));
            else
                rules.push_back(fake::instruction_rule(i + 1, 1 + random() % 0x1ff, what));
        }
        load(rules);
        for (std::uint64_t n = 0; n < 80; ++n)
            for (std::uint64_t const bytes : {1u, 2u, 4u})
                for (auto const access : {R, W})
                    expect_as_the_model({event_kind::io, access, n, 0, bytes});
        for (std::uint64_t n = 0; n < HV_INSTRUCTION_COUNT; ++n)
            expect_as_the_model({event_kind::instruction, X, n});
        for (unsigned n = 0; n < 50; ++n)
            expect_as_the_model({event_kind::xcr, W, 0, random() & 0xff, random() & 0xff});
    }
}

TEST_F(rule_set, forgets_the_rules_before) {
    load({msr_rule(1, 0, 0x1fff), memory_rule(2, 0, 0xffff), cr_rule(3, 0, 1)});
    load({msr_rule(4, 5, 5)});
    EXPECT_EQ(msr(6, W).action, action::allow);
    EXPECT_EQ(msr(5, W).rule, 4u);
    EXPECT_EQ(memory(0, W).action, action::allow);
    EXPECT_EQ(set_->cr_mask(0), 0u);
    EXPECT_EQ(set_->memory_at(gpa{}).watched, 0u);
}

TEST_F(rule_set, names_the_second_of_two_with_one_id) {
    std::vector<hv_rule> const rules{msr_rule(7, 0, 0), msr_rule(8, 1, 1),
                                     memory_rule(7, 0, 0xfff)};
    std::uint32_t culprit = 0;
    EXPECT_FALSE(set_->load({rules.data(), rules.size()}, culprit));
    EXPECT_EQ(culprit, 3u);
}

TEST_F(rule_set, compares_whole_rules_for_the_ratchet) {
    auto const a = msr_rule(1, 0, 9), b = memory_rule(2, 0, 0xfff), c = cr_rule(3, 4, 1);
    auto const includes = [](std::vector<hv_rule> const& big, std::vector<hv_rule> const& small) {
        auto x = std::make_unique<policy::rule_set>(), y = std::make_unique<policy::rule_set>();
        std::uint32_t culprit = 0;
        EXPECT_TRUE(x->load({big.data(), big.size()}, culprit) &&
                    y->load({small.data(), small.size()}, culprit));
        return x->includes(*y, true);
    };
    EXPECT_TRUE(includes({a, b, c}, {c, a}));
    EXPECT_TRUE(includes({a}, {}));
    EXPECT_FALSE(includes({a, b}, {a, b, c}));
    for (auto const change :
         {+[](hv_rule& r) { r.id = 9; }, +[](hv_rule& r) { r.first = 0x1000; },
          +[](hv_rule& r) { r.last += 0x1000; }, +[](hv_rule& r) { r.action = HV_ACTION_LOG; },
          +[](hv_rule& r) { r.access = W | X; }, +[](hv_rule& r) { r.mask = 1; },
          +[](hv_rule& r) { r.kind = HV_RULE_MSR; }, +[](hv_rule& r) { r.flags = HV_RULE_PASSES; },
          +[](hv_rule& r) { r = passing(r, 0, 1); }, +[](hv_rule& r) { r.cpus = 1; },
          +[](hv_rule& r) { r.flags = HV_RULE_STAYS; }}) {
        auto other = b;
        change(other);
        EXPECT_FALSE(includes({a, other}, {b}));
    }
}

TEST_F(rule_set, agrees_with_the_model_on_random_sets) {
    std::mt19937_64 random{1};
    for (unsigned round = 0; round < 60; ++round) {
        std::vector<hv_rule> rules;
        for (std::uint32_t i = 0, count = std::uint32_t(random() % 60); i < count; ++i) {
            auto const what = static_cast<std::uint16_t>(random() % 2 != 0 ? HV_ACTION_DENY
                                                                           : HV_ACTION_LOG);
            auto const low = random() % 64, high = low + random() % 24;
            if (random() % 3 == 0)
                rules.push_back(msr_rule(i + 1, low, high, what, std::uint32_t(1 + random() % 3)));
            else if (random() % 4 == 0)
                rules.push_back(cr_rule(i + 1, random() % 2 == 0 ? 0 : 4,
                                        1u << random() % 32 | 1u << random() % 32, what));
            else
                rules.push_back(
                    random() % 3 == 0
                        ? passing(memory_rule(i + 1, low << 12, (high << 12) + 0xfff, what),
                                  random() % 8, 8 + random() % 8)
                        : memory_rule(i + 1, low << 12, (high << 12) + 0xfff, what,
                                      random() % 2 == 0 ? W : W | X));
        }
        load(rules);
        for (std::uint64_t n = 0; n < 90; ++n) {
            for (auto const access : {R, W})
                expect_as_the_model({event_kind::msr, access, n, 0, 0});
            for (auto const access : {R, W, X, R | W})
                expect_as_the_model(
                    {event_kind::memory, access, (n << 12) + random() % 4096, 0, 0, random() % 20});
            expect_as_the_model(
                {event_kind::cr, W, n % 2 * 4, random() & 0xffffffff, random() & random()});
        }
    }
}

TEST_F(rule_set, runs_of_memory_have_one_answer) {
    std::mt19937_64 random{2};
    for (unsigned round = 0; round < 60; ++round) {
        std::vector<hv_rule> rules;
        for (std::uint32_t i = 0, count = std::uint32_t(random() % 12); i < count; ++i) {
            auto const low = random() % 40;
            rules.push_back(memory_rule(i + 1, low << 12, ((low + random() % 8) << 12) + 0xfff,
                                        HV_ACTION_DENY, random() % 2 == 0 ? W : X));
        }
        load(rules);
        auto watched = [&](std::uint64_t at) {
            std::uint32_t bits = 0;
            for (auto const& r : rules) bits |= at >= r.first && at <= r.last ? r.access : 0;
            return bits;
        };
        for (std::uint64_t page = 0; page < 50; ++page) {
            auto const run = set_->memory_at(gpa{page << 12});
            ASSERT_GT(run.bytes, 0u);
            for (auto at = page << 12;
                 at < (page << 12) + std::min(run.bytes, std::uint64_t{60} << 12); at += 4096)
                ASSERT_EQ(run.watched, watched(at)) << "round " << round << " page " << page;
        }
    }
}

TEST_F(rule_set, a_thousand_rules_are_found_each) {
    std::vector<hv_rule> rules;
    for (std::uint32_t i = 0; i < HV_MAX_RULES; ++i)    // backwards, so that the index has to sort
        rules.push_back(memory_rule(i + 1, (HV_MAX_RULES - i) * 0x2000ull,
                                    (HV_MAX_RULES - i) * 0x2000ull + 0xfff));
    load(rules);
    for (auto const& r : rules) {
        ASSERT_EQ(memory(r.first, W).rule, r.id);
        ASSERT_EQ(memory(r.last, W).rule, r.id);
        ASSERT_EQ(memory(r.last + 1, W).rule, 0u);
        ASSERT_EQ(set_->memory_at(gpa{r.first}).bytes, 0x1000u);
    }
}

// One far away makes the parts of the index so large that all others crowd in the first.
TEST_F(rule_set, rules_that_crowd_are_found_beside_one_far_away) {
    std::mt19937_64 random{3};
    std::vector<hv_rule> rules;
    for (std::uint32_t i = 0; i + 2 < HV_MAX_RULES; ++i)
        rules.push_back(memory_rule(i + 1, (i + 16) * 0x2000ull, (i + 16) * 0x2000ull + 0xfff));
    rules.push_back(memory_rule(HV_MAX_RULES - 1, 0x7ffffffff000, 0x7fffffffffff));
    rules.push_back(memory_rule(HV_MAX_RULES, 0x30000, 0x500000000fff, HV_ACTION_LOG));
    load(rules);
    for (unsigned n = 0; n < 4000; ++n)
        expect_as_the_model({event_kind::memory, W, random() % 0x900000, 0, 0});
    for (unsigned bit = 0; bit < 63; ++bit)
        for (std::uint64_t const near : {0ull, 1ull, ~0ull})
            expect_as_the_model({event_kind::memory, W, (1ull << bit) + near, 0, 0});
    for (auto const& r : rules)
        for (auto const at : {r.first - 1, r.first, r.last, r.last + 1})
            expect_as_the_model({event_kind::memory, W, at, 0, 0});
    for (auto const at : {0ull, 0xfffull, 0x7fffffffeffeull, 1ull << 62, ~0ull})
        expect_as_the_model({event_kind::memory, W, at, 0, 0});
}

TEST(rule_check, msr_slots_are_the_bitmaps_bits) {
    EXPECT_EQ(policy::msr_slot(0), 0u);
    EXPECT_EQ(policy::msr_slot(0x1fff), 0x1fffu);
    EXPECT_EQ(policy::msr_slot(0xc0000000), 0x2000u);
    EXPECT_EQ(policy::msr_slot(0xc0001fff), 0x3fffu);
    EXPECT_EQ(policy::msr_slot(0xc0010000), 0x4000u);
    EXPECT_EQ(policy::msr_slot(0xc0011fff), policy::msr_slots - 1);
    for (std::uint64_t const index :
         {0x2000ull, 0xbfffffffull, 0xc0002000ull, 0xc000ffffull, 0xc0012000ull, 0x100000000ull})
        EXPECT_FALSE(policy::msr_has_slot(index));
}
