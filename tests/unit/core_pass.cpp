// SPDX-License-Identifier: MIT
// Exceptions of rules: values that an MSR may get, instructions that may write.
#include "core_hoist.hpp"

using namespace fake;

namespace {

constexpr std::uint64_t page = 0x1000, some = 0x1234000, smep = 1u << 20;
constexpr std::uint64_t writer = 0xffffffff81002000, outside = 0xffffffff81003000;
constexpr std::uint32_t lstar = 0xc0000082;

class exceptions : public hoist_both {
protected:
    void load(std::vector<hv_rule> const& rules) {
        ASSERT_EQ(vm.load(rules), 0);
        forget_records();
    }
    void expect_written(std::uint64_t value, std::uint32_t n = 0) {
        EXPECT_EQ(vm.wrmsr(n, lstar, value), outcome::resumed);
        EXPECT_EQ(vm.delivered(n), std::nullopt) << std::hex << value;
        expect_no_record(n);
    }
    void expect_denied(std::uint64_t value, std::uint32_t n = 0) {
        EXPECT_EQ(vm.wrmsr(n, lstar, value), outcome::resumed);
        EXPECT_EQ(vm.delivered(n), general_protection) << std::hex << value;
        EXPECT_EQ(one_record(n, HV_RECORD_MSR_DENIED).value, value);
    }
    std::uint64_t msr(std::uint32_t index) {
        EXPECT_EQ(vm.rdmsr(0, index), outcome::resumed);
        return vm.gpr(0).rax | vm.gpr(0).rdx << 32;
    }
    hv_rule unchanged() {
        auto r = passing(msr_rule(7, lstar, lstar), 0, 0);
        r.flags |= HV_RULE_UNCHANGED;
        return r;
    }
    hv::rights rights() { return vm.leaf(some)->allowed; }
    void write_from(std::uint64_t rip) {
        vm.set_rip(0, rip);
        EXPECT_EQ(vm.touch(0, some, HV_ACCESS_WRITE), outcome::resumed);
    }
};

}    // namespace

INSTANTIATE_TEST_SUITE_P(on, exceptions, both_backends(), backend_name);

TEST_P(exceptions, values_of_the_set_pass_without_a_record) {
    load({passing(msr_rule(7, lstar, lstar), writer, writer + 8)});
    for (auto const value : {writer, writer + 4, writer + 8}) expect_written(value);
    for (auto const value : {writer - 1, writer + 9, std::uint64_t{0}}) expect_denied(value);
    expect_denied(outside, 1);
}

TEST_P(exceptions, unchanged_is_the_value_that_the_rule_met) {
    forget_records();
    expect_written(writer);
    load({unchanged()});
    expect_written(writer);
    expect_denied(writer + 1);
    expect_written(writer, 1);
}

TEST_P(exceptions, unchanged_stays_what_it_was_when_other_rules_come) {
    forget_records();
    expect_written(writer);
    auto log = unchanged();
    log.action = HV_ACTION_LOG;
    load({log});
    EXPECT_EQ(vm.wrmsr(0, lstar, outside), outcome::resumed);
    load({log, msr_rule(9, 0x10, 0x10)});
    expect_written(writer);
    EXPECT_EQ(vm.wrmsr(0, lstar, outside), outcome::resumed);
    one_record(0, HV_RECORD_MSR_LOGGED);
}

TEST_P(exceptions, unchanged_holds_through_the_lock) {
    load({unchanged()});
    ASSERT_EQ(vm.call(0, HV_CALL_POLICY_LOCK), 0);
    EXPECT_EQ(vm.load({unchanged(), msr_rule(9, 0x10, 0x10)}), 0);
    EXPECT_EQ(vm.load({passing(msr_rule(7, lstar, lstar), 0, ~0ull)}), -1);
    forget_records();
    expect_denied(outside);
}

TEST_P(exceptions, unchanged_of_an_msr_that_cannot_be_read_is_refused) {
    load({msr_rule(3, lstar, lstar)});
    vm.hw(0).msrs.value.erase(0x150);
    auto r = passing(msr_rule(8, 0x150, 0x150), 0, 0);
    r.flags |= HV_RULE_UNCHANGED;
    EXPECT_EQ(vm.load({msr_rule(3, lstar, lstar), r}), -22);
    EXPECT_EQ(vm.mailbox<std::uint32_t>(), 2u);
    expect_denied(outside);
}

