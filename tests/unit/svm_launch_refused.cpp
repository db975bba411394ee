// SPDX-License-Identifier: MIT
// CPUs with SVM that cannot be hoisted: one clear step and reason, and a CPU as it was.
#include "svm_launch.hpp"

using namespace svm;

TEST_F(svm_launch, is_refused_without_svm_in_cpuid) {
    vm.hw(0).leaves[0x80000001ull << 32].ecx &= ~4u;
    EXPECT_EQ(refused(0, HV_STEP_VENDOR, enodev).detail, 0u);
    vm.hw(0).leaves[0x80000001ull << 32].ecx |= 4u;
    vm.hw(0).leaves[0x80000000ull << 32].eax = 0x80000008;
    refused(0, HV_STEP_VENDOR, enodev);
}

TEST_F(svm_launch, is_refused_where_firmware_switched_svm_off) {
    for (std::uint64_t const value : {0x18ull, 0x10ull}) {
        msr(vm_cr) = value;
        EXPECT_EQ(refused(0, HV_STEP_FEATURE_CONTROL, enodev).detail, value);
    }
}

TEST_F(svm_launch, is_refused_while_another_hypervisor_holds_svm) {
    msr(efer) |= svme;
    msr(vm_hsave_pa) = 0x7654000;
    EXPECT_EQ(refused(0, HV_STEP_IN_USE, ebusy).detail, msr(efer));
}

TEST_F(svm_launch, is_refused_without_nested_paging) {
    vm.hw(0).leaves[0x8000000aull << 32].edx = 8;
    EXPECT_EQ(refused(0, HV_STEP_CAPABILITIES, enodev).detail, 8u);
}

TEST_F(svm_launch, is_refused_with_a_single_asid) {
    vm.hw(0).leaves[0x8000000aull << 32].ebx = 1;
    EXPECT_EQ(refused(0, HV_STEP_CAPABILITIES, enodev).detail, 1u);
}

TEST_F(svm_launch, is_refused_under_a_pat_that_the_core_cannot_use) {
    for (std::uint64_t const pat : {0x0407050600070100ull, 0x0407050606070106ull}) {
        msr(0x277) = pat;
        EXPECT_EQ(refused(0, HV_STEP_CAPABILITIES, enodev).detail, pat);
    }
}

TEST_F(svm_launch, is_refused_where_svme_does_not_stay_set) {
    vm.hw(0).svm.refuses_svme = true;
    EXPECT_EQ(refused(0, HV_STEP_SVME, eio).detail, msr(efer));
    vm.hw(0).svm.refuses_svme = false;
    EXPECT_EQ(start(0), 0);
}

TEST_F(svm_launch, is_refused_on_frames_that_are_not_write_back) {
    auto const at = vm.machine.hpa_of_page(0).raw;
    msr(0x202) = at & ~0x1fffffull;
    msr(0x203) = 0xffffe00800;
    EXPECT_EQ(refused(0, HV_STEP_HIDE, einval).detail, at);
    msr(0x203) = 0;
    msr(0x2ff) = 0xc02;
    refused(0, HV_STEP_MEMORY_TYPES, einval);
}

// Types cost no table here: what the pool runs out of is something else.
TEST_F(svm_launch, needs_no_table_for_memory_types) {
    msr(0xfe) = 0x520;
    for (std::uint32_t n = 0; n < 32; ++n) {
        msr(0x200 + 2 * n) = (n + 4) * 0x40000000ull;
        msr(0x201 + 2 * n) = 0xfffffff800;
    }
    auto args = vm.machine.arguments(0);
    args.top_of_ram = 64ull << 30;
    EXPECT_EQ(vm.machine.launch(0, args), 0);
}

TEST_F(svm_launch, without_large_leaves_runs_out_of_pool_pages) {
    vm.hw(0).leaves[0x80000001ull << 32].edx &= ~(1u << 26);    // no 1 GiB leaves
    auto args = vm.machine.arguments(0);
    args.top_of_ram = 80ull << 30;
    refused(0, HV_STEP_SECOND_STAGE, enomem, args);
    EXPECT_EQ(start(0), 0) << "but for 1 GiB they do";
    EXPECT_EQ(vm.leaf(0x20000000)->level, 2u);
}

TEST_F(svm_launch, is_refused_of_a_second_cpu_with_another_handle) {
    ASSERT_EQ(start(0), 0);
    auto args = vm.machine.arguments(1);
    ++args.handle;
    refused(1, HV_STEP_VENDOR, ebadf, args);
}

TEST_F(svm_launch, is_refused_of_a_second_cpu_first) { refused(1, HV_STEP_VENDOR, einval); }
