// SPDX-License-Identifier: MIT
// MSR rules of a policy: MSRs that pass exit then, and the exit does what the CPU would have done.
#include "core_hoist.hpp"

using namespace fake;

namespace {

class msr_rules : public hoist {
protected:
    bool exits(std::uint32_t n, std::uint32_t index, bool write) {
        auto const* page = static_cast<std::uint8_t const*>(
            vm.machine.memory(hv::hpa{vm.v(n)[field::msr_bitmap]}));
        auto const slot = (write ? 0x4000 : 0) + (index >= 0xc0000000 ? 0x2000u : 0u) +
                          (index & 0x1fff);
        return (page[slot / 8] >> slot % 8 & 1) != 0;
    }
    void log_all() {
        constexpr std::uint32_t both = HV_ACCESS_READ | HV_ACCESS_WRITE;
        ASSERT_EQ(vm.load({msr_rule(1, 0, 0x1fff, HV_ACTION_LOG, both),
                           msr_rule(2, 0xc0000000, 0xc0001fff, HV_ACTION_LOG, both)}),
                  0);
        forget_records();
    }
    /// WRMSR that is only logged: the root VM finds the value again, in the VMCS or in the CPU.
    void expect_written(std::uint32_t index, std::uint64_t value) {
        EXPECT_EQ(vm.wrmsr(0, index, value), outcome::resumed);
        EXPECT_EQ(vm.delivered(0), std::nullopt) << std::hex << index;
        EXPECT_EQ(vm.hw(0).msrs(index), value) << std::hex << index;
        auto const r = one_record(0, HV_RECORD_MSR_LOGGED);
        EXPECT_EQ(r.address, index);
        EXPECT_EQ(r.value, value);
        EXPECT_EQ(vm.rdmsr(0, index), outcome::resumed);
        EXPECT_EQ(vm.gpr(0).rax | vm.gpr(0).rdx << 32, value) << std::hex << index;
        EXPECT_EQ(one_record(0, HV_RECORD_MSR_LOGGED).access, std::uint32_t(HV_ACCESS_READ));
    }
    void expect_fault(std::uint32_t index, std::uint64_t value) {
        auto const before = vm.hw(0).msrs.value;
        EXPECT_EQ(vm.wrmsr(0, index, value), outcome::resumed);
        EXPECT_EQ(vm.delivered(0), general_protection) << std::hex << index;
        EXPECT_TRUE(before == vm.hw(0).msrs.value);
    }
};

}    // namespace

TEST_F(msr_rules, deny_a_write_of_lstar_on_every_cpu) {
    auto const lstar = vm.hw(0).msrs(0xc0000082);
    ASSERT_EQ(vm.load({msr_rule(7, 0xc0000082, 0xc0000082)}), 0);
    forget_records();
    for (std::uint32_t const n : {0u, 1u}) {
        EXPECT_TRUE(exits(n, 0xc0000082, true));
        EXPECT_FALSE(exits(n, 0xc0000082, false));
        EXPECT_EQ(vm.wrmsr(n, 0xc0000082, 0x1234), outcome::resumed);
        EXPECT_EQ(vm.delivered(n), general_protection);
        EXPECT_EQ(vm.hw(n).msrs(0xc0000082), lstar);
        EXPECT_EQ(one_record(n, HV_RECORD_MSR_DENIED).rule, 7u);
    }
    ASSERT_EQ(vm.load({}), 0);
    EXPECT_FALSE(exits(0, 0xc0000082, true)) << "no rule, no exit";
}

TEST_F(msr_rules, deny_a_read) {
    ASSERT_EQ(vm.load({msr_rule(3, 0x10, 0x10, HV_ACTION_DENY, HV_ACCESS_READ)}), 0);
    forget_records();
    EXPECT_EQ(vm.rdmsr(0, 0x10), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), general_protection);
    EXPECT_EQ(one_record(0, HV_RECORD_MSR_DENIED).access, std::uint32_t(HV_ACCESS_READ));
}

TEST_F(msr_rules, do_not_open_what_the_core_denies) {
    log_all();
    expect_fault(0x600, 0x8000000);
    auto const all = vm.records(0);
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].kind, HV_RECORD_MSR_LOGGED);
    EXPECT_EQ(all[1].kind, HV_RECORD_MSR_DENIED);
    EXPECT_EQ(all[1].rule, 0u);
    expect_fault(0x1b, 0x8000900);
    expect_fault(0x480, 0);
}

TEST_F(msr_rules, give_the_root_vm_its_own_registers_while_the_core_runs) {
    log_all();
    expect_written(0x174, 0x20);
    expect_written(0x175, 0xffffc90000001000);
    expect_written(0x176, 0xffffffff81000000);
    expect_written(0x277, 0x0007040600070406);
    expect_written(0x1d9, 1);
    expect_written(0xc0000100, 0x7f0000001000);
    expect_written(0xc0000101, 0xffff888000001000);
    expect_written(0xc0000080, 0xd00);
    expect_written(0xc0000082, 0xffffffff81000040);
    expect_written(0xc0000102, 0xffff888000002000);
    expect_written(0x10, 77);
}

TEST_F(msr_rules, fault_on_values_that_the_cpu_refuses) {
    log_all();
    constexpr std::uint64_t odd = 0x8000000000000000;
    for (std::uint32_t const index :
         {0x175u, 0x176u, 0xc0000082u, 0xc0000100u, 0xc0000101u, 0xc0000102u})
        expect_fault(index, odd);
    expect_fault(0x277, 0x0202020202020202);
    expect_fault(0x277, 8);
    expect_fault(0x1d9, 1ull << 40);
    expect_fault(0xc0000080, 0xd01 | 1u << 12);
    expect_fault(0xc0000080, 0xd01 & ~0x100u);    // LME while paging
    expect_fault(0xc0010000, 1);
}

TEST_F(msr_rules, fault_where_the_cpu_has_no_debugctl) {
    vm.hw(0).msrs.value.erase(0x1d9);
    log_all();
    expect_fault(0x1d9, 1);
}

TEST_F(msr_rules, keep_efer_lma_as_it_is) {
    log_all();
    EXPECT_EQ(vm.wrmsr(0, 0xc0000080, 0x901), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    EXPECT_EQ(vm.hw(0).msrs(0xc0000080), 0xd01u);
}

TEST_F(msr_rules, leave_the_cores_own_registers_alone) {
    log_all();
    auto const host = vm.v(0)[field::host_gs_base];
    expect_written(0xc0000101, 0xffff888000001000);
    EXPECT_EQ(vm.v(0)[field::host_gs_base], host);
    // DEBUGCTL is tried on the CPU: afterwards it must be what an exit loads.
    vm.hw(0).steps.clear();
    vm.wrmsr(0, 0x1d9, 1);
    auto const& s = vm.hw(0).steps;
    EXPECT_EQ(std::count(s.begin(), s.end(), step{op::wrmsr, 0x1d9, 0}), 1);
}
