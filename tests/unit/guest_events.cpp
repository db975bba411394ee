// SPDX-License-Identifier: MIT
// What a guest is told at an entry, and what must not keep it inside.
#include "guest_vm.hpp"

using namespace fake;

namespace {

constexpr std::uint32_t cut = 0x80000031, other = 0x80000040;
constexpr std::uint64_t masking = 1u << 24;    // of the VMCB's offset 060h

}    // namespace

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