TEST_P(exceptions, a_register_bit_is_changed_by_the_instruction_that_may) {
    load({passing(cr_rule(5, 4, smep), writer, writer + 0xfff)});
    auto const before = vm.seen(0, 4);
    vm.set_rip(0, outside);
    vm.move_to_cr(0, 4, before & ~smep);
    EXPECT_EQ(vm.delivered(0), general_protection);
    EXPECT_EQ(one_record(0, HV_RECORD_CR_DENIED).rip, outside);
    vm.set_rip(0, writer + 4);
    vm.move_to_cr(0, 4, before & ~smep);
    EXPECT_EQ(vm.seen(0, 4), before & ~smep);
    expect_no_record(0);
}

TEST_P(exceptions, a_page_is_open_for_one_instruction_of_a_writer) {
    load({passing(memory_rule(6, some, some + page - 1), writer, writer + 0xfff)});
    EXPECT_EQ(rights(), hv::read_execute);
    write_from(outside);
    EXPECT_EQ(vm.delivered(0), general_protection);
    one_record(0, HV_RECORD_MEMORY_DENIED);
    EXPECT_EQ(rights(), hv::read_execute);
    write_from(writer + 0xfff);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    EXPECT_EQ(rights(), hv::all_rights);
    EXPECT_EQ(vm.end_step(0), outcome::resumed);
    EXPECT_EQ(rights(), hv::read_execute);
    expect_no_record(0);
}

TEST_P(exceptions, what_another_rule_denies_stays_denied) {
    load({passing(memory_rule(6, some, some + page - 1), writer, writer + 0xfff),
          memory_rule(8, some, some + 4 * page - 1)});
    write_from(writer);
    EXPECT_EQ(vm.delivered(0), general_protection);
    EXPECT_EQ(one_record(0, HV_RECORD_MEMORY_DENIED).rule, 8u);
    load({passing(memory_rule(6, some, some + page - 1), writer, writer + 0xfff),
          memory_rule(9, some, some + page - 1, HV_ACTION_LOG)});
    write_from(writer);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    EXPECT_EQ(one_record(0, HV_RECORD_MEMORY_LOGGED).rule, 9u);
    vm.end_slice(0);
}

// Two rules on one MSR with different exceptions: an entry of the index can name but one of them.
TEST_P(exceptions, of_two_rules_on_one_register_must_be_the_same) {
    auto const a = passing(msr_rule(1, 0x10, 0x20), 5, 6);
    for (auto const& b : {msr_rule(2, 0x20, 0x30), passing(msr_rule(2, 0x20, 0x20), 5, 7),
                          passing(msr_rule(2, 0, 0x10, HV_ACTION_LOG), 4, 6),
                          msr_rule(2, 0x18, 0x18, HV_ACTION_LOG)}) {
        EXPECT_EQ(vm.load({a, b}), -22);
        EXPECT_EQ(vm.mailbox<std::uint32_t>(), 2u);
        EXPECT_EQ(vm.load({b, a}), -22);
    }
    EXPECT_EQ(vm.load({a, passing(msr_rule(2, 0x20, 0x30), 5, 6), msr_rule(3, 0x31, 0x31)}), 0);
    EXPECT_EQ(vm.load({a, msr_rule(2, 0x20, 0x20, HV_ACTION_DENY, HV_ACCESS_READ)}), 0);
    EXPECT_EQ(vm.load({passing(cr_rule(1, 4, smep | 1), 5, 6), cr_rule(2, 4, 3)}), -22);
    EXPECT_EQ(vm.load({passing(cr_rule(1, 4, smep | 1), 5, 6), cr_rule(2, 4, 2)}), 0);
}

TEST_P(exceptions, of_memory_take_a_slice) {
    vm.set_time_slices(false);
    EXPECT_EQ(vm.load({passing(memory_rule(1, 0x1000, 0x1fff), 0, 9)}), -22);
    EXPECT_EQ(vm.load({passing(cr_rule(1, 4, 1), 0, 9)}), 0);
}

// In code that is not 64-bit, RIP counts from the base of CS.
TEST(exceptions_svm, the_instruction_is_told_by_its_linear_address) {
    hoisted_svm vm;
    ASSERT_EQ(vm.load({passing(memory_rule(6, some, some + page - 1), 0x2000, 0x2fff)}), 0);
    vm.v(0).save.cs.attributes = 0xc9b;
    vm.v(0).save.cs.base = 0x1000;
    vm.set_rip(0, 0x2000);
    EXPECT_EQ(vm.touch(0, some, HV_ACCESS_WRITE), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), general_protection);
    vm.v(0).save.cs.base = 0;
    vm.v(0).save.cs.attributes = 0xa9b;
    EXPECT_EQ(vm.touch(0, some, HV_ACCESS_WRITE), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    vm.run(0);
}
