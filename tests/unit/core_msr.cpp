// SPDX-License-Identifier: MIT
// RDMSR and WRMSR of the root VM: the bitmap, the table, the values that are guarded.
#include "core_hoist.hpp"

using namespace fake;

namespace {

class msr_exit : public hoist {
protected:
    void SetUp() override { forget_records(); }
    /// What the processor does with the bitmap page of the current VMCS. SDM 3C 25.6.9.
    bool exits(std::uint32_t index, bool write) {
        auto const* page = static_cast<std::uint8_t const*>(
            vm.machine.memory(hv::hpa{vm.v(0)[field::msr_bitmap]}));
        bool const high = index >= 0xc0000000 && index <= 0xc0001fff;
        if (!high && index > 0x1fff) return true;
        auto const bit = index & 0x1fff;
        return (page[(write ? 2048 : 0) + (high ? 1024 : 0) + bit / 8] >> bit % 8 & 1) != 0;
    }
    void expect_fault(outcome how) {
        EXPECT_EQ(how, outcome::resumed);
        EXPECT_EQ(vm.delivered(0), general_protection);
    }
    void expect_done(outcome how) {
        EXPECT_EQ(how, outcome::resumed);
        EXPECT_EQ(vm.delivered(0), std::nullopt);
    }
    hv_record denied(std::uint32_t index, std::uint64_t value, std::uint32_t rule = 0) {
        expect_fault(vm.wrmsr(0, index, value));
        auto const r = one_record(0, HV_RECORD_MSR_DENIED);
        EXPECT_EQ(r.address, index);
        EXPECT_EQ(r.value, value);
        EXPECT_EQ(r.rule, rule);
        EXPECT_EQ(r.access, std::uint32_t(HV_ACCESS_WRITE));
        EXPECT_EQ(r.reason, 32u);
        EXPECT_EQ(r.rip, vm.v(0)[field::rip]);
        return r;
    }
    std::uint64_t read(std::uint32_t index) {
        vm.gpr(0).rax = vm.gpr(0).rdx = 0x123456789abcdef0;
        expect_done(vm.rdmsr(0, index));
        return vm.gpr(0).rax | vm.gpr(0).rdx << 32;
    }
};

constexpr std::uint32_t slots[] = {0, 0xc0000000};

}    // namespace

TEST_F(msr_exit, bitmap_agrees_with_the_decision_for_every_msr) {
    for (auto const first : slots)
        for (std::uint32_t i = 0; i < 0x2000; ++i)
            for (bool const write : {false, true})
                ASSERT_EQ(exits(first + i, write), hv::decide_msr(hv::vmx::msr_table, first + i,
                                                                  write) != hv::msr_decision::pass)
                    << std::hex << first + i << (write ? " written" : " read");
}

TEST_F(msr_exit, an_access_that_exits_does_what_was_decided) {
    auto& hw = vm.hw(0).msrs.value;
    for (auto const first : slots)
        for (std::uint32_t i = 0; i < 0x2000; ++i) {
            auto const index = first + i;
            auto const before = hw;
            if (exits(index, true) &&
                hv::decide_msr(hv::vmx::msr_table, index, true) == hv::msr_decision::deny) {
                denied(index, 0x8000000);
                ASSERT_TRUE(hw == before) << std::hex << index << " was written";
            }
            if (exits(index, false) &&
                hv::decide_msr(hv::vmx::msr_table, index, false) == hv::msr_decision::deny)
                expect_fault(vm.rdmsr(0, index));
        }
}

// Default deny for what holds a physical address, by the manual's list and not by the core's table.
TEST_F(msr_exit, no_msr_that_holds_a_physical_address_can_be_written) {
    struct {
        std::uint32_t first, last;
    } const holders[] = {
        {0x9b, 0x9b},        // SMM monitor
        {0x1f2, 0x1f3},      // SMRR
        {0x560, 0x561},      // processor trace output
        {0x580, 0x587},      // and its ranges
        {0x600, 0x600},      // debug store
        {0x17d0, 0x17d4},    // hardware feedback
        {0x1f4, 0x1f5},      // PRMRR
        {0x1200, 0x12ff},   {0xc0010114, 0xc0010117}, {0x54, 0x54},
        {0x2a0, 0x2ff - 1}, {0xd91, 0xd91},
    };
    for (auto const& h : holders)
        for (auto index = h.first; index <= h.last; ++index) {
            EXPECT_TRUE(exits(index, true)) << std::hex << index;
            denied(index, vm.machine.hpa_of_page(0).raw);
        }
}

