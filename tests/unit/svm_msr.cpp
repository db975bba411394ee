// SPDX-License-Identifier: MIT
// RDMSR and WRMSR of the root VM under SVM: the permission map, the list, the values that are
// guarded.
#include "core_hoist.hpp"

using namespace fake;

namespace {

constexpr std::uint32_t efer = 0xc0000080, vm_cr = 0xc0010114, vm_hsave_pa = 0xc0010117;
constexpr std::uint32_t both = HV_ACCESS_READ | HV_ACCESS_WRITE;
constexpr std::uint32_t ranges[] = {0, 0xc0000000, 0xc0010000};

class svm_msr : public hoist_svm {
protected:
    void SetUp() override { forget_records(); }
    /// What the processor does with the map of the VMCB. APM 2 15.11 "MSR Intercepts".
    bool exits(std::uint32_t index, bool write, std::uint32_t n = 0) {
        auto const map = hv::hpa{vm.v(n).control.msr_map};
        for (unsigned range = 0; range < 3; ++range) {
            if (index - ranges[range] >= 0x2000) continue;
            auto const bit = 2 * (index - ranges[range]) + write;
            auto const at = map + range * 0x800 + bit / 8;
            auto const* page = static_cast<std::uint8_t const*>(vm.machine.memory(at.down(0x1000)));
            return (page[at.raw & 0xfff] >> bit % 8 & 1) != 0;
        }
        return true;
    }
    void expect_fault(outcome how) {
        EXPECT_EQ(how, outcome::resumed);
        EXPECT_EQ(vm.delivered(0), general_protection);
    }
    void expect_done(outcome how) {
        EXPECT_EQ(how, outcome::resumed);
        EXPECT_EQ(vm.delivered(0), std::nullopt);
    }
    void denied(std::uint32_t index, std::uint64_t value, std::uint32_t rule = 0) {
        expect_fault(vm.wrmsr(0, index, value));
        auto const r = one_record(0, HV_RECORD_MSR_DENIED);
        EXPECT_EQ(r.address, index);
        EXPECT_EQ(r.value, value);
        EXPECT_EQ(r.rule, rule);
        EXPECT_EQ(r.access, std::uint32_t(HV_ACCESS_WRITE));
        EXPECT_EQ(r.reason, 0x7cu);
        EXPECT_EQ(r.rip, vm.rip(0));
    }
    std::uint64_t read(std::uint32_t index) {
        vm.gpr(0).rax = vm.gpr(0).rdx = 0x123456789abcdef0;
        expect_done(vm.rdmsr(0, index));
        return vm.gpr(0).rax | vm.gpr(0).rdx << 32;
    }
    void log_all() {
        ASSERT_EQ(vm.load({msr_rule(1, 0, 0x1fff, HV_ACTION_LOG, both),
                           msr_rule(2, 0xc0000000, 0xc0001fff, HV_ACTION_LOG, both),
                           msr_rule(3, 0xc0010000, 0xc0011fff, HV_ACTION_LOG, both)}),
                  0);
        forget_records();
    }
    /// WRMSR that is only logged: the root VM finds the value again, in the VMCB or in the CPU.
    void expect_written(std::uint32_t index, std::uint64_t value) {
        forget_records();
        expect_done(vm.wrmsr(0, index, value));
        EXPECT_EQ(vm.hw(0).msrs(index), value) << std::hex << index;
        EXPECT_EQ(one_record(0, HV_RECORD_MSR_LOGGED).value, value);
        EXPECT_EQ(read(index), value) << std::hex << index;
    }
    void expect_refused(std::uint32_t index, std::uint64_t value) {
        auto const before = vm.hw(0).msrs.value;
        expect_fault(vm.wrmsr(0, index, value));
        EXPECT_TRUE(before == vm.hw(0).msrs.value) << std::hex << index;
    }
};

}    // namespace

