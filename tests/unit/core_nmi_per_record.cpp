// SPDX-License-Identifier: MIT
// An NMI behind each record that an instruction of the root VM brings about, where a launch asks
// for it.
#include "core_hoist.hpp"

using namespace fake;

namespace {

class nmi_per_record : public hoist_both {
protected:
    static constexpr std::uint32_t lstar = 0xc0000082;
    void SetUp() override { vm.common(0).nmi_per_record = true; }
    void load(std::uint16_t action) {
        ASSERT_EQ(vm.load({msr_rule(1, lstar, lstar, action)}), 0);
        forget_records();
    }
    std::uint64_t delivered() {
        std::uint64_t n = 0;
        for (auto const e : vm.hw(0).injected) n += e == nmi_event;
        return n;
    }
};

}    // namespace

TEST_P(nmi_per_record, comes_once_the_instruction_is_done) {
    load(HV_ACTION_LOG);
    EXPECT_EQ(vm.wrmsr(0, lstar, 0x1234), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), nmi_event);
    EXPECT_EQ(vm.hw(0).msrs(lstar), 0x1234u);
    EXPECT_EQ(one_record(0, HV_RECORD_MSR_LOGGED).address, lstar);
}

TEST_P(nmi_per_record, waits_behind_the_fault_of_what_was_denied) {
    load(HV_ACTION_DENY);
    EXPECT_EQ(vm.wrmsr(0, lstar, 0x1234), outcome::resumed);
    bool const faulted = vm.hw(0).injected.back() == general_protection ||
                         vm.hw(0).injected.back() == nmi_event;
    EXPECT_TRUE(faulted);
    // VMX exits for the window, SVM's CPU holds it in its latch until the fault is delivered.
    EXPECT_TRUE(vm.common(0).nmi_waits || delivered() == 1u);
    one_record(0, HV_RECORD_MSR_DENIED);
}

TEST_P(nmi_per_record, comes_behind_no_record_that_no_instruction_brought_about) {
    load(HV_ACTION_LOG);
    EXPECT_EQ(delivered(), 0u) << "POLICY_LOADED";
    EXPECT_EQ(vm.call(0, HV_CALL_POLICY_LOCK), 0);
    EXPECT_EQ(delivered(), 0u) << "POLICY_LOCKED";
}

TEST_P(nmi_per_record, comes_not_where_the_ring_is_full) {
    load(HV_ACTION_LOG);
    for (unsigned i = 0; i < HV_RING_RECORDS; ++i) vm.common(0).records.append({});
    auto const before = delivered();
    EXPECT_EQ(vm.wrmsr(0, lstar, 0x1234), outcome::resumed);
    EXPECT_EQ(delivered(), before);
    EXPECT_EQ(vm.shared(0).dropped, 1u);
}

TEST_P(nmi_per_record, is_for_the_cpus_whose_launch_asked) {
    load(HV_ACTION_LOG);
    EXPECT_EQ(vm.wrmsr(1, lstar, 0x1234), outcome::resumed);
    EXPECT_EQ(vm.delivered(1), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(on, nmi_per_record, both_backends(), backend_name);

TEST(nmi_per_record_launch, asks_by_a_flag_and_knows_no_other) {
    hoisted vm{1, root_vm::not_launched};
    auto args = vm.machine.arguments(0);
    args.flags = 2;
    EXPECT_EQ(vm.machine.launch(0, args), -EINVAL);
    EXPECT_EQ(args.step, std::uint32_t(HV_STEP_ARGUMENTS));
    args = vm.machine.arguments(0);
    args.flags = HV_LAUNCH_NMI_PER_RECORD;
    EXPECT_EQ(vm.machine.launch(0, args), 0);
    EXPECT_TRUE(vm.common(0).nmi_per_record);
}
