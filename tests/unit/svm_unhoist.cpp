// SPDX-License-Identifier: MIT
// The way back under SVM: a CPU leaves the core with Linux's state, or stays and is told why.
#include "core_hoist.hpp"

using namespace fake;

namespace {

constexpr std::uint64_t door = 0xffffffffc0003000, table = 0x3456000;
constexpr std::uint32_t efer = 0xc0000080;
constexpr std::int64_t einval = -22, eperm = -1;

class svm_unhoist : public hoist_svm {
protected:
    void SetUp() override { forget_records(); }
    outcome leave(std::uint32_t n, std::uint64_t target = door, std::uint64_t tables = table) {
        vm.gpr(n).rax = HV_CALL_UNHOIST;
        vm.gpr(n).rdi = board::secret;
        vm.gpr(n).rsi = target;
        vm.gpr(n).rdx = tables;
        return vm.hypercall(n);
    }
    void expect_refused(std::int64_t error, std::uint64_t target = door,
                        std::uint64_t tables = table) {
        auto const rip = vm.rip(0);
        EXPECT_EQ(leave(0, target, tables), outcome::resumed);
        EXPECT_EQ(static_cast<std::int64_t>(vm.gpr(0).rax), error);
        EXPECT_EQ(vm.rip(0), rip + 3);
        EXPECT_EQ(vm.shared(0).launched, 1u);
        expect_no_record(0);
    }
    /// What Linux owes: its own tables and registers, STGI, and EFER.SVME off.
    void take_over(std::uint32_t n) {
        auto& hw = vm.hw(n);
        auto const& s = vm.v(n).save;
        EXPECT_FALSE(hw.svm.gif);
        hw.gdtr = {static_cast<std::uint16_t>(s.gdtr.limit), s.gdtr.base};
        hw.idtr = {static_cast<std::uint16_t>(s.idtr.limit), s.idtr.base};
        hw.cs = s.cs.selector;
        hw.ss = s.ss.selector;
        hw.cr0 = s.cr0;
        hw.cr3 = s.cr3;
        hw.cr4 = s.cr4;
        hw.svm.gif = true;
        hw.msrs.value[efer] = s.efer & ~0x1000ull;
        hw.msrs.value[0xc0010117] = 0;
    }
};

}    // namespace

TEST_F(svm_unhoist, gives_linux_its_state_back) {
    vm.gpr(1) = {.r15 = 15, .r14 = 14, .r13 = 13, .r12 = 12, .rbp = 5, .rbx = 3};
    vm.v(1).save.rsp = 0xffffc90000123450;
    vm.hw(1).msrs.value[0xc0000101] = 0xffff88807dd00000;
    vm.hw(1).msrs.value[0x277] = 0x0407050600070106;
    ASSERT_EQ(leave(1), outcome::left);
    auto const& c = vm.hw(1);
    EXPECT_EQ(c.rip, door);
    EXPECT_EQ(c.cr3, table);
    EXPECT_EQ(vm.v(1).save.rsp, 0xffffc90000123450u);
    EXPECT_EQ(c.tr, 0x40u);
    EXPECT_EQ(c.svm.tr.base, 0xfffffe0000003000u);
    EXPECT_FALSE(c.svm.gif);
    EXPECT_EQ(c.msrs(efer), 0x1d00u) << "the core's, with SVME";
    std::map<std::uint32_t, std::uint64_t> const expected{
        {0x277, 0x0407050600070106},      {0xc0000100, 0}, {0xc0000101, 0xffff88807dd00000},
        {0xc0000082, 0xffffffff81a00080}, {0x174, 0x10},   {0x175, 0xfffffe0000001200},
        {0x176, 0xffffffff81a01560}};
    for (auto const& [index, value] : expected)
        EXPECT_EQ(c.msrs(index), value) << std::hex << index;
    auto const& r = vm.gpr(1);
    EXPECT_EQ(r.r15 + r.r14 + r.r13 + r.r12 + r.rbp + r.rbx, 62u);
    EXPECT_EQ(vm.shared(1).launched, 0u);
    EXPECT_EQ(one_record(1, HV_RECORD_UNHOISTED).reason, 0x81u);
}

TEST_F(svm_unhoist, nobody_waits_for_a_cpu_that_left) {
    ASSERT_EQ(leave(1), outcome::left);
    vm.machine.tick_step = 1ull << 30;
    EXPECT_EQ(vm.load({}), 0);
    EXPECT_EQ(vm.call(0, HV_CALL_RECORDS_RELEASE, 1, vm.shared(1).head), 0)
        << "its records can still be read";
}