TEST_F(svm_msr, map_agrees_with_the_decision_for_every_msr) {
    for (auto const first : ranges)
        for (std::uint32_t i = 0; i < 0x2000; ++i)
            for (bool const write : {false, true})
                ASSERT_EQ(exits(first + i, write), hv::decide_msr(hv::svm::msr_table, first + i,
                                                                  write) != hv::msr_decision::pass)
                    << std::hex << first + i << (write ? " written" : " read");
}

TEST_F(svm_msr, map_agrees_with_the_rules_too) {
    ASSERT_EQ(vm.load({msr_rule(1, 0x10, 0x10, HV_ACTION_DENY, HV_ACCESS_READ),
                       msr_rule(2, 0xc0000082, 0xc0000084),
                       msr_rule(3, 0xc001001f, 0xc0010063, HV_ACTION_LOG, both)}),
              0);
    auto const watched = [](std::uint32_t index, bool write) {
        if (index == 0x10) return !write;
        if (index >= 0xc0000082 && index <= 0xc0000084) return write;
        return index >= 0xc001001f && index <= 0xc0010063;
    };
    for (auto const first : ranges)
        for (auto index = first; index < first + 0x2000; ++index)
            for (bool const write : {false, true}) {
                bool const built_in = hv::decide_msr(hv::svm::msr_table, index, write) !=
                                      hv::msr_decision::pass;
                ASSERT_EQ(exits(index, write), built_in || watched(index, write))
                    << std::hex << index << (write ? " written" : " read");
            }
    ASSERT_EQ(vm.load({}), 0);
    EXPECT_FALSE(exits(0x10, false)) << "no rule, no exit";
    EXPECT_FALSE(exits(0xc0000082, true));
}

TEST_F(svm_msr, map_is_the_cores_own_and_everything_behind_it_exits) {
    auto const at = vm.v(0).control.msr_map;
    EXPECT_EQ(vm.v(1).control.msr_map, at) << "one for all CPUs";
    for (auto const page : {at, at + 0x1000})
        EXPECT_EQ(vm.leaf(page)->to, vm.frames().zero_page()) << "out of the root VM's reach";
    auto const* last = static_cast<std::uint64_t const*>(vm.machine.memory(hv::hpa{at + 0x1000}));
    for (unsigned i = 256; i < 512; ++i) EXPECT_EQ(last[i], ~0ull);
}

TEST_F(svm_msr, an_access_that_exits_does_what_was_decided) {
    auto& hw = vm.hw(0).msrs.value;
    for (auto const first : ranges)
        for (auto index = first; index < first + 0x2000; ++index) {
            auto const decided = [&](bool write) {
                return hv::decide_msr(hv::svm::msr_table, index, write);
            };
            if (decided(true) == hv::msr_decision::deny) {
                auto const before = hw;
                denied(index, 0x8000000);
                ASSERT_TRUE(hw == before) << std::hex << index << " was written";
            }
            if (decided(false) == hv::msr_decision::deny) expect_fault(vm.rdmsr(0, index));
        }
}

// By the manual's list, and not by the core's: what decides where a physical address leads.
TEST_F(svm_msr, no_msr_that_moves_memory_can_be_written) {
    struct {
        std::uint32_t first, last;
    } const movers[] = {
        {0xc0010010, 0xc0010010},    // SYSCFG: memory encryption, MTRR fix bits
        {0xc0010015, 0xc0010015},    // HWCR: SMM lock
        {0xc0010016, 0xc0010019},    // I/O range registers
        {0xc001001a, 0xc001001d},    // top of memory
        {0xc0010058, 0xc0010058},    // configuration space
        {0xc0010111, 0xc0010113},    // SMM's base and memory
        {0xc0010114, 0xc0010114},    // VM_CR
        {0xc0010130, 0xc0010131},    // SEV's
        {0xc0011030, 0xc001103d},    // sampling, with a physical address
        {0x9b, 0x9b},                // what only the other vendor has
        {0x600, 0x600},
    };
    for (auto const& m : movers)
        for (auto index = m.first; index <= m.last; ++index) {
            EXPECT_TRUE(exits(index, true)) << std::hex << index;
            denied(index, vm.machine.hpa_of_page(0).raw);
        }
}

