// SPDX-License-Identifier: MIT
// What only VMX has of memory: time slices, EPT's memory types, and IRETs that are tried again.
#include "core_hoist.hpp"

using namespace fake;

namespace {

constexpr std::uint32_t R = HV_ACCESS_READ, W = HV_ACCESS_WRITE;
constexpr std::uint64_t page = 0x1000, some = 0x1234000;    // a page of ordinary memory

class ept_exit : public hoist {
protected:
    void SetUp() override { forget_records(); }
    hv::rights rights(std::uint64_t at) {
        auto const leaf = vm.machine.machine().stage.translate(hv::gpa{at});
        return leaf ? leaf->allowed : hv::rights::none;
    }
    void expect_retry(std::uint64_t at, std::uint32_t access, std::uint32_t n = 0) {
        auto const rip = vm.v(n)[field::rip];
        EXPECT_EQ(vm.touch(n, at, access), outcome::resumed);
        EXPECT_EQ(vm.delivered(n), std::nullopt);
        EXPECT_EQ(vm.v(n)[field::rip], rip);
    }
    bool timer_runs(std::uint32_t n) { return (vm.v(n)[field::pin] & 0x40) != 0; }
    outcome timer(std::uint32_t n) { return vm.exit(n, {.reason = 52}); }
};

}    // namespace

TEST_F(ept_exit, a_logged_write_happens_and_the_page_closes_again) {
    ASSERT_EQ(vm.load({memory_rule(6, some, some + page - 1, HV_ACTION_LOG, W)}), 0);
    forget_records();
    expect_retry(some + 8, W);
    auto const r = one_record(0, HV_RECORD_MEMORY_LOGGED);
    EXPECT_EQ(r.rule, 6u);
    EXPECT_EQ(r.address, some + 8);
    EXPECT_EQ(rights(some), hv::all_rights);
    EXPECT_TRUE(timer_runs(0));
    EXPECT_GT(vm.v(0)[field::timer], 0u);
    EXPECT_EQ(timer(0), outcome::resumed);
    EXPECT_FALSE(timer_runs(0));
    EXPECT_EQ(rights(some), hv::read_execute);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    expect_no_record(0);
}

// The timer starts anew at each entry unless exits save it: a guest that exits often would keep the
// page open.
TEST_F(ept_exit, exits_do_not_make_the_time_slice_longer) {
    ASSERT_EQ(vm.load({memory_rule(6, some, some + page - 1, HV_ACTION_LOG, W)}), 0);
    expect_retry(some, W);
    EXPECT_NE(vm.v(0)[field::exit] & 1u << 22, 0u) << "VM exits save the timer";
    timer(0);
    EXPECT_EQ(vm.v(0)[field::exit] & 1u << 22, 0u);
}

TEST_F(ept_exit, init_closes_what_the_cpu_has_open) {
    ASSERT_EQ(vm.load({memory_rule(1, some, some + page - 1, HV_ACTION_LOG, W)}), 0);
    expect_retry(some, W, 1);
    vm.exit(1, {.reason = 3});
    EXPECT_EQ(rights(some), hv::read_execute);
    EXPECT_FALSE(timer_runs(1));
}

TEST_F(ept_exit, an_iret_that_is_tried_again_finds_nmis_blocked) {
    vm.v(0).set(field::interruptibility, 0);
    EXPECT_EQ(vm.exit(0, {.reason = 48,
                          .qualification = R | 0x180 | 1u << 12,
                          .guest_physical = 0x2000000000}),
              outcome::resumed);
    EXPECT_EQ(vm.v(0)[field::interruptibility], 8u);
    vm.v(0).set(field::interruptibility, 0);
    vm.exit(0, {.reason = 48, .qualification = R | 0x180, .guest_physical = 0x2000000000});
    EXPECT_EQ(vm.v(0)[field::interruptibility], 0u);
}

TEST_F(ept_exit, mtrrs_of_the_root_vm_reach_the_second_stage) {
    auto type = [&](std::uint64_t at) {
        return vm.machine.machine().stage.translate(hv::gpa{at})->type;
    };
    EXPECT_EQ(type(0x20000000), hv::memory_type::wb);
    vm.hw(1).steps.clear();
    EXPECT_EQ(vm.wrmsr(0, 0x202, 0x20000001), outcome::resumed);    // WC
    EXPECT_EQ(vm.wrmsr(0, 0x203, 0xffff000800), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    EXPECT_EQ(type(0x20000000), hv::memory_type::wc);
    EXPECT_EQ(type(0x20ffffff), hv::memory_type::wc);
    EXPECT_EQ(type(0x21000000), hv::memory_type::wb);
    EXPECT_EQ(vm.hw(0).msrs(0x203), 0xffff000800u);
    EXPECT_GE(vm.hw(1).count(op::invept), 1u) << "on the other CPU too";
    expect_no_record(0);
    EXPECT_EQ(vm.findings(), 0u);
}
