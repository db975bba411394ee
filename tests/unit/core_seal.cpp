// SPDX-License-Identifier: MIT
// How long rules are in force: from the seal or another marker on, as long as Linux is hoisted,
// until the next boot.
#include "core_hoist.hpp"
#include "unsound_rules.hpp"

using namespace fake;

namespace {

constexpr std::uint64_t page = 0x1000, some = 0x10001000, smep = 1 << 20;
constexpr std::uint32_t lstar = 0xc0000082;
constexpr std::uint64_t here = 0xffffffff81002000, elsewhere = 0xffffffff81003000;
constexpr std::int64_t eperm = -1, einval = -22, enomem = -12;

class lifetime : public hoist_both {
protected:
    void SetUp() override { forget_records(); }
    hv::rights rights(std::uint64_t at) { return vm.leaf(at)->allowed; }
    std::int64_t mark(std::uint64_t marker, std::uint32_t n = 0) {
        return vm.call(n, HV_CALL_POLICY_MARK, marker);
    }
    std::int64_t seal(std::uint32_t n = 0) { return mark(HV_MARKER_SEAL, n); }
    bool sealed() { return (vm.reached() >> HV_MARKER_SEAL & 1) != 0; }
    std::int64_t unhoist(std::uint32_t n = 0) {
        return vm.call(n, HV_CALL_UNHOIST, 1ull << 50);    // not canonical: no CPU goes there
    }
    bool writes_lstar(std::uint64_t value, std::uint32_t n = 0) {
        EXPECT_EQ(vm.wrmsr(n, lstar, value), outcome::resumed);
        return !vm.delivered(n);
    }
};

hv_rule waiting(hv_rule r, std::uint32_t marker = HV_MARKER_SEAL) {
    return lasting(r, marker << HV_RULE_MARKER_SHIFT);
}

}    // namespace

INSTANTIATE_TEST_SUITE_P(on, lifetime, both_backends(), backend_name);