TEST_F(svm_msr, svm_looks_as_if_firmware_had_switched_it_off) {
    EXPECT_TRUE(exits(vm_cr, false));
    EXPECT_EQ(read(vm_cr), 0x18u) << "SVMDIS and LOCK";
    for (std::uint64_t const value : {0ull, 0x18ull, 2ull}) denied(vm_cr, value);
    EXPECT_EQ(vm.hw(0).msrs(vm_cr), 2u) << "INIT stays redirected";
}

TEST_F(svm_msr, the_host_save_area_is_neither_shown_nor_moved) {
    auto const own = vm.hw(0).msrs(vm_hsave_pa);
    EXPECT_NE(own, 0u);
    EXPECT_EQ(read(vm_hsave_pa), 0u);
    for (std::uint64_t const value : {0ull, 0x1234000ull}) {
        auto const rip = vm.rip(0);
        expect_done(vm.wrmsr(0, vm_hsave_pa, value));
        EXPECT_EQ(vm.rip(0), rip + 2);
    }
    EXPECT_EQ(vm.hw(0).msrs(vm_hsave_pa), own);
    expect_no_record(0);
}

TEST_F(svm_msr, efer_keeps_svme_whatever_is_written) {
    EXPECT_FALSE(exits(efer, false));
    EXPECT_TRUE(exits(efer, true));
    auto const own = vm.v(0).save.efer;
    EXPECT_EQ(own, 0x1d01u);
    expect_done(vm.wrmsr(0, efer, 0xd00));
    EXPECT_EQ(vm.hw(0).msrs(efer), 0x1d00u);
    expect_done(vm.wrmsr(0, efer, 0x1901));
    EXPECT_EQ(vm.hw(0).msrs(efer), 0x1d01u) << "LMA is not written, NX stays as it was asked for";
    expect_done(vm.wrmsr(0, efer, 0x501));
    EXPECT_EQ(vm.hw(0).msrs(efer), 0x1501u);
    expect_no_record(0);
}

TEST_F(svm_msr, efer_faults_where_the_cpu_does) {
    auto const before = vm.v(0).save.efer;
    expect_fault(vm.wrmsr(0, efer, 0xd01 | 2));    // reserved
    expect_fault(vm.wrmsr(0, efer, 0xd01 | 1ull << 40));
    expect_fault(vm.wrmsr(0, efer, 0xd01 & ~0x100u));    // LME while paging
    EXPECT_EQ(vm.v(0).save.efer, before);
    vm.hw(0).leave_guest(svm_exit{.code = 0x7c});
    EXPECT_EQ(vm.hw(0).msrs(efer), 0x1d00u) << "root mode has its own";
    vm.hw(0).in_guest = true;
}

TEST_F(svm_msr, microcode_updates_are_ignored) {
    auto const rip = vm.rip(0);
    expect_done(vm.wrmsr(0, 0xc0010020, 0xffff888000000030));
    EXPECT_EQ(vm.rip(0), rip + 2);
    EXPECT_EQ(vm.hw(0).msrs(0xc0010020), 0u);
    expect_no_record(0);
}

TEST_F(svm_msr, faults_outside_the_maps_ranges) {
    for (std::uint32_t const index : {0x2000u, 0x40000000u, 0x4b564d00u, 0xbfffffffu,
                                      0xc0002000u + 0x2000u, 0xc0012000u, ~0u}) {
        expect_fault(vm.rdmsr(0, index));
        denied(index, 1);
    }
}

TEST_F(svm_msr, lets_the_kernel_write_what_is_its_own) {
    // Through the map: no exit at all.
    for (auto const index : {0x10u, 0x48u, 0x49u, 0x174u, 0x277u, 0x6e0u, 0x830u, 0xc0000081u,
                             0xc0000082u, 0xc0000101u, 0xc0000102u, 0xc0000103u, 0xc0010000u})
        EXPECT_FALSE(exits(index, true)) << std::hex << index;
    for (auto const index : {0x10u, 0x1bu, 0x277u, 0x2ffu, efer, 0xc0010015u, 0xc001001au})
        EXPECT_FALSE(exits(index, false)) << std::hex << index;
}

