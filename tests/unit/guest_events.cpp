// SPDX-License-Identifier: MIT
// What a guest is told at an entry, and what must not keep it inside.
#include "guest_vm.hpp"

using namespace fake;

namespace {

constexpr std::uint32_t cut = 0x80000031, other = 0x80000040;
constexpr std::uint64_t masking = 1u << 24;    // of the VMCB's offset 060h

}    // namespace

TEST_P(guest_both, is_told_of_an_event_once) {
    x().rflags = 0x202;
    x().event = {0x80000000 | 0x30, 0};
    x().flags |= HV_RUN_EVENT;
    enter();
    EXPECT_EQ(*vm.delivered(0), 0x80000030u);
    vm.guest_does(0, deed::halt);
    auto const before = vm.hw(0).injected.size();
    enter();
    EXPECT_EQ(vm.hw(0).injected.size(), before);
}

TEST_P(guest_both, gets_what_an_exit_cut_short_before_anything_else) {
    x().rflags = 0x202;
    enter();
    vm.guest_is_cut_short(0, 0x80000031);
    expect_exit(HV_GUEST_MEMORY);
    EXPECT_NE(x().state & HV_VCPU_EVENT_PENDING, 0u);
    x().event = {0x80000040, 0};
    x().flags = HV_RUN_EVENT;
    EXPECT_EQ(run(), ebusy);
    EXPECT_FALSE(vm.in_guest_vm(0));
    x().flags = 0;
    auto const before = vm.hw(0).injected.size();
    enter();
    ASSERT_EQ(vm.hw(0).injected.size(), before + 1);
    EXPECT_EQ(vm.hw(0).injected.back(), 0x80000031u);
}

TEST_P(guest_both, gets_an_interrupt_beside_the_window_that_is_waited_for) {
    x().rflags = 0x202;
    x().event = {0x80000030, 0};
    x().flags |= HV_RUN_EVENT | HV_RUN_WINDOW;
    enter();
    EXPECT_EQ(*vm.delivered(0), 0x80000030u);
}

TEST_P(guest_both, keeps_an_interrupt_that_it_had_no_time_to_take) {
    if (!on_svm()) GTEST_SKIP() << "with VMX an event is delivered by the entry itself";
    x().rflags = 0x202;
    x().event = {0x80000030, 0};
    x().flags |= HV_RUN_EVENT;
    vm.hw(0).svm.interrupt_comes_first = true;
    auto const before = vm.hw(0).injected.size();
    enter();
    EXPECT_EQ(vm.hw(0).injected.size(), before);
    vm.guest_does(0, deed::interrupted);
    EXPECT_EQ(x().state & HV_VCPU_EVENT_PENDING, std::uint32_t{HV_VCPU_EVENT_PENDING});
    vm.hw(0).svm.interrupt_comes_first = false;
    enter();
    EXPECT_EQ(vm.hw(0).injected.size(), before + 1);
    EXPECT_EQ(vm.hw(0).injected.back(), 0x80000030u);
    vm.guest_does(0, deed::interrupted);
    EXPECT_EQ(x().state & HV_VCPU_EVENT_PENDING, 0u);
}

TEST_P(guest_both, is_not_told_of_what_was_cut_short_where_the_root_vm_has_dropped_it) {
    x().rflags = 0x202;
    enter();
    vm.guest_is_cut_short(0, cut);
    expect_exit(HV_GUEST_MEMORY);
    EXPECT_EQ(x().event.event, cut);
    x().state &= ~std::uint32_t{HV_VCPU_EVENT_PENDING};
    auto const before = vm.hw(0).injected.size();
    enter();
    EXPECT_EQ(vm.hw(0).injected.size(), before);
    vm.guest_is_cut_short(0, cut);
    x().state = 0;
    x().event = {other, 0};
    x().flags = HV_RUN_EVENT;
    enter();
    ASSERT_EQ(vm.hw(0).injected.size(), before + 1);
    EXPECT_EQ(vm.hw(0).injected.back(), other);
}

TEST_P(guest_both, does_not_stay_for_ever_with_exits_that_the_core_answers) {
    enter();
    unsigned times = 0;
    for (; times < 5000 && vm.in_guest_vm(0); ++times) vm.guest_does(0, deed::cpuid);
    EXPECT_LT(times, 5000u);
    expect_exit(HV_GUEST_INTERRUPTED);
    enter();
    for (times = 0; times < 5000 && vm.in_guest_vm(0); ++times)
        vm.guest_does(0, deed::vendor_call);    // an exception each time
    EXPECT_LT(times, 5000u);
    expect_exit(HV_GUEST_INTERRUPTED);
    EXPECT_NE(x().state & HV_VCPU_EVENT_PENDING, 0u);
    auto const before = vm.hw(0).injected.size();
    enter();
    EXPECT_EQ(vm.hw(0).injected.size(), before + 1);
}

// As QEMU's VMRUN does where it fails: then the guest's IF would be the machine's.
TEST_P(guest_both, has_its_own_interrupt_flag_behind_an_entry_that_failed) {
    if (!on_svm()) GTEST_SKIP() << "no such bit";
    auto& svm = dynamic_cast<hoisted_svm&>(vm);
    enter();
    svm.v_guest(0).control.virtual_interrupt = 0;
    vm.guest_does(0, deed::halt);
    enter();
    EXPECT_EQ(svm.v_guest(0).control.virtual_interrupt & masking, masking);
}
