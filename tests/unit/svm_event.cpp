// SPDX-License-Identifier: MIT
// Events that an exit met in delivery under SVM, and events that the core puts in their place.
#include "core_hoist.hpp"

using namespace fake;

namespace {

constexpr unsigned long long valid = 1u << 31;
constexpr std::uint64_t hole = 0x2000000000;    // not mapped yet: the exit leads to nothing else

class svm_event : public hoist_svm {
protected:
    void SetUp() override { forget_records(); }
    outcome page_fault_in(std::uint64_t event) {
        return vm.exit(0, {.code = 0x400, .info_1 = 4, .info_2 = next_ += 1 << 30, .event = event});
    }
    /// A nested fault that the core answers with #GP.
    outcome fault_in(std::uint64_t event) {
        auto const core = vm.machine.hpa_of_page(0).raw;
        return vm.exit(0, {.code = 0x400, .info_1 = 7, .info_2 = core, .event = event});
    }

private:
    std::uint64_t next_ = hole;
};

}    // namespace

TEST_F(svm_event, is_delivered_again) {
    for (unsigned long long const event :
         {valid | 0x30, valid | 2ull << 8 | 2, valid | 3ull << 8 | 6,
          valid | 3ull << 8 | 1ull << 11 | 13 | 0x28ull << 32,
          valid | 3ull << 8 | 1ull << 11 | 14 | 0x2ull << 32}) {
        EXPECT_EQ(page_fault_in(event), outcome::resumed);
        EXPECT_EQ(vm.delivered(0), event) << std::hex << event;
    }
}

// APM 2 15.20: those the instruction raises again, RIP is still in front of it.
TEST_F(svm_event, of_an_instruction_is_left_to_the_instruction) {
    for (unsigned long long const event :
         {valid | 4ull << 8 | 0x80, valid | 3ull << 8 | 3, valid | 3ull << 8 | 4}) {
        EXPECT_EQ(page_fault_in(event), outcome::resumed);
        EXPECT_EQ(vm.delivered(0), std::nullopt) << std::hex << event;
    }
}

TEST_F(svm_event, of_an_exit_before_is_not_delivered) {
    EXPECT_EQ(page_fault_in(valid | 0x30), outcome::resumed);
    EXPECT_EQ(page_fault_in(0), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
}

TEST_F(svm_event, gives_way_to_a_fault) {
    EXPECT_EQ(fault_in(valid | 0x30), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), general_protection);
    EXPECT_EQ(fault_in(valid | 2ull << 8 | 2), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), general_protection);
    EXPECT_EQ(fault_in(valid | 3ull << 8 | 6), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), general_protection) << "a benign one";
}

TEST_F(svm_event, becomes_a_double_fault_with_a_second) {
    for (std::uint64_t const vector : {0u, 10u, 11u, 12u, 13u, 14u}) {
        EXPECT_EQ(fault_in(valid | 3ull << 8 | vector), outcome::resumed);
        EXPECT_EQ(vm.delivered(0), valid | 3u << 8 | 1u << 11 | 8) << vector;
    }
}

TEST_F(svm_event, becomes_a_reset_with_a_third) {
    EXPECT_EQ(fault_in(valid | 3ull << 8 | 1ull << 11 | 8), outcome::reset);
    auto const all = vm.records(0);
    EXPECT_EQ(all.back().kind, HV_RECORD_TRIPLE_FAULT);
}

TEST_F(svm_event, has_no_error_code_in_real_mode) {
    auto& s = vm.v(0).save;
    s.cr0 &= ~(1ull << 31 | 1);
    s.efer &= ~0x400ull;
    vm.hw(0).msrs.value[0xc0000080] = s.efer;
    s.cs.attributes = 0x9b;
    s.rip = 0x1000;
    EXPECT_EQ(fault_in(0), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), valid | 3u << 8 | 13);
}

// The trap flag of the core's step must not end up in the flags that the delivery pushes: they are
// the root VM's, and may be popped on another CPU.
TEST_F(svm_event, is_not_delivered_with_the_trap_flag_of_a_step) {
    constexpr std::uint64_t stack = 0x1234000;
    ASSERT_EQ(vm.load({memory_rule(6, stack, stack + 0xfff, HV_ACTION_LOG)}), 0);
    forget_records();
    EXPECT_EQ(vm.exit(0, {.code = 0x400, .info_1 = 7, .info_2 = stack, .event = valid | 0x30}),
              outcome::resumed);
    EXPECT_EQ(vm.delivered(0), valid | 0x30);
    one_record(0, HV_RECORD_MEMORY_LOGGED);
    EXPECT_EQ(vm.v(0).save.rflags & 0x100, 0u);
}
