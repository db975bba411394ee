// SPDX-License-Identifier: MIT
// CPUs and arguments that cannot be hoisted: one clear step and reason, and a CPU as it was.
#include "core_hoist.hpp"

using namespace fake;

namespace {

class launch_refused : public testing::Test {
protected:
    void TearDown() override {
        for (auto const& problem : vm.problems) ADD_FAILURE() << problem;
    }
    void expect(std::uint32_t step, std::int64_t error, std::uint64_t detail) {
        auto args = vm.machine.arguments(0);
        expect(step, error, detail, args);
    }
    void expect(std::uint32_t step, std::int64_t error, std::uint64_t detail, hv_launch args) {
        auto const cr4 = vm.hw(0).cr4;
        auto const msrs = vm.hw(0).msrs.value;
        EXPECT_EQ(vm.machine.launch(0, args), error);
        EXPECT_EQ(args.step, step);
        EXPECT_EQ(args.detail, detail);
        EXPECT_EQ(args.root_state, 0u);
        EXPECT_EQ(vm.hw(0).cr4, cr4);
        EXPECT_FALSE(vm.hw(0).vmx_on);
        EXPECT_TRUE(vm.hw(0).msrs.value == msrs);
    }
    /// Clears `bits` of the allowed-1 half of a capability MSR.
    void forbid(std::uint32_t index, std::uint32_t bits) {
        vm.hw(0).msrs.value[index] &= ~(std::uint64_t{bits} << 32);
    }
    std::uint64_t& msr(std::uint32_t index) { return vm.hw(0).msrs.value[index]; }

    hoisted vm{2, hoisted::not_launched};
};

constexpr std::int64_t einval = -22, enodev = -19, ebusy = -16, eio = -5, enomem = -12, ebadf = -9;

}    // namespace

TEST_F(launch_refused, without_vmx_in_cpuid) {
    vm.hw(0).leaves[1ull << 32].ecx &= ~(1u << 5);
    expect(HV_STEP_VENDOR, enodev, 0);
}

TEST_F(launch_refused, where_firmware_locked_vmx_off) {
    msr(0x3a) = 1;
    expect(HV_STEP_FEATURE_CONTROL, enodev, 1);
    msr(0x3a) = 3;    // only inside SMX
    expect(HV_STEP_FEATURE_CONTROL, enodev, 3);
}

TEST_F(launch_refused, where_firmware_left_feature_control_open) {
    msr(0x3a) = 0;
    expect(HV_STEP_FEATURE_CONTROL, enodev, 0);
}

TEST_F(launch_refused, while_another_hypervisor_holds_vmx) {
    vm.hw(0).cr4 |= 1u << 13;
    expect(HV_STEP_IN_USE, ebusy, vm.hw(0).cr4);
    EXPECT_EQ(vm.hw(0).count(op::vmxon), 0u);
}

TEST_F(launch_refused, without_true_controls) {
    msr(0x480) &= ~(1ull << 55);
    for (std::uint32_t index = 0x48d; index <= 0x490; ++index) vm.hw(0).msrs.value.erase(index);
    expect(HV_STEP_CAPABILITIES, enodev, 0x480);
}

// A CPU without EPT and VPID has no MSR 0x48c, one without secondary controls no 0x48b either:
// reading them faults in Linux.
TEST_F(launch_refused, without_ept) {
    forbid(0x48b, 1u << 1 | 1u << 5 | 1u << 7);
    vm.hw(0).msrs.value.erase(0x48c);
    expect(HV_STEP_CAPABILITIES, enodev, 0x48b);
}

TEST_F(launch_refused, without_secondary_controls) {
    forbid(0x48e, 1u << 31);
    vm.hw(0).msrs.value.erase(0x48b);
    vm.hw(0).msrs.value.erase(0x48c);
    expect(HV_STEP_CAPABILITIES, enodev, 0x48e);
}

TEST_F(launch_refused, without_unrestricted_guest) {
    forbid(0x48b, 1u << 7);
    expect(HV_STEP_CAPABILITIES, enodev, 0x48b);
}

TEST_F(launch_refused, without_vpid) {
    forbid(0x48b, 1u << 5);
    expect(HV_STEP_CAPABILITIES, enodev, 0x48b);
}

TEST_F(launch_refused, without_each_needed_control) {
    struct {
        std::uint32_t index, bit;
    } const needed[] = {{0x48d, 3},  {0x48d, 5},  {0x48e, 28}, {0x48f, 9},
                        {0x48f, 18}, {0x48f, 19}, {0x48f, 20}, {0x48f, 21},
                        {0x490, 9},  {0x490, 14}, {0x490, 15}};
    for (auto const& n : needed) {
        auto const before = msr(n.index);
        forbid(n.index, 1u << n.bit);
        expect(HV_STEP_CAPABILITIES, enodev, n.index);
        msr(n.index) = before;
    }
}

