// SPDX-License-Identifier: MIT
// One instruction of the root VM and back, under SVM: accesses that are only logged, and all that
// can come between.
#include "svm_step.hpp"

using namespace svm;

TEST_F(svm_step, each_exception_goes_on_as_the_cpu_raised_it) {
    auto const with_code = [](unsigned v) {
        return v == 8 || (v >= 10 && v <= 14) || v == 17 || v == 21;
    };
    log_page();
    for (unsigned v = 0; v < 22; ++v) {
        if (v == 1 || v == 2 || v == 3 || v == 4 || v == 8 || v == 9 || v == 15 || v == 18)
            continue;
        ASSERT_EQ(vm.touch(0, some, HV_ACCESS_WRITE), outcome::resumed);
        EXPECT_EQ(vm.exception(0, v, with_code(v) ? 0x123 : 0, 0xffff800000001234),
                  outcome::resumed);
        auto const code = with_code(v) ? 1ull << 11 | 0x123ull << 32 : 0;
        EXPECT_EQ(vm.delivered(0), 0x80000300u | v | code) << v;
        expect_no_step();
    }
    EXPECT_EQ(save().cr2, 0xffff800000001234u) << "of the page fault";
}

// INT3 and INTO are done when they are delivered; #MC is nobody's.
TEST_F(svm_step, leaves_traps_and_machine_checks_to_the_root_vm) {
    log_page();
    ASSERT_EQ(vm.touch(0, some, HV_ACCESS_WRITE), outcome::resumed);
    for (unsigned const v : {3u, 4u, 18u})
        EXPECT_EQ(vm.v(0).control.exception_intercepts >> v & 1, 0u) << v;
    vm.run(0);
}

TEST_F(svm_step, a_second_fault_in_a_step_makes_a_double_fault) {
    log_page();
    ASSERT_EQ(vm.touch(0, some, HV_ACCESS_WRITE), outcome::resumed);
    EXPECT_EQ(vm.exit(0, {.code = 0x4d, .info_1 = 0, .event = 0x80000b0d}), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), 0x80000b08u);
    expect_no_step();
}

TEST_F(svm_step, a_breakpoint_that_is_hit_in_a_step_is_the_root_vms) {
    log_page();
    ASSERT_EQ(vm.touch(0, some, HV_ACCESS_WRITE), outcome::resumed);
    EXPECT_EQ(vm.run(0, [](auto& s) { s.dr6 |= 2; }), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), debug_trap);
    EXPECT_EQ(save().dr6 & 0x400f, 2u);
    expect_no_step();
}

TEST_F(svm_step, what_dr6_held_before_stays) {
    log_page();
    save().dr6 |= step_trap | 1;
    ASSERT_EQ(vm.touch(0, some, HV_ACCESS_WRITE), outcome::resumed);
    EXPECT_EQ(vm.run(0), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    EXPECT_EQ(save().dr6 & 0x400f, 0x4001u);
}

TEST_F(svm_step, a_logged_write_happens_and_the_page_closes_again) {
    log_page();
    auto const rip = vm.rip(0);
    ASSERT_EQ(vm.touch(0, some + 8, HV_ACCESS_WRITE), outcome::resumed);
    EXPECT_EQ(vm.rip(0), rip);
    auto const r = one_record(0, HV_RECORD_MEMORY_LOGGED);
    EXPECT_EQ(r.rule, 6u);
    EXPECT_EQ(r.address, some + 8);
    EXPECT_EQ(r.reason, 0x400u);
    EXPECT_EQ(r.access, std::uint32_t(HV_ACCESS_WRITE));
    EXPECT_EQ(rights(some), hv::all_rights);
    EXPECT_NE(save().rflags & tf, 0u);
    auto const flushes = vm.flushes(1);
    EXPECT_EQ(vm.run(0), outcome::resumed);
    EXPECT_EQ(rights(some), hv::read_execute);
    EXPECT_EQ(vm.flushes(1), flushes + 1) << "on the other CPU too";
    expect_no_step();
    expect_no_record(0);
}

TEST_F(svm_step, an_access_of_two_pages_opens_both) {
    ASSERT_EQ(vm.load({memory_rule(6, some, some + 2 * page - 1, HV_ACTION_LOG)}), 0);
    ASSERT_EQ(vm.touch(0, some + page - 4, HV_ACCESS_WRITE), outcome::resumed);
    ASSERT_EQ(vm.touch(0, some + page, HV_ACCESS_WRITE), outcome::resumed);
    EXPECT_EQ(rights(some), hv::all_rights);
    EXPECT_EQ(rights(some + page), hv::all_rights);
    EXPECT_EQ(vm.run(0), outcome::resumed);
    EXPECT_EQ(rights(some), hv::read_execute);
    EXPECT_EQ(rights(some + page), hv::read_execute);
    expect_no_step();
}

TEST_F(svm_step, that_faults_elsewhere_closes_the_page) {
    log_page();
    ASSERT_EQ(vm.touch(0, some, HV_ACCESS_WRITE), outcome::resumed);
    EXPECT_EQ(vm.exception(0, 14, 2, 0x1000), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), page_fault);
    EXPECT_EQ(rights(some), hv::read_execute);
    ASSERT_EQ(vm.touch(0, some, HV_ACCESS_WRITE), outcome::resumed);
    EXPECT_EQ(vm.touch(0, vm.machine.hpa_of_page(0).raw, HV_ACCESS_WRITE), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), general_protection);
    EXPECT_EQ(rights(some), hv::read_execute);
    expect_no_step();
}

TEST_F(svm_step, ends_with_an_instruction_that_exits) {
    log_page();
    ASSERT_EQ(vm.touch(0, some, HV_ACCESS_WRITE), outcome::resumed);
    EXPECT_EQ(vm.rdmsr(0, 0x10), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    EXPECT_EQ(rights(some), hv::read_execute);
    expect_no_step();
    ASSERT_EQ(vm.touch(0, some, HV_ACCESS_WRITE), outcome::resumed);
    auto const rip = vm.rip(0);
    EXPECT_EQ(vm.call(0, HV_CALL_NOP), 0);
    EXPECT_EQ(vm.rip(0), rip + 3);
    EXPECT_EQ(rights(some), hv::read_execute);
    expect_no_step();
}

// A step would let PUSHF and SYSCALL store its trap flag: the page is open until an interrupt.
TEST_F(svm_step, a_logged_fetch_opens_the_page_until_an_interrupt) {
    constexpr std::uint32_t interrupt = 1;
    ASSERT_EQ(vm.load({memory_rule(6, some, some + page - 1, HV_ACTION_LOG, HV_ACCESS_EXECUTE)}),
              0);
    forget_records();
    ASSERT_EQ(vm.touch(0, some, HV_ACCESS_EXECUTE), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    EXPECT_EQ(save().rflags & 0x100, 0u);
    EXPECT_EQ(vm.leaf(some)->allowed, hv::all_rights);
    EXPECT_EQ(vm.v(0).control.intercepts_1 & interrupt, interrupt);
    EXPECT_EQ(vm.exit(0, {.code = 0x60}), outcome::resumed);
    EXPECT_EQ(vm.leaf(some)->allowed, hv::read_write);
    EXPECT_EQ(vm.v(0).control.intercepts_1 & interrupt, 0u);
    one_record(0, HV_RECORD_MEMORY_LOGGED);
}
