// SPDX-License-Identifier: MIT
// Exceptions and NMIs that meet a CPU in root mode.
#include "core_hoist.hpp"
#include "vmx/entry.hpp"

using namespace fake;

namespace {

class root_trap : public hoist {
protected:
    void SetUp() override {
        forget_records();
        vm.hw(0).leave_guest({.reason = 13});
    }
    std::uint64_t core_at() { return reinterpret_cast<std::uint64_t>(&vm.core(0)); }
    std::uint32_t work() { return vm.core(0).base.pending_work.load(); }
};

std::uint64_t at(char const* label) { return reinterpret_cast<std::uint64_t>(label); }

constexpr std::uint64_t kept_bytes = 40;    // rbp, r12 to r15: not saved by the frequent way

}    // namespace

TEST_F(root_trap, an_nmi_is_noted) {
    auto const f = vm.trap(0, 2);
    EXPECT_EQ(work(), std::uint32_t{hv::work_nmi});
    EXPECT_EQ(f.rip, 0x40002000u);
}

TEST_F(root_trap, an_nmi_of_a_shoot_down_is_told_from_linuxs) {
    vm.core(0).base.synchronise_requested.store(1);
    vm.trap(0, 2);
    EXPECT_EQ(work(), std::uint32_t{hv::work_synchronise});
}

// From the last look at pending_work to VMRESUME, the way out starts over.
TEST_F(root_trap, an_nmi_at_the_door_starts_the_way_out_again) {
    struct {
        char const *from, *end;
        std::uint64_t missing;
    } const ways[] = {{hv_vmx_fast_check, hv_vmx_fast_end, kept_bytes},
                      {hv_vmx_rare_check, hv_vmx_rare_end, 0}};
    for (auto const& way : ways) {
        for (auto rip = at(way.from); rip < at(way.end); ++rip) {
            auto const f = vm.trap(0, 2, rip);
            EXPECT_EQ(f.rip, at(way.from));
            EXPECT_EQ(f.rsp, core_at() + way.missing);
        }
        for (auto const rip : {at(way.from) - 1, at(way.end)}) {
            auto const f = vm.trap(0, 2, rip);
            EXPECT_EQ(f.rip, rip);
            EXPECT_EQ(f.rsp, 0u);
        }
    }
}

TEST_F(root_trap, a_machine_check_that_can_be_survived_is_recorded_later) {
    for (std::uint64_t const status : {0ull, 1ull, 5ull}) {
        vm.hw(0).msrs.value[0x17a] = status;
        vm.core(0).base.pending_work.store(0);
        auto const f = vm.trap(0, 18, at(hv_vmx_rare_check) + 4);
        EXPECT_EQ(work(), std::uint32_t{hv::work_machine_check});
        EXPECT_EQ(f.rip, at(hv_vmx_rare_check));
    }
}

TEST_F(root_trap, a_machine_check_is_recorded_by_the_exit_that_it_met) {
    vm.hw(0).enter(false);
    vm.hw(0).on_step = [this](step const& s) {
        if (s.what == op::wbinvd) vm.trap(0, 18);
    };
    EXPECT_EQ(vm.exit(0, {.reason = 13, .length = 2}), outcome::resumed);
    one_record(0, HV_RECORD_MACHINE_CHECK);
}

TEST_F(root_trap, a_machine_check_that_lost_the_context_parks) {
    vm.hw(0).msrs.value[0x17a] = 4;
    EXPECT_THROW(vm.trap(0, 18), halted);
    auto const r = one_record(0, HV_RECORD_ROOT_FAULT);
    EXPECT_EQ(r.address, 18u);
    EXPECT_EQ(vm.shared(0).parked, 1u);
}

TEST_F(root_trap, a_fault_with_a_landing_place_goes_there) {
    // entry.cpp's table of fix-ups.
    EXPECT_EQ(vm.trap(0, 13, 0x40001000).rip, 0x40001010u);
    EXPECT_EQ(vm.trap(0, 13, 0x40001020).rip, 0x40001030u);
    expect_no_record(0);
}

TEST_F(root_trap, any_other_exception_parks_this_cpu_with_its_place) {
    for (std::uint64_t const vector : {0ull, 6ull, 8ull, 13ull, 14ull, 31ull}) {
        EXPECT_THROW(vm.trap(0, vector, 0x40001001), halted);
        auto const r = one_record(0, HV_RECORD_ROOT_FAULT);
        EXPECT_EQ(r.address, vector);
        EXPECT_EQ(r.rip, 0x40001001u);
    }
    EXPECT_EQ(vm.core(0).base.state.load(), hv::cpu_state::parked);
}

TEST_F(root_trap, a_parked_cpu_ignores_nmis_and_nobody_waits_for_it) {
    EXPECT_THROW(vm.trap(0, 13), halted);
    vm.trap(0, 2);
    EXPECT_EQ(work(), 0u);
    vm.machine.tick_step = 1ull << 30;
    EXPECT_EQ(vm.load({}, 1, 1), 0) << "a shoot-down by the other CPU";
}

TEST_F(root_trap, test_hooks_raise_real_interrupts) {
    vm.hw(0).enter(false);
    for (auto const& [hook, vector] :
         std::initializer_list<std::pair<std::uint64_t, std::uint64_t>>{
             {HV_TEST_MACHINE_CHECK, 18}, {HV_TEST_NMI, 2}, {HV_TEST_DOUBLE_FAULT, 8}}) {
        EXPECT_EQ(vm.call(0, HV_CALL_TEST, hook), 0);
        auto const& s = vm.hw(0).steps;
        EXPECT_EQ(std::count(s.begin(), s.end(), step{op::interrupt, vector, 0}), 1);
    }
}
