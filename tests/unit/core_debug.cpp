// SPDX-License-Identifier: MIT
// Rules that hold debug registers: what a MOV to one comes to, on both backends.
#include "core_hoist.hpp"

using namespace fake;

namespace {

constexpr std::uint64_t all_of_dr7 = 0xffff03ff;
constexpr std::uint64_t dr0 = 1ull << 32, dr2 = 1ull << 34;
constexpr std::uint64_t somewhere = 0xffffffff81002000;

class debug_registers : public hoist_both {
protected:
    void SetUp() override { forget_records(); }
    void load(std::vector<hv_rule> const& rules) {
        ASSERT_EQ(vm.load(rules), 0);
        forget_records();
    }
    std::uint64_t value(unsigned number, std::uint32_t n) {
        return number == 7 ? vm.dr7(n) : vm.hw(n).dr[number];
    }
    void expect_taken(unsigned number, std::uint64_t to, std::uint32_t n = 0) {
        auto const rip = vm.rip(n);
        EXPECT_EQ(vm.move_to_dr(n, number, to), outcome::resumed);
        EXPECT_EQ(vm.delivered(n), std::nullopt);
        EXPECT_EQ(value(number, n), to);
        EXPECT_EQ(vm.rip(n), rip + 3);
    }
    void expect_denied(unsigned number, std::uint64_t to, std::uint32_t n = 0) {
        auto const before = value(number, n);
        auto const rip = vm.rip(n);
        EXPECT_EQ(vm.move_to_dr(n, number, to), outcome::resumed);
        EXPECT_EQ(vm.delivered(n), general_protection);
        EXPECT_EQ(value(number, n), before);
        EXPECT_EQ(vm.rip(n), rip) << "back in front of the instruction";
        auto const r = one_record(n, HV_RECORD_DR_DENIED);
        EXPECT_EQ(r.rule, 4u);
        EXPECT_EQ(r.address, number);
        EXPECT_EQ(r.value, to);
        EXPECT_EQ(r.old_value, before);
        EXPECT_EQ(r.rip, rip);
        EXPECT_EQ(r.reason, on_svm() ? 0x30u + number : 29u);
    }
    std::uint64_t exits(std::uint32_t n) { return hv::exits_of(vm.shared(n)); }
};

}    // namespace

INSTANTIATE_TEST_SUITE_P(on, debug_registers, both_backends(), backend_name);

TEST_P(debug_registers, no_rule_no_exit) {
    auto const before = exits(0);
    expect_taken(0, somewhere);
    expect_taken(7, 0x402);
    EXPECT_EQ(exits(0), before);
    load({debug_rule(4, dr0)});
    load({});
    auto const after = exits(0);
    expect_taken(0, somewhere + 8);
    EXPECT_EQ(exits(0), after);
}

TEST_P(debug_registers, stay_on_every_cpu) {
    load({debug_rule(4, dr0 | dr2 | all_of_dr7)});
    for (std::uint32_t const n : {0u, 1u}) {
        expect_denied(0, somewhere, n);
        expect_denied(2, somewhere, n);
        expect_denied(7, vm.dr7(n) | 2, n);
        expect_taken(1, somewhere, n);
        expect_taken(0, vm.hw(n).dr[0], n);
        expect_no_record(n);
    }
}

TEST_P(debug_registers, a_rule_is_about_its_bits_of_dr7) {
    load({debug_rule(4, 0x3)});
    expect_taken(7, 0xf0404);
    expect_denied(7, 0xf0406);
    expect_taken(7, 0x404);
    expect_no_record(0);
}

TEST_P(debug_registers, are_kept_without_a_fault) {
    load({debug_rule(4, dr0 | 0x3, HV_ACTION_KEEP)});
    auto const address = vm.hw(0).dr[0];
    EXPECT_EQ(vm.move_to_dr(0, 0, somewhere), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    EXPECT_EQ(vm.hw(0).dr[0], address);
    EXPECT_EQ(one_record(0, HV_RECORD_DR_KEPT).value, somewhere);
    auto const enabled = vm.dr7(0) & 3;
    EXPECT_EQ(vm.move_to_dr(0, 7, 0xf0403 ^ enabled), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    EXPECT_EQ(vm.dr7(0), 0xf0400 | enabled) << "the other bits are as written";
    one_record(0, HV_RECORD_DR_KEPT);
}

TEST_P(debug_registers, log_lets_it_happen) {
    load({debug_rule(4, dr0, HV_ACTION_LOG)});
    auto const before = vm.hw(0).dr[0];
    expect_taken(0, somewhere);
    auto const r = one_record(0, HV_RECORD_DR_LOGGED);
    EXPECT_EQ(r.value, somewhere);
    EXPECT_EQ(r.old_value, before);
}

TEST_P(debug_registers, hold_on_the_cpus_that_the_rule_names) {
    load({on_cpus(debug_rule(4, dr0), {1})});
    expect_taken(0, somewhere, 0);
    expect_denied(0, somewhere, 1);
}

// A rule that comes in the midst of the instruction judges the next one.
TEST_P(debug_registers, an_instruction_is_judged_by_what_it_met) {
    load({debug_rule(4, dr0)});
    if (on_svm())
        static_cast<hoisted_svm&>(vm).exit(0, {.code = 0x31, .length = 3});
    else
        static_cast<hoisted&>(vm).exit(0, {.reason = 29, .qualification = 1, .length = 3});
    ASSERT_EQ(vm.load({debug_rule(4, dr0 | 1ull << 33)}, 2, 1), 0);
    forget_records();
    expect_taken(1, somewhere);
    expect_no_record(0);
    expect_denied(1, somewhere + 8);
}

TEST_P(debug_registers, take_exits_that_not_every_cpu_has) {
    vm.set_exits(~(1u << 29));
    EXPECT_EQ(vm.load({debug_rule(4, dr0)}), -22);
}

// DR7.GD: the debug exception comes before the instruction, which exits first on VMX.
TEST(debug_registers_vmx, general_detect_is_the_root_vms_own) {
    hoisted vm;
    ASSERT_EQ(vm.load({debug_rule(4, dr0)}), 0);
    vm.v(0).set(field::dr7, 0x2400);
    auto const rip = vm.v(0)[field::rip];
    ASSERT_EQ(vm.exit(0, {.reason = 29, .length = 3}), outcome::resumed);
    ASSERT_EQ(vm.exit(0, {.reason = 0, .qualification = 1u << 13, .event = 0x80000301}),
              outcome::resumed);
    EXPECT_EQ(vm.delivered(0), debug_trap);
    EXPECT_EQ(vm.v(0)[field::rip], rip);
    EXPECT_EQ(vm.v(0)[field::dr7], 0x400u) << "its delivery clears the bit";
    EXPECT_NE(vm.hw(0).dr6 & 1u << 13, 0u);
    for (auto const& problem : vm.problems) ADD_FAILURE() << problem;
}
