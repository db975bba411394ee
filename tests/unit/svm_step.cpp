// SPDX-License-Identifier: MIT
// One instruction of the root VM and back, under SVM: writes of CR0 and CR4 that a rule watches.
#include "svm_step.hpp"

using namespace svm;

TEST_F(svm_step, no_rule_no_exit) {
    EXPECT_FALSE(intercepted(0) || intercepted(4));
    ASSERT_EQ(vm.load({cr_rule(5, 4, smep)}), 0);
    for (std::uint32_t const n : {0u, 1u}) {
        EXPECT_TRUE(intercepted(4, n));
        EXPECT_FALSE(intercepted(0, n));
    }
    ASSERT_EQ(vm.load({}), 0);
    EXPECT_FALSE(intercepted(4) || intercepted(4, 1));
}

TEST_F(svm_step, a_rule_keeps_smep_on_every_cpu) {
    ASSERT_EQ(vm.load({cr_rule(5, 4, smep | smap)}), 0);
    for (std::uint32_t const n : {0u, 1u}) {
        expect_denied(4, cr4() & ~smep, 5, n);
        expect_denied(4, cr4() & ~(smep | smap | umip), 5, n);
    }
    expect_taken(4, cr4() & ~umip);
    expect_no_record(0);
    ASSERT_EQ(vm.load({}), 0);
    expect_taken(4, cr4() & ~smep);
}

TEST_F(svm_step, a_rule_only_stops_what_leads_away_from_the_value_it_met) {
    expect_taken(4, cr4() & ~smep);
    ASSERT_EQ(vm.load({cr_rule(5, 4, smep)}), 0);
    expect_denied(4, cr4() | smep, 5);
}

TEST_F(svm_step, log_lets_it_happen) {
    ASSERT_EQ(vm.load({cr_rule(6, 0, wp | ts, HV_ACTION_LOG)}), 0);
    forget_records();
    auto const before = cr0();
    auto const rip = vm.rip(0);
    expect_taken(0, before & ~wp);
    auto const r = one_record(0, HV_RECORD_CR_LOGGED);
    EXPECT_EQ(r.rule, 6u);
    EXPECT_EQ(r.value, before & ~wp);
    EXPECT_EQ(r.old_value, before);
    EXPECT_EQ(r.rip, rip);
    EXPECT_TRUE(intercepted(0)) << "the next one exits again";
}

TEST_F(svm_step, deny_wins_over_log) {
    ASSERT_EQ(vm.load({cr_rule(1, 4, smep, HV_ACTION_LOG), cr_rule(2, 4, smep | smap)}), 0);
    expect_denied(4, cr4() & ~smep, 2);
}

// Leaving paging takes EFER.LMA with it; what is denied gives it back.
TEST_F(svm_step, a_denied_write_gives_the_mode_back) {
    ASSERT_EQ(vm.load({cr_rule(1, 0, pg)}), 0);
    forget_records();
    auto const efer = save().efer;
    auto const flushes = vm.flushes(0);
    ASSERT_EQ(vm.exit(0, {.code = 0x10}), outcome::resumed);
    vm.hw(0).msrs.value[0xc0000080] &= ~0x400ull;
    EXPECT_EQ(vm.run(0, [](auto& s) { s.cr0 &= ~pg; }), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), general_protection);
    EXPECT_EQ(save().efer, efer);
    EXPECT_NE(cr0() & pg, 0u);
    EXPECT_EQ(vm.flushes(0), flushes + 1) << "translations of the mode that was not to be";
}

TEST_F(svm_step, a_step_holds_interrupts_off) {
    ASSERT_EQ(vm.load({cr_rule(1, 4, smep)}), 0);
    save().rflags = 0x202;
    ASSERT_EQ(vm.exit(0, {.code = 0x14}), outcome::resumed);
    EXPECT_EQ(vm.v(0).control.interrupt_shadow & 1, 1u);
    EXPECT_EQ(save().rflags, 0x202 | tf);
    EXPECT_FALSE(intercepted(4)) << "or it would never be executed";
    ASSERT_EQ(vm.run(0), outcome::resumed);
    EXPECT_TRUE(intercepted(4));
    EXPECT_EQ(save().rflags, 0x202u);
}

TEST_F(svm_step, an_instruction_that_faults_is_the_root_vms_own) {
    ASSERT_EQ(vm.load({cr_rule(1, 4, smep)}), 0);
    forget_records();
    auto const rip = vm.rip(0);
    ASSERT_EQ(vm.exit(0, {.code = 0x14}), outcome::resumed);
    EXPECT_EQ(vm.exception(0, 13), outcome::resumed);    // a reserved bit of CR4
    EXPECT_EQ(vm.delivered(0), general_protection);
    EXPECT_EQ(vm.rip(0), rip);
    expect_no_step();
    EXPECT_TRUE(intercepted(4));
    expect_no_record(0);
}

TEST_F(svm_step, the_root_vms_own_trap_flag_gets_its_trap) {
    ASSERT_EQ(vm.load({cr_rule(1, 4, smep)}), 0);
    save().rflags = 2 | tf;
    EXPECT_EQ(vm.move_to_cr(0, 4, cr4() & ~umip), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), debug_trap);
    EXPECT_NE(save().dr6 & step_trap, 0u);
    EXPECT_EQ(save().rflags, 2 | tf);
    EXPECT_EQ(vm.core(0).step.reasons, 0u);
}

TEST_F(svm_step, the_root_vms_own_trap_flag_and_a_denied_write_fault) {
    ASSERT_EQ(vm.load({cr_rule(1, 4, smep)}), 0);
    save().rflags = 2 | tf;
    EXPECT_EQ(vm.move_to_cr(0, 4, cr4() & ~smep), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), general_protection);
    EXPECT_EQ(save().dr6 & step_trap, 0u);
    EXPECT_EQ(save().rflags, 2 | tf);
}

TEST_F(svm_step, a_shoot_down_in_the_middle_leaves_it_as_it_is) {
    ASSERT_EQ(vm.load({cr_rule(1, 4, smep)}), 0);
    ASSERT_EQ(vm.exit(0, {.code = 0x14}), outcome::resumed);
    EXPECT_EQ(vm.load({cr_rule(1, 4, smep), msr_rule(2, 1, 1)}, 2, 1), 0);
    EXPECT_FALSE(intercepted(4)) << "or the write would exit for ever";
    auto const before = cr4();
    EXPECT_EQ(vm.run(0, [](auto& s) { s.cr4 &= ~smep; }), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), general_protection);
    EXPECT_EQ(cr4(), before);
    expect_no_step();
}

TEST_F(svm_step, a_rule_that_comes_in_the_middle_judges_too) {
    ASSERT_EQ(vm.load({cr_rule(1, 4, smep, HV_ACTION_LOG)}), 0);
    ASSERT_EQ(vm.exit(0, {.code = 0x14}), outcome::resumed);
    ASSERT_EQ(vm.load({cr_rule(2, 4, smep)}, 2, 1), 0);
    auto const before = cr4();
    EXPECT_EQ(vm.run(0, [](auto& s) { s.cr4 &= ~smep; }), outcome::resumed);
    EXPECT_EQ(cr4(), before);
    ASSERT_EQ(vm.load({cr_rule(2, 4, smep)}), 0);
    ASSERT_EQ(vm.exit(0, {.code = 0x14}), outcome::resumed);
    ASSERT_EQ(vm.load({}, 3, 1), 0);
    EXPECT_EQ(vm.run(0, [](auto& s) { s.cr4 &= ~smep; }), outcome::resumed);
    EXPECT_EQ(cr4(), before & ~smep);
}
