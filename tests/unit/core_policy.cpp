// SPDX-License-Identifier: MIT
// Loading a policy: all of it or nothing, the ratchet, and running out of tables at every point.
#include "core_hoist.hpp"
#include "unsound_rules.hpp"
#include <random>

using namespace fake;

namespace {

constexpr std::uint64_t page = 0x1000, m2 = 0x200000;
constexpr std::int64_t eperm = -1, einval = -22, enomem = -12;

class policy_load : public hoist_both {
protected:
    void SetUp() override { forget_records(); }
    hv::rights rights(std::uint64_t at) {
        auto const leaf = vm.leaf(at);
        return leaf ? leaf->allowed : hv::rights::none;
    }
    /// Leaves `pages` in the pool.
    void leave_in_pool(std::uint64_t pages) {
        auto& pool = vm.pool();
        while (pool.available() > pages) taken_.push_back(pool.take().value());
    }
    void refill() {
        for (auto const p : taken_) vm.pool().give(p);
        taken_.clear();
    }
    void expect_refused(std::vector<hv_rule> const& rules, std::uint32_t culprit) {
        EXPECT_EQ(vm.load(rules, 9), einval);
        EXPECT_EQ(vm.mailbox<std::uint32_t>(), culprit);
        EXPECT_EQ(vm.rules().size(), in_force_);
        expect_no_record(0);
    }
    std::size_t in_force_{};

private:
    std::vector<hv::hpa> taken_;
};

hv::rights rights_of(std::uint32_t access) {
    auto const write = (access & HV_ACCESS_WRITE) != 0 ? hv::rights::write : hv::rights::none;
    return write | ((access & HV_ACCESS_EXECUTE) != 0 ? hv::rights::execute : hv::rights::none);
}

}    // namespace

INSTANTIATE_TEST_SUITE_P(on, policy_load, both_backends(), backend_name);

TEST_P(policy_load, is_recorded_with_generation_and_size) {
    EXPECT_EQ(vm.load({msr_rule(1, 0x10, 0x20), cr_rule(2, 4, 1 << 20)}, 42), 0);
    auto const r = one_record(0, HV_RECORD_POLICY_LOADED);
    EXPECT_EQ(r.address, 42u);
    EXPECT_EQ(r.value, 2u);
    EXPECT_EQ(vm.generation(), 42u);
}

TEST_P(policy_load, names_the_first_rule_that_is_not_sound) {
    auto const good = msr_rule(1, 0x10, 0x10);
    EXPECT_EQ(vm.load({good}), 0);
    in_force_ = 1;
    forget_records();
    for (auto const& r : unsound_rules()) {
        expect_refused({r}, 1);
        expect_refused({good, msr_rule(3, 0, 0), r, good}, 3);
    }
}

TEST_P(policy_load, refuses_the_same_id_twice) {
    expect_refused({msr_rule(1, 0x10, 0x10), msr_rule(2, 0x11, 0x11), cr_rule(1, 4, 1)}, 3);
}

TEST_P(policy_load, refuses_more_rules_than_there_is_room_for) {
    EXPECT_EQ(vm.call(0, HV_CALL_POLICY_LOAD, HV_MAX_RULES + 1, 1), einval);
    EXPECT_EQ(vm.call(0, HV_CALL_POLICY_LOAD, ~0ull, 1), einval);
    EXPECT_EQ(vm.call(0, HV_CALL_POLICY_LOAD, 1ull << 61, 1), einval);
}

TEST_P(policy_load, refuses_rules_over_the_core) {
    auto const at = vm.machine.hpa_of_page(30).raw;
    expect_refused({memory_rule(1, at, at + page - 1)}, 1);
    expect_refused({memory_rule(1, at - 4 * m2, at + 4 * m2 - 1)}, 1);
    auto const mail = vm.machine.hpa_of_page(vm.machine.layout().mailbox_first()).raw;
    expect_refused({memory_rule(1, mail, mail + page - 1)}, 1);
}