TEST_F(msr_exit, hides_vmx_capabilities) {
    for (std::uint32_t index = 0x480; index <= 0x493; ++index) {
        expect_fault(vm.rdmsr(0, index));
        expect_no_record(0);    // kernels probe
    }
    EXPECT_EQ(read(0x3a), 1u) << "locked, VMX off";
    denied(0x3a, 5);
}

TEST_F(msr_exit, faults_outside_the_bitmaps_ranges) {
    for (std::uint32_t const index :
         {0x2000u, 0x40000000u, 0x4b564d00u, 0xbfffffffu, 0xc0002000u, ~0u}) {
        expect_fault(vm.rdmsr(0, index));
        denied(index, 1);
    }
}

TEST_F(msr_exit, ignores_microcode_updates) {
    auto const rip = vm.v(0)[field::rip];
    expect_done(vm.wrmsr(0, 0x79, 0xffff888000000030));
    EXPECT_EQ(vm.v(0)[field::rip], rip + 2);
    EXPECT_EQ(vm.hw(0).msrs(0x79), 0u);
    expect_no_record(0);
}

TEST_F(msr_exit, lets_the_kernel_write_what_is_its_own) {
    // Through the bitmap: no exit at all.
    for (auto const index :
         {0x10u, 0x48u, 0x49u, 0x6e0u, 0x830u, 0xc0000080u, 0xc0000082u, 0xc0000101u, 0xc0000102u})
        EXPECT_FALSE(exits(index, true)) << std::hex << index;
    for (auto const index : {0x10u, 0x1bu, 0x1a0u, 0x277u, 0x2ffu, 0xc0000080u})
        EXPECT_FALSE(exits(index, false)) << std::hex << index;
}

TEST_F(msr_exit, keeps_the_apic_where_it_is) {
    denied(0x1b, 0x8000900 | 1ull << 12);
    denied(0x1b, vm.machine.hpa_of_page(0).raw | 0x900);
    denied(0x1b, 0xfee00100);    // off: no NMI would come any more
    denied(0x1b, 0xfee00800);    // not the boot CPU any more
    denied(0x1b, 1ull << 52 | 0xfee00900);
    EXPECT_EQ(vm.hw(0).msrs(0x1b), 0xfee00900u);
    expect_done(vm.wrmsr(0, 0x1b, 0xfee00d00));
    EXPECT_EQ(vm.hw(0).msrs(0x1b), 0xfee00d00u) << "x2APIC may be switched on";
}

TEST_F(msr_exit, an_illegal_switch_of_the_apic_faults) {
    expect_done(vm.wrmsr(0, 0x1b, 0xfee00d00));
    forget_records();
    expect_fault(vm.wrmsr(0, 0x1b, 0xfee00900));    // x2APIC back to xAPIC: #GP of the hardware
    EXPECT_EQ(vm.hw(0).msrs(0x1b), 0xfee00d00u);
}

TEST_F(msr_exit, keeps_no_execute_on) {
    denied(0x1a0, 0x850089 | 1ull << 34);
    expect_done(vm.wrmsr(0, 0x1a0, 0x850088));
    EXPECT_EQ(vm.hw(0).msrs(0x1a0), 0x850088u);
}

TEST_F(msr_exit, refuses_unknown_and_traced_states_in_xss) {
    denied(0xda0, 1u << 8);    // processor trace
    denied(0xda0, 1ull << 40);
    expect_done(vm.wrmsr(0, 0xda0, 0x1800));
    EXPECT_EQ(vm.hw(0).msrs(0xda0), 0x1800u);
}

TEST_F(msr_exit, ignores_the_upper_halves_of_registers) {
    vm.gpr(0).rcx = 0xffffffff000000fe;
    EXPECT_EQ(vm.exit(0, {.reason = 31, .length = 2}), outcome::resumed);
    EXPECT_EQ(vm.gpr(0).rax, 0x508u);
    vm.gpr(0) = {};
    vm.gpr(0).rcx = 0x1a0;
    vm.gpr(0).rax = 0xffffffff00850088;
    expect_done(vm.exit(0, {.reason = 32, .length = 2}));
    EXPECT_EQ(vm.hw(0).msrs(0x1a0), 0x850088u);
}
