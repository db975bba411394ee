// SPDX-License-Identifier: MIT
// What `hvctl dump` and root-mode traps tell of a CPU under SVM.
#include "core_hoist.hpp"

using namespace fake;

namespace {

class svm_dump : public hoist_svm {
protected:
    void SetUp() override { forget_records(); }
};

/// A CPU in root mode, on its way out of a guest.
class svm_root_trap : public hoist_svm {
protected:
    void SetUp() override {
        forget_records();
        vm.hw(0).leave_guest(svm_exit{.code = 0x76});
        on_cpu const scope{vm.hw(0)};
        vm.hw(0).vmload(vm.core(0).host_at);
    }
    std::uint32_t work() { return vm.core(0).base.pending_work.load(); }
};

}    // namespace

TEST_F(svm_dump, shows_this_cpu) {
    vm.gpr(0).r15 = 0xf15;
    EXPECT_EQ(vm.call(0, HV_CALL_DUMP, 0), 0);
    auto const& d = vm.mailbox<hv_cpu_dump>();
    auto const& v = vm.v(0);
    EXPECT_EQ(d.version, HV_ABI_VERSION);
    EXPECT_EQ(d.size, sizeof(hv_cpu_dump));
    EXPECT_EQ(d.cpu_id, 10u);
    EXPECT_EQ(d.launched, 1u);
    EXPECT_EQ(d.gpr[0], std::uint64_t{HV_CALL_DUMP});
    EXPECT_EQ(d.gpr[4], v.save.rsp);
    EXPECT_EQ(d.gpr[7], board::secret);
    EXPECT_EQ(d.gpr[15], 0xf15u);
    EXPECT_EQ(d.rip + 3, v.save.rip);
    EXPECT_EQ(d.cr0, v.save.cr0);
    EXPECT_EQ(d.cr3, v.save.cr3);
    EXPECT_EQ(d.cr4, v.save.cr4);
    EXPECT_EQ(d.efer, 0x1d01u);
    EXPECT_EQ(d.exit_reason, 0x81u);
    EXPECT_EQ(d.processor_controls, v.control.intercepts_1);
    EXPECT_EQ(d.secondary_controls, v.control.intercepts_2);
    EXPECT_EQ(d.ept_pointer, v.control.nested_cr3);
    EXPECT_EQ(d.tr_selector, 0x40u);
    EXPECT_EQ(d.gs_base, 0xffff88807dc00000u);
    EXPECT_EQ(vm.call(0, HV_CALL_DUMP, 1), -22) << "a CPU shows itself only";
}

TEST_F(svm_dump, tells_of_a_blocked_nmi) {
    vm.nmi(0);
    EXPECT_EQ(vm.call(0, HV_CALL_DUMP, 0), 0);
    EXPECT_EQ(vm.mailbox<hv_cpu_dump>().interruptibility, 8u);
}

TEST_F(svm_root_trap, an_nmi_is_noted_and_goes_back_where_it_came) {
    EXPECT_EQ(vm.trap(0, 2).rip, 0x40002000u);
    EXPECT_EQ(work(), std::uint32_t{hv::work_nmi});
    vm.core(0).base.pending_work.store(0);
    vm.core(0).base.synchronise_requested.store(1);
    vm.trap(0, 2);
    EXPECT_EQ(work(), std::uint32_t{hv::work_synchronise});
}

TEST_F(svm_root_trap, a_security_exception_is_an_init_and_nothing_to_do) {
    EXPECT_EQ(vm.trap(0, 30).rip, 0x40002000u);
    EXPECT_EQ(work(), 0u);
    expect_no_record(0);
}

TEST_F(svm_root_trap, a_machine_check_that_can_be_survived_is_recorded_by_the_exit) {
    vm.trap(0, 18);
    EXPECT_EQ(work(), std::uint32_t{hv::work_machine_check});
    vm.hw(0).in_guest = true;
    EXPECT_EQ(vm.invd(0), outcome::resumed);
    one_record(0, HV_RECORD_MACHINE_CHECK);
}

TEST_F(svm_root_trap, a_fault_with_a_landing_place_goes_there) {
    EXPECT_EQ(vm.trap(0, 13, 0x40001000).rip, 0x40001010u);
    expect_no_record(0);
}

TEST_F(svm_root_trap, any_other_exception_parks_this_cpu_with_its_place) {
    for (std::uint64_t const vector : {0ull, 6ull, 8ull, 13ull, 14ull, 31ull}) {
        EXPECT_THROW(vm.trap(0, vector, 0x40001001), halted);
        auto const r = one_record(0, HV_RECORD_ROOT_FAULT);
        EXPECT_EQ(r.address, vector);
        EXPECT_EQ(r.rip, 0x40001001u);
    }
    EXPECT_EQ(vm.core(0).base.state.load(), hv::cpu_state::parked);
    vm.machine.tick_step = 1ull << 30;
    EXPECT_EQ(vm.load({}, 1, 1), 0) << "a shoot-down by the other CPU";
}