TEST_P(policy_load, refuses_memory_that_is_not_mapped) {
    expect_refused({msr_rule(2, 0, 0), memory_rule(1, 0x2000000000, 0x2000000fff)}, 2);
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_P(policy_load, refuses_to_log_memory_without_a_timer) {
    vm.set_time_slices(false);
    expect_refused({memory_rule(1, 0x1000, 0x1fff, HV_ACTION_LOG)}, 1);
    EXPECT_EQ(vm.load({memory_rule(1, 0x1000, 0x1fff)}), 0);
}

TEST_P(policy_load, a_thousand_rules_come_and_go) {
    std::vector<hv_rule> rules;
    for (std::uint32_t i = 0; i < HV_MAX_RULES; ++i) {
        if (i % 4 == 0)
            rules.push_back(msr_rule(i + 1, i, i));
        else if (i % 4 == 1)
            rules.push_back(cr_rule(i + 1, 4, 1u << 20));
        else
            rules.push_back(
                memory_rule(i + 1, 0x1000000 + i * 2 * page, 0x1000000 + i * 2 * page + page - 1));
    }
    auto const free = vm.pool().available();
    EXPECT_EQ(vm.load(rules), 0);
    for (std::uint32_t i = 2; i < HV_MAX_RULES; i += 4)
        ASSERT_EQ(rights(0x1000000 + i * 2 * page), hv::read_execute);
    EXPECT_EQ(vm.findings(), 0u);
    EXPECT_EQ(vm.load({}), 0);
    EXPECT_EQ(rights(0x1000000 + 4 * page), hv::all_rights);
    EXPECT_EQ(vm.pool().available(), free) << "tables are merged and given back";
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_P(policy_load, is_a_ratchet_once_locked) {
    auto const a = passing(msr_rule(1, 0x10, 0x10), 5, 6), b = memory_rule(2, 0x1000, 0x1fff),
               c = cr_rule(3, 4, 1 << 20);
    ASSERT_EQ(vm.load({a, b}), 0);
    ASSERT_EQ(vm.call(0, HV_CALL_POLICY_LOCK), 0);
    forget_records();
    EXPECT_EQ(vm.load({}), eperm);
    EXPECT_EQ(vm.load({a}), eperm);
    EXPECT_EQ(vm.load({b, c}, 1, 1), eperm);
    for (auto const change :
         {+[](hv_rule& r) { r.action = HV_ACTION_LOG; }, +[](hv_rule& r) { r.last += page; },
          +[](hv_rule& r) { r.access |= HV_ACCESS_EXECUTE; }, +[](hv_rule& r) { r.id = 9; }})
        EXPECT_EQ(vm.load({a, with(b, change)}), eperm);
    EXPECT_EQ(vm.load({a, passing(b, 0, 9)}), eperm);
    EXPECT_EQ(vm.load({passing(a, 5, 7), b}), eperm);
    EXPECT_EQ(vm.load({a, b, msr_rule(4, 0x10, 0x10)}), einval) << "another exception";
    expect_no_record(0);
    EXPECT_EQ(rights(0x1000), hv::read_execute);
    EXPECT_EQ(vm.load({c, b, a}), 0) << "more is allowed, in any order";
    EXPECT_EQ(vm.load({a, b}), eperm) << "and then stays";
}

TEST_P(policy_load, tells_what_only_the_mailbox_said_when_it_was_read) {
    ASSERT_EQ(vm.load({memory_rule(2, 0x1000, 0x1fff)}), 0);
    vm.mailbox<hv_rule>() = msr_rule(7, 0, 0);    // too late
    EXPECT_EQ(vm.rules()[0].id, 2u);
    EXPECT_EQ(rights(0x1000), hv::read_execute);
}

TEST_P(policy_load, needs_no_table_for_whole_large_pages) {
    auto const free = vm.pool().available();
    leave_in_pool(0);
    EXPECT_EQ(vm.load({memory_rule(1, 0x10000000, 0x10000000 + 4 * m2 - 1)}), 0);
    EXPECT_EQ(rights(0x10000000 + 3 * m2), hv::read_execute);
    refill();
    EXPECT_EQ(vm.pool().available(), free);
}

// With n tables left for what needs more: nothing changes, whatever n is.
TEST_P(policy_load, without_a_table_changes_nothing) {
    std::vector<hv_rule> rules;
    for (std::uint32_t i = 0; i < 6; ++i)
        rules.push_back(
            memory_rule(i + 1, 0x10000000 + i * m2 + page, 0x10000000 + i * m2 + 2 * page - 1));
    auto const& pool = vm.pool();
    for (std::uint64_t n = 0; n < 6; ++n) {
        leave_in_pool(n);
        EXPECT_EQ(vm.load(rules), enomem);
        EXPECT_EQ(pool.available(), n);
        for (auto const& r : rules) EXPECT_EQ(rights(r.first), hv::all_rights);
        EXPECT_EQ(vm.rules().size(), 0u);
        refill();
    }
    expect_no_record(0);
    EXPECT_EQ(vm.findings(), 0u);
    EXPECT_EQ(vm.load(rules), 0);
}

TEST_P(policy_load, without_a_table_keeps_the_rules_in_force) {
    auto const old = memory_rule(9, 0x10000000, 0x10000000 + m2 + page - 1);
    ASSERT_EQ(vm.load({old}), 0);
    for (std::uint64_t n = 0; n < 2; ++n) {
        leave_in_pool(n);
        EXPECT_EQ(
            vm.load({memory_rule(1, 0x10000000, 0x10000fff), memory_rule(2, 0x20000000, 0x20000fff),
                     memory_rule(3, 0x30000000, 0x30000fff)}),
            enomem);
        EXPECT_EQ(rights(0x10000000), hv::read_execute);
        EXPECT_EQ(rights(0x10000000 + m2), hv::read_execute);
        EXPECT_EQ(rights(0x10000000 + m2 + page), hv::all_rights);
        EXPECT_EQ(rights(0x20000000), hv::all_rights);
        refill();
    }
}

// Two neighbours make one large leaf after a merge; taking one away again needs a table.
TEST_P(policy_load, can_be_loosened_with_an_empty_pool_or_says_so) {
    auto const a = memory_rule(1, 0x10000000, 0x10000000 + m2 / 2 - 1);
    auto const b = memory_rule(2, 0x10000000 + m2 / 2, 0x10000000 + m2 - 1);
    ASSERT_EQ(vm.load({a, b}), 0);
    ASSERT_EQ(vm.load({a, b, msr_rule(3, 0, 0)}), 0);
    leave_in_pool(0);
    auto const loosened = vm.load({a});
    EXPECT_TRUE(loosened == 0 || loosened == enomem) << loosened;
    EXPECT_EQ(rights(b.first), loosened == 0 ? hv::all_rights : hv::read_execute);
    EXPECT_EQ(rights(a.first), hv::read_execute);
    auto const none = vm.load({});
    EXPECT_TRUE(none == 0 || none == enomem) << none;
    refill();
    EXPECT_EQ(vm.load({}), 0);
    EXPECT_EQ(rights(a.first), hv::all_rights);
    EXPECT_EQ(vm.findings(), 0u);
}

// On the way back the leaf is one again, though two rules made it.
TEST_P(policy_load, without_a_table_two_neighbours_keep_their_large_leaf) {
    auto const a = memory_rule(1, 0x10000000, 0x10000000 + m2 / 2 - 1);
    auto const b = memory_rule(2, 0x10000000 + m2 / 2, 0x10000000 + m2 - 1);
    ASSERT_EQ(vm.load({a, b}), 0);
    ASSERT_EQ(vm.load({a, b, msr_rule(3, 0, 0)}), 0);
    leave_in_pool(0);
    EXPECT_EQ(vm.load({a, b, memory_rule(4, a.first, b.last, HV_ACTION_DENY, HV_ACCESS_EXECUTE),
                       memory_rule(5, 0x20000000, 0x20000fff)}),
              enomem);
    EXPECT_EQ(rights(a.first), hv::read_execute);
    EXPECT_EQ(rights(b.last), hv::read_execute);
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_P(policy_load, at_random_with_few_tables_is_all_or_nothing) {
    std::mt19937_64 random{7};
    std::vector<hv_rule> in_force;
    auto expected = [](std::vector<hv_rule> const& rules, std::uint64_t at) {
        auto r = hv::all_rights;
        for (auto const& rule : rules)
            if (at >= rule.first && at <= rule.last) r = r & ~rights_of(rule.access);
        return r;
    };
    for (unsigned round = 0; round < 150; ++round) {
        std::vector<hv_rule> next;
        for (std::uint32_t i = 0, count = std::uint32_t(random() % 6); i < count; ++i) {
            auto const unit = random() % 2 == 0 ? page : m2 / 4;
            auto const first = 0x10000000 + random() % 32 * unit;
            next.push_back(memory_rule(i + 1, first, first + (1 + random() % 16) * unit - 1,
                                       HV_ACTION_DENY,
                                       random() % 2 == 0 ? HV_ACCESS_WRITE : HV_ACCESS_EXECUTE));
        }
        leave_in_pool(random() % 5);
        auto const got = vm.load(next);
        ASSERT_TRUE(got == 0 || got == enomem) << got;
        if (got == 0) in_force = next;
        for (std::uint64_t at = 0x10000000; at < 0x10000000 + 8 * m2; at += 16 * page)
            ASSERT_EQ(rights(at), expected(in_force, at))
                << "round " << round << std::hex << " at " << at;
        refill();
    }
    EXPECT_EQ(vm.findings(), 0u);
}