TEST_P(lifetime, rules_wait_for_the_seal) {
    ASSERT_EQ(
        vm.load({waiting(msr_rule(1, lstar, lstar)), waiting(memory_rule(2, some, some + page - 1)),
                 waiting(cr_rule(3, 4, smep)), msr_rule(4, 0x10, 0x10)}),
        0);
    EXPECT_TRUE(writes_lstar(here));
    EXPECT_EQ(rights(some), hv::all_rights);
    EXPECT_EQ(vm.rules().cr_mask(4), 0u);
    EXPECT_FALSE(sealed());
    forget_records();
    ASSERT_EQ(seal(1), 0);
    EXPECT_TRUE(sealed());
    auto const told = one_record(1, HV_RECORD_POLICY_MARKED);
    EXPECT_EQ(told.value, 4u);
    EXPECT_EQ(told.address, HV_MARKER_SEAL);
    for (std::uint32_t const n : {0u, 1u}) EXPECT_FALSE(writes_lstar(elsewhere, n));
    EXPECT_EQ(rights(some), hv::read_execute);
    EXPECT_EQ(vm.rules().cr_mask(4), smep);
    forget_records();
    EXPECT_EQ(seal(), 0) << "the second time it does nothing";
    expect_no_record(0);
    EXPECT_EQ(vm.load({}), 0) << "they are revocable";
    EXPECT_EQ(rights(some), hv::all_rights);
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_P(lifetime, rules_that_come_after_the_seal_wait_no_more) {
    ASSERT_EQ(seal(), 0);
    ASSERT_EQ(vm.load({waiting(msr_rule(1, lstar, lstar))}), 0);
    EXPECT_FALSE(writes_lstar(elsewhere));
}

TEST_P(lifetime, unchanged_is_the_value_at_the_seal) {
    auto rule = waiting(passing(msr_rule(7, lstar, lstar), 0, 0));
    rule.flags |= HV_RULE_UNCHANGED;
    ASSERT_EQ(vm.load({rule}), 0);
    EXPECT_TRUE(writes_lstar(here));
    ASSERT_EQ(seal(), 0);
    EXPECT_TRUE(writes_lstar(here));
    EXPECT_FALSE(writes_lstar(elsewhere));
    ASSERT_EQ(vm.load({rule, msr_rule(8, 0x10, 0x10)}), 0);
    EXPECT_TRUE(writes_lstar(here));
}

TEST_P(lifetime, a_seal_is_all_or_nothing) {
    auto const a = waiting(memory_rule(1, some, some + page - 1));
    auto const b = waiting(passing(msr_rule(2, lstar, lstar), 1, 2));
    auto const c = waiting(msr_rule(3, lstar, lstar));    // another exception
    ASSERT_EQ(vm.load({a, b, c}), 0);
    forget_records();
    EXPECT_EQ(seal(), einval);
    EXPECT_EQ(vm.mailbox<std::uint32_t>(), 3u);
    EXPECT_FALSE(sealed());
    EXPECT_EQ(rights(some), hv::all_rights);
    EXPECT_TRUE(writes_lstar(elsewhere));
    expect_no_record(0);
    ASSERT_EQ(vm.load({a, b}), 0);
    auto& pool = vm.pool();
    std::vector<hv::hpa> taken;
    while (pool.available() > 0) taken.push_back(pool.take().value());
    EXPECT_EQ(seal(), enomem);
    EXPECT_FALSE(sealed());
    EXPECT_TRUE(writes_lstar(elsewhere));
    for (auto const p : taken) pool.give(p);
    EXPECT_EQ(seal(), 0);
    EXPECT_EQ(rights(some), hv::read_execute);
}

TEST_P(lifetime, a_rule_that_stays_can_be_neither_removed_nor_changed) {
    for (auto const how : {HV_RULE_STAYS, HV_RULE_RATCHET}) {
        auto const id = std::uint32_t(how);
        auto const kept = lasting(msr_rule(id, 0x10 + id, 0x10 + id), std::uint32_t(how));
        auto const other = msr_rule(2, lstar, lstar);
        auto all = [&] {
            std::vector<hv_rule> rules;
            for (std::size_t i = 0; i < vm.rules().size(); ++i) rules.push_back(vm.rules()[i]);
            return rules;
        }();
        std::erase_if(all, [](hv_rule const& r) { return r.id == 2; });
        auto with_it = all;
        with_it.push_back(kept);
        with_it.push_back(other);
        ASSERT_EQ(vm.load(with_it), 0);
        forget_records();
        EXPECT_EQ(vm.load({}), eperm);
        EXPECT_EQ(vm.load({other}, 1, 1), eperm);
        for (auto const change :
             {+[](hv_rule& r) { r.action = HV_ACTION_LOG; }, +[](hv_rule& r) { r.last += 1; },
              +[](hv_rule& r) { r.flags = 0; }, +[](hv_rule& r) { r.cpus = 1; },
              +[](hv_rule& r) { r.id = 9; }}) {
            auto changed = all;
            changed.push_back(with(kept, change));
            EXPECT_EQ(vm.load(changed), eperm);
        }
        expect_no_record(0);
        all.push_back(kept);
        EXPECT_EQ(vm.load(all), 0) << "others come and go";
    }
}

TEST_P(lifetime, a_rule_that_waits_stays_only_from_the_seal_on) {
    auto const r = lasting(waiting(msr_rule(1, lstar, lstar)), HV_RULE_RATCHET);
    ASSERT_EQ(vm.load({r}), 0);
    ASSERT_EQ(vm.load({}), 0);
    ASSERT_EQ(vm.load({r}), 0);
    EXPECT_EQ(unhoist(), einval);
    ASSERT_EQ(seal(), 0);
    EXPECT_EQ(vm.load({}), eperm);
    EXPECT_EQ(unhoist(), eperm);
    EXPECT_EQ(unhoist(1), eperm);
}

TEST_P(lifetime, what_stays_lets_a_cpu_go_and_a_ratchet_does_not) {
    ASSERT_EQ(vm.load({lasting(msr_rule(1, lstar, lstar), HV_RULE_STAYS)}), 0);
    EXPECT_EQ(unhoist(), einval);
    ASSERT_EQ(vm.load({lasting(msr_rule(1, lstar, lstar), HV_RULE_STAYS),
                       lasting(msr_rule(2, 0x10, 0x10), HV_RULE_RATCHET)}),
              0);
    EXPECT_EQ(unhoist(), eperm);
}

TEST_P(lifetime, each_rule_waits_for_its_own_marker) {
    ASSERT_EQ(vm.load({waiting(msr_rule(1, lstar, lstar), 2), waiting(cr_rule(2, 4, smep), 63)}),
              0);
    ASSERT_EQ(seal(), 0);
    EXPECT_TRUE(writes_lstar(elsewhere));
    ASSERT_EQ(mark(2, 1), 0);
    EXPECT_FALSE(writes_lstar(here));
    EXPECT_EQ(vm.rules().cr_mask(4), 0u);
    ASSERT_EQ(mark(63), 0);
    EXPECT_EQ(vm.rules().cr_mask(4), smep);
    EXPECT_EQ(vm.reached(), 1ull << 63 | 6u);
}

TEST_P(lifetime, there_are_no_other_markers) {
    for (auto const marker : {0ull, 64ull, 65ull, 1ull << 32 | 1, ~0ull})
        EXPECT_EQ(mark(marker), einval) << marker;
    EXPECT_EQ(vm.reached(), 0u);
    expect_no_record(0);
}
