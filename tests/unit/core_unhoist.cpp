// SPDX-License-Identifier: MIT
// The way back: a CPU leaves the core with Linux's state, or stays and is told why.
#include "core_hoist.hpp"

using namespace fake;

namespace {

constexpr std::uint64_t door = 0xffffffffc0003000;

class unhoist : public hoist {
protected:
    void SetUp() override { forget_records(); }
    outcome leave(std::uint32_t n, std::uint64_t target = door) {
        gpr_before_ = vm.gpr(n);
        vm.gpr(n).rax = HV_CALL_UNHOIST;
        vm.gpr(n).rdi = board::secret;
        vm.gpr(n).rsi = target;
        return vm.exit(n, {.reason = 18});
    }
    void expect_refused(std::int64_t error, std::uint64_t target = door) {
        auto const rip = vm.v(0)[field::rip];
        EXPECT_EQ(leave(0, target), outcome::resumed);
        EXPECT_EQ(static_cast<std::int64_t>(vm.gpr(0).rax), error);
        EXPECT_EQ(vm.v(0)[field::rip], rip + 3);
        EXPECT_EQ(vm.shared(0).launched, 1u);
        expect_no_record(0);
    }
    void off(std::uint32_t n) {
        on_cpu const scope{vm.hw(n)};
        EXPECT_TRUE(vm.hw(n).vmclear(hv::hpa{vm.gpr(n).rdx}));
        vm.hw(n).vmxoff();
        vm.hw(n).write_cr4(vm.hw(n).cr4 & ~(1ull << 13));
    }
    hv::general_registers gpr_before_;
};

}    // namespace

TEST_F(unhoist, gives_linux_its_state_back) {
    vm.gpr(1) = {.r15 = 15, .r14 = 14, .r13 = 13, .r12 = 12, .rbp = 5, .rbx = 3};
    auto& v = vm.v(1);
    v.set(field::cr3, 0x9876001);
    v.set(field::rsp, 0xffffc90000123450);
    vm.hw(1).msrs.value[0xc0000101] = 0xffff88807dd00000;
    auto const cr4 = vm.seen(1, 4);
    ASSERT_EQ(leave(1), outcome::left);
    auto const& c = vm.hw(1);
    EXPECT_EQ(c.rip, door);
    EXPECT_EQ(c.cr0, 0x80050033u);
    EXPECT_EQ(c.cr3, 0x9876001u);
    EXPECT_EQ(c.cr4, cr4 | 1u << 13);
    EXPECT_EQ(v[field::host_rsp], 0xffffc90000123450u);
    EXPECT_EQ(c.cs, 0x10u);
    EXPECT_EQ(c.ss, 0x18u);
    EXPECT_EQ(c.tr, 0x40u);
    EXPECT_EQ(std::uint64_t{c.gdtr.base}, v[field::gdtr_base]);
    EXPECT_EQ(std::uint64_t{c.idtr.base}, 0xfffffe0000000000u);
    std::map<std::uint32_t, std::uint64_t> const expected{{0xc0000080, 0xd01},
                                                          {0x277, 0x0407050600070106},
                                                          {0xc0000100, 0},
                                                          {0xc0000101, 0xffff88807dd00000},
                                                          {0x174, 0x10},
                                                          {0x175, 0xfffffe0000001200},
                                                          {0x176, 0xffffffff81a01560}};
    for (auto const& [index, value] : expected)
        EXPECT_EQ(c.msrs(index), value) << std::hex << index;
    EXPECT_EQ(vm.gpr(1).rax, 0u);
    EXPECT_EQ(vm.gpr(1).rdx, c.current_at->raw);
    EXPECT_EQ(vm.gpr(1).r15 + vm.gpr(1).r12 + vm.gpr(1).rbp + vm.gpr(1).rbx, 35u);
    EXPECT_EQ(vm.shared(1).launched, 0u);
    one_record(1, HV_RECORD_UNHOISTED);
}

TEST_F(unhoist, nobody_waits_for_a_cpu_that_left) {
    ASSERT_EQ(leave(1), outcome::left);
    off(1);
    vm.machine.tick_step = 1ull << 30;
    EXPECT_EQ(vm.load({}), 0);
    EXPECT_EQ(vm.call(0, HV_CALL_RECORDS_RELEASE, 1, vm.shared(1).head), 0)
        << "its records can still be read";
}

TEST_F(unhoist, the_cpu_can_be_launched_again) {
    for (unsigned round = 0; round < 5; ++round) {
        ASSERT_EQ(leave(1), outcome::left);
        off(1);
        auto const head = vm.shared(1).head;
        auto args = vm.machine.arguments(1);
        ASSERT_EQ(vm.machine.launch(1, args), 0) << args.step;
        EXPECT_EQ(vm.shared(1).head, head + 1) << "one ring over all launches";
        EXPECT_EQ(vm.exit(1, {.reason = 10, .length = 2}), outcome::resumed);
        EXPECT_EQ(vm.load({}), 0);
    }
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_F(unhoist, rules_hold_on_a_cpu_that_comes_back) {
    ASSERT_EQ(leave(1), outcome::left);
    off(1);
    ASSERT_EQ(vm.load({cr_rule(1, 4, 1 << 20)}), 0);
    auto args = vm.machine.arguments(1);
    ASSERT_EQ(vm.machine.launch(1, args), 0);
    EXPECT_NE(vm.v(1)[field::cr4_mask] & 1u << 20, 0u);
}

TEST_F(unhoist, a_late_failure_of_a_second_launch_is_told_too) {
    ASSERT_EQ(leave(1), outcome::left);
    off(1);
    auto args = vm.machine.arguments(1);
    args.fail_step = HV_STEP_ENTRY;
    EXPECT_EQ(vm.machine.launch(1, args), -5);
    EXPECT_EQ(args.step, std::uint32_t{HV_STEP_ENTRY});
    EXPECT_EQ(args.root_state, 1u);
}

TEST_F(unhoist, is_refused_once_locked) {
    ASSERT_EQ(vm.call(0, HV_CALL_POLICY_LOCK), 0);
    forget_records();
    expect_refused(-1);
}

TEST_F(unhoist, is_refused_to_nowhere) {
    expect_refused(-22, 0);
    expect_refused(-22, 1ull << 47);
    expect_refused(-22, 0x8000000000000000);
}

TEST_F(unhoist, is_refused_where_a_vm_exit_cannot_go) {
    auto& v = vm.v(0);
    v.set(field::ss_selector, 0x1b);
    expect_refused(-22);
    v.set(field::ss_selector, 0x18);
    v.set(field::tr_selector, 0);
    expect_refused(-22);
    v.set(field::tr_selector, 0x40);
    v.set(field::cs_access, 0xc09b);    // compatibility mode
    v.set(field::rip, 0x1000);
    expect_refused(-22);
    v.set(field::cs_access, 0xa09b);
    EXPECT_EQ(leave(0), outcome::left);
}

TEST_F(unhoist, with_a_null_stack_segment) {
    vm.v(0).set(field::ss_selector, 0);
    vm.v(0).set(field::ss_access, 0x10000);
    EXPECT_EQ(leave(0), outcome::left);
}