TEST_F(svm_unhoist, the_cpu_can_be_launched_again) {
    for (unsigned round = 0; round < 5; ++round) {
        ASSERT_EQ(leave(1), outcome::left);
        take_over(1);
        auto const head = vm.shared(1).head;
        auto args = vm.machine.arguments(1);
        ASSERT_EQ(vm.machine.launch(1, args), 0) << args.step;
        EXPECT_EQ(vm.shared(1).head, head + 1) << "one ring over all launches";
        EXPECT_EQ(vm.hw(1).svm.flushes, 2 * round + 2);
        EXPECT_EQ(vm.load({}), 0);
    }
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_F(svm_unhoist, rules_hold_on_a_cpu_that_comes_back) {
    ASSERT_EQ(leave(1), outcome::left);
    take_over(1);
    ASSERT_EQ(vm.load({cr_rule(1, 4, 1 << 20)}), 0);
    auto args = vm.machine.arguments(1);
    ASSERT_EQ(vm.machine.launch(1, args), 0);
    EXPECT_EQ(vm.v(1).control.cr_intercepts, 1u << 20);
}

TEST_F(svm_unhoist, a_late_failure_of_a_second_launch_is_told_too) {
    ASSERT_EQ(leave(1), outcome::left);
    take_over(1);
    auto args = vm.machine.arguments(1);
    args.fail_step = HV_STEP_ENTRY;
    EXPECT_EQ(vm.machine.launch(1, args), -5);
    EXPECT_EQ(args.step, std::uint32_t{HV_STEP_ENTRY});
    EXPECT_EQ(args.root_state, 1u);
}

// The NMI handler that runs, the step that is under way: nothing of it is left at the next launch.
TEST_F(svm_unhoist, nothing_is_left_over_for_the_next_launch) {
    vm.nmi(1);
    vm.nmi(1);
    ASSERT_EQ(leave(1), outcome::left);
    EXPECT_TRUE(vm.hw(1).svm.nmi.load()) << "Linux gets the NMI that waited, when GIF opens";
    vm.hw(1).svm.nmi = false;
    take_over(1);
    auto args = vm.machine.arguments(1);
    ASSERT_EQ(vm.machine.launch(1, args), 0);
    EXPECT_EQ(vm.v(1).control.intercepts_1 >> 20 & 1, 0u) << "no IRET is awaited";
    vm.nmi(1);
    EXPECT_EQ(vm.delivered(1), nmi_event);
}

TEST_F(svm_unhoist, closes_what_the_cpu_has_open) {
    constexpr std::uint64_t some = 0x1234000;
    ASSERT_EQ(vm.load({memory_rule(1, some, some + 0xfff, HV_ACTION_LOG)}), 0);
    vm.touch(1, some, HV_ACCESS_WRITE);
    ASSERT_EQ(leave(1), outcome::left);
    EXPECT_EQ(vm.leaf(some)->allowed, hv::read_execute) << "CPU 0 goes on under the rule";
    EXPECT_EQ(vm.v(1).save.rflags & 0x100, 0u);
}

TEST_F(svm_unhoist, that_is_refused_in_a_step_ends_the_step) {
    constexpr std::uint64_t some = 0x1234000;
    ASSERT_EQ(vm.load({memory_rule(1, some, some + 0xfff, HV_ACTION_LOG)}), 0);
    vm.touch(0, some, HV_ACCESS_WRITE);
    forget_records();
    expect_refused(einval, 0);
    EXPECT_EQ(vm.leaf(some)->allowed, hv::read_execute);
    EXPECT_EQ(vm.v(0).save.rflags & 0x100, 0u);
}

TEST_F(svm_unhoist, that_is_refused_in_a_step_keeps_the_nmi_that_waits) {
    constexpr std::uint64_t some = 0x1234000;
    ASSERT_EQ(vm.load({memory_rule(1, some, some + 0xfff, HV_ACTION_LOG)}), 0);
    vm.touch(0, some, HV_ACCESS_WRITE);
    vm.nmi(0);
    EXPECT_EQ(leave(0, 0), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), nmi_event);
}

TEST_F(svm_unhoist, is_refused_once_locked) {
    ASSERT_EQ(vm.call(0, HV_CALL_POLICY_LOCK), 0);
    forget_records();
    expect_refused(eperm);
}

TEST_F(svm_unhoist, is_refused_to_nowhere) {
    expect_refused(einval, 0);
    expect_refused(einval, 1ull << 47);
    expect_refused(einval, 0x8000000000000000);
}

TEST_F(svm_unhoist, is_refused_on_a_table_that_is_none) {
    expect_refused(einval, door, table + 8);
    expect_refused(einval, door, table | 1ull << 63);
    expect_refused(einval, door, board::top_of_ram);
    expect_refused(einval, door, ~0xfffull);
    for (std::uint64_t page = 0; page < vm.machine.core_pages(); page += 7)
        expect_refused(einval, door, vm.machine.hpa_of_page(page).raw);
    ASSERT_EQ(vm.call(0, HV_CALL_DONATE, table, 1), 0);
    forget_records();
    expect_refused(einval);
}

TEST_F(svm_unhoist, is_refused_outside_64_bit_code) {
    vm.v(0).save.cs.attributes = 0xc9b;    // compatibility mode
    vm.v(0).save.rip = 0x1000;
    expect_refused(einval);
    vm.v(0).save.cs.attributes = 0xa9b;
    EXPECT_EQ(leave(0), outcome::left);
}