TEST_F(svm_msr, guards_the_apic_and_xss_as_on_the_other_vendor) {
    denied(0x1b, vm.machine.hpa_of_page(0).raw | 0x900);
    denied(0x1b, 0xfee00100);
    expect_done(vm.wrmsr(0, 0x1b, 0xfee00d00));
    EXPECT_EQ(vm.hw(0).msrs(0x1b), 0xfee00d00u);
    denied(0xda0, 1u << 8);
    expect_done(vm.wrmsr(0, 0xda0, 0x1800));
}

TEST_F(svm_msr, mtrrs_are_the_cpus_and_the_second_stage_stays_as_it_is) {
    auto const flushes = vm.flushes(1);
    expect_done(vm.wrmsr(0, 0x202, 0x20000001));
    expect_done(vm.wrmsr(0, 0x203, 0xffff000800));
    EXPECT_EQ(vm.hw(0).msrs(0x203), 0xffff000800u);
    EXPECT_EQ(vm.leaf(0x20000000)->type, hv::memory_type::wb);
    EXPECT_GT(vm.flushes(1), flushes);
    EXPECT_EQ(vm.findings(), 0u);
    auto const at = vm.machine.hpa_of_page(0).raw;
    expect_done(vm.wrmsr(0, 0x204, at & ~0xfffffull));
    forget_records();
    expect_fault(vm.wrmsr(0, 0x205, 0xfffff00800));
    EXPECT_EQ(one_record(0, HV_RECORD_MTRR_DENIED).address, 0x205u);
}

TEST_F(svm_msr, efer_is_read_as_the_root_vm_has_it) {
    log_all();
    vm.v(0).save.efer ^= 1;    // SCE, so that it is not the core's own
    EXPECT_EQ(read(efer), vm.v(0).save.efer);
}

TEST_F(svm_msr, rules_give_the_root_vm_its_own_registers_while_the_core_runs) {
    log_all();
    expect_written(0x174, 0x20);
    expect_written(0x175, 0xffffc90000001000);
    expect_written(0x176, 0xffffffff81000000);
    expect_written(0x277, 0x0007040600070406);
    expect_written(0x1d9, 1);
    expect_written(0xc0000081, 0x23001000000001);
    expect_written(0xc0000082, 0xffffffff81000040);
    expect_written(0xc0000083, 0xffffffff81000080);
    expect_written(0xc0000084, 0x47700);
    expect_written(0xc0000100, 0x7f0000001000);
    expect_written(0xc0000101, 0xffff888000001000);
    expect_written(0xc0000102, 0xffff888000002000);
    expect_written(0x10, 77);
    vm.hw(0).leave_guest(svm_exit{.code = 0x76});
    on_cpu const scope{vm.hw(0)};
    vm.hw(0).vmload(vm.core(0).host_at);
    EXPECT_EQ(vm.hw(0).msrs(0xc0000101), reinterpret_cast<std::uint64_t>(&vm.core(0)))
        << "the core has its own";
}

TEST_F(svm_msr, rules_fault_on_values_that_the_cpu_refuses) {
    log_all();
    constexpr std::uint64_t odd = 0x8000000000000000;
    for (std::uint32_t const index :
         {0x175u, 0x176u, 0xc0000082u, 0xc0000083u, 0xc0000100u, 0xc0000101u, 0xc0000102u})
        expect_refused(index, odd);
    expect_refused(0x277, 0x0202020202020202);
    expect_refused(0x277, 8);
    expect_refused(0x1d9, 1ull << 40);
    expect_refused(0xc0011fff, 1);
}

TEST_F(svm_msr, rules_do_not_open_what_the_core_denies) {
    log_all();
    expect_refused(0xc001001a, 0);
    auto const all = vm.records(0);
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].kind, HV_RECORD_MSR_LOGGED);
    EXPECT_EQ(all[1].kind, HV_RECORD_MSR_DENIED);
    expect_refused(vm_cr, 0);
    EXPECT_EQ(read(vm_cr), 0x18u);
}