TEST_F(launch_refused, without_each_needed_property_of_ept) {
    for (unsigned const bit : {6u, 14u, 20u, 26u, 32u, 42u}) {
        auto const before = msr(0x48c);
        msr(0x48c) &= ~(1ull << bit);
        expect(HV_STEP_CAPABILITIES, enodev, 0x48c);
        msr(0x48c) = before;
    }
}

TEST_F(launch_refused, without_wait_for_sipi) {
    msr(0x485) &= ~(1ull << 8);
    expect(HV_STEP_CAPABILITIES, enodev, 0x485);
}

TEST_F(launch_refused, with_mtrrs_that_say_nonsense) {
    msr(0x2ff) = 0xc02;
    expect(HV_STEP_MEMORY_TYPES, einval, 0);
}

TEST_F(launch_refused, on_frames_that_are_not_write_back) {
    auto const at = vm.machine.hpa_of_page(0).raw;
    msr(0x202) = at & ~0x1fffffull;
    msr(0x203) = 0xffffe00800;
    expect(HV_STEP_HIDE, einval, at);
}

TEST_F(launch_refused, when_vmxon_fails) {
    vm.hw(0).fail_vmxon = true;
    expect(HV_STEP_VMXON, ebusy, 0);
}

TEST_F(launch_refused, when_vmclear_fails) {
    vm.hw(0).fail_vmclear = true;
    expect(HV_STEP_VMCLEAR, eio, 0);
}

TEST_F(launch_refused, when_vmptrld_fails) {
    vm.hw(0).fail_vmptrld = true;
    expect(HV_STEP_VMPTRLD, eio, 0);
}

TEST_F(launch_refused, when_invept_fails) {
    vm.hw(0).fail_invept = true;
    expect(HV_STEP_GUEST_STATE, eio, 0);
}

TEST_F(launch_refused, with_the_instruction_error_where_vmlaunch_refuses) {
    vm.hw(0)
        .msrs.value[0x488] = 0x202000;    // VMX needs SMAP: the core's CR4 takes it from the MSR
    vm.hw(0).msrs.value[0x489] &= ~(1ull << 18);    // and no OSXSAVE, which it wants
    expect(HV_STEP_VMLAUNCH, eio, 8);
    EXPECT_EQ(vm.shared(0).launched, 0u);
    EXPECT_EQ(vm.core(0).base.state.load(), hv::cpu_state::absent);
}

TEST_F(launch_refused, out_of_pool_pages) {
    // A page of another type in each of 32 GiB: each needs two tables, the pool has 64 in all.
    msr(0xfe) = 0x520;
    for (std::uint32_t n = 0; n < 32; ++n) {
        msr(0x200 + 2 * n) = (n + 4) * 0x40000000ull;
        msr(0x201 + 2 * n) = 0xfffffff800;
    }
    auto args = vm.machine.arguments(0);
    args.top_of_ram = 64ull << 30;
    expect(HV_STEP_SECOND_STAGE, enomem, 0, args);
}

TEST_F(launch_refused, with_unsound_arguments) {
    auto broken = [this](auto change, std::int64_t error = einval) {
        auto args = vm.machine.arguments(0);
        change(args);
        expect(HV_STEP_ARGUMENTS, error, 0, args);
    };
    broken([](hv_launch& a) { a.version = HV_ABI_VERSION + 1; });
    broken([](hv_launch& a) { a.size -= 16; });
    broken([](hv_launch& a) { a.cpus = 0; });
    broken([](hv_launch& a) { a.cpus = 257; });
    broken([](hv_launch& a) { a.cpu = 2; });
    broken([](hv_launch& a) { a.chunks = 0; });
    broken([](hv_launch& a) { a.chunks = 65; });
    broken([](hv_launch& a) { a.handle = 0; });
    broken([](hv_launch& a) { a.table_pages = 3; });
}

TEST_F(launch_refused, with_chunks_that_do_not_make_up_the_layout) {
    auto broken = [this](auto change) {
        auto args = vm.machine.arguments(0);
        change(args.chunk);
        expect(HV_STEP_ARGUMENTS, einval, 0, args);
    };
    broken([](hv_chunk* c) { ++c[0].pages; });
    broken([](hv_chunk* c) { --c[0].pages; });
    broken([](hv_chunk* c) { c[1].hpa = c[0].hpa; });
    broken([](hv_chunk* c) { c[1].hpa += 0x800; });
    broken([](hv_chunk* c) { c[2].hpa = ~0xfffull; });
}

TEST_F(launch_refused, of_a_second_cpu_with_another_handle) {
    auto args = vm.machine.arguments(0);
    ASSERT_EQ(vm.machine.launch(0, args), 0);
    args = vm.machine.arguments(1);
    ++args.handle;
    EXPECT_EQ(vm.machine.launch(1, args), ebadf);
    EXPECT_FALSE(vm.hw(1).vmx_on);
}
