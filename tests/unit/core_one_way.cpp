// SPDX-License-Identifier: MIT
// Rules about values that may only grow, or only shrink.
#include "core_hoist.hpp"

using namespace fake;

namespace {

constexpr std::uint32_t sysenter_esp = 0x175;
constexpr std::uint64_t wp = 1 << 16, am = 1 << 18, smep = 1 << 20, smap = 1 << 21;
constexpr std::uint32_t grows = HV_RULE_GROWS, shrinks = HV_RULE_SHRINKS;

class one_way : public hoist_both {
protected:
    void load(std::vector<hv_rule> const& rules) {
        ASSERT_EQ(vm.load(rules), 0);
        forget_records();
    }
    bool writes(std::uint64_t value) {
        EXPECT_EQ(vm.wrmsr(0, sysenter_esp, value), outcome::resumed);
        return !vm.delivered(0);
    }
    bool moves(unsigned number, std::uint64_t value, std::uint32_t n = 0) {
        EXPECT_EQ(vm.move_to_cr(n, number, value), outcome::resumed);
        bool const taken = !vm.delivered(n);
        EXPECT_EQ(vm.seen(n, number) == value, taken);
        return taken;
    }
};

}    // namespace

INSTANTIATE_TEST_SUITE_P(on, one_way, both_backends(), backend_name);

TEST_P(one_way, an_msr_grows) {
    ASSERT_TRUE(writes(100));
    load({lasting(msr_rule(7, sysenter_esp, sysenter_esp), grows)});
    EXPECT_TRUE(writes(100));
    EXPECT_TRUE(writes(200));
    expect_no_record(0);
    EXPECT_FALSE(writes(150)) << "from where it is, not from where it was";
    auto const r = one_record(0, HV_RECORD_MSR_DENIED);
    EXPECT_EQ(r.value, 150u);
    EXPECT_EQ(r.old_value, 200u);
    EXPECT_TRUE(writes(201));
}

TEST_P(one_way, an_msr_shrinks) {
    ASSERT_TRUE(writes(100));
    load({lasting(msr_rule(7, sysenter_esp, sysenter_esp, HV_ACTION_KEEP), shrinks)});
    EXPECT_TRUE(writes(99));
    expect_no_record(0);
    EXPECT_TRUE(writes(100)) << "kept, without a fault";
    EXPECT_EQ(one_record(0, HV_RECORD_MSR_KEPT).old_value, 99u);
    EXPECT_TRUE(writes(99));
    expect_no_record(0);
}

TEST_P(one_way, bits_may_be_set_and_not_cleared) {
    auto const before = vm.seen(0, 4);
    ASSERT_TRUE(moves(4, before & ~smap));
    load({lasting(cr_rule(7, 4, smap | smep), grows)});
    EXPECT_TRUE(moves(4, before | smap));
    expect_no_record(0);
    EXPECT_FALSE(moves(4, before & ~smap)) << "what it was when the rule came";
    EXPECT_EQ(one_record(0, HV_RECORD_CR_DENIED).rule, 7u);
    EXPECT_FALSE(moves(4, (before | smap) & ~smep));
    one_record(0, HV_RECORD_CR_DENIED);
}

TEST_P(one_way, bits_may_be_cleared_and_not_set) {
    auto const before = vm.seen(0, 0);
    ASSERT_TRUE(moves(0, before | am));
    load({lasting(cr_rule(7, 0, am), shrinks)});
    EXPECT_TRUE(moves(0, before & ~am));
    expect_no_record(0);
    EXPECT_FALSE(moves(0, before | am));
    one_record(0, HV_RECORD_CR_DENIED);
}

TEST_P(one_way, kept_bits_go_one_way_and_others_both) {
    auto const before = vm.seen(0, 0);
    ASSERT_TRUE(moves(0, before & ~am));
    load({lasting(cr_rule(7, 0, wp | am, HV_ACTION_KEEP), grows)});
    ASSERT_EQ(vm.move_to_cr(0, 0, (before & ~wp) | am), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    EXPECT_EQ(vm.seen(0, 0), before | am) << "one bit goes its way, the other stays";
    one_record(0, HV_RECORD_CR_KEPT);
}

TEST_P(one_way, xcr0_grows) {
    auto const set = [&](std::uint64_t value) {
        vm.gpr(0).rax = value;
        vm.gpr(0).rdx = vm.gpr(0).rcx = 0;
        EXPECT_EQ(vm.execute(0, xsetbv_instruction), outcome::resumed);
        return !vm.delivered(0);
    };
    auto const all = vm.hw(0).xcr0;
    vm.hw(0).xcr0 = 1;
    load({lasting(xcr_rule(4, all), grows)});
    EXPECT_TRUE(set(3));
    EXPECT_TRUE(set(all));
    expect_no_record(0);
    EXPECT_FALSE(set(3));
    one_record(0, HV_RECORD_XCR_DENIED);
    EXPECT_EQ(vm.hw(0).xcr0, all);
}

TEST_P(one_way, two_rules_on_one_object_must_agree) {
    EXPECT_EQ(vm.load({lasting(msr_rule(1, sysenter_esp, sysenter_esp), grows),
                       lasting(msr_rule(2, sysenter_esp, sysenter_esp), shrinks)}),
              -22);
    EXPECT_EQ(vm.mailbox<std::uint32_t>(), 2u);
    EXPECT_EQ(vm.load({lasting(cr_rule(1, 4, smep), grows), cr_rule(2, 4, smep)}), -22);
}
