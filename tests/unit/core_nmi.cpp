// SPDX-License-Identifier: MIT
// NMIs: the root VM's own, each delivered once, and those of shoot-downs, none delivered.
#include "core_hoist.hpp"
#include "root/shoot_down.hpp"
#include "vmx/entry.hpp"
#include <thread>

using namespace fake;

namespace {

class nmi : public hoist {
protected:
    void SetUp() override {
        forget_records();
        vm.v(0).set(field::rflags, 0x202);
    }
    void block(std::uint64_t how) { vm.v(0).set(field::interruptibility, how); }
    /// What the processor does next: it exits for an open window, or executes one instruction.
    void run_one_instruction() {
        auto& v = vm.v(0);
        for (unsigned i = 0; i < 3; ++i) {
            auto const blocked = v[field::interruptibility];
            bool const nmi_window = (v[field::processor] >> 22 & 1) != 0 && (blocked & 10) == 0;
            bool const window = (v[field::processor] >> 2 & 1) != 0 && (blocked & 3) == 0 &&
                                (v[field::rflags] >> 9 & 1) != 0;
            if (!nmi_window && !window) {
                v.clear_bits(field::interruptibility, 3);
                return;
            }
            vm.exit(0, {.reason = nmi_window ? 8u : 7u});
        }
        ADD_FAILURE() << "windows open for ever, and no instruction is executed";
    }
    void iret() { vm.v(0).clear_bits(field::interruptibility, 8); }
    std::uint64_t delivered() {
        std::uint64_t n = 0;
        for (auto const e : vm.hw(0).injected) n += e == nmi_event;
        return n;
    }
    void expect_no_windows() { EXPECT_EQ(vm.v(0)[field::processor] & (1u << 22 | 1u << 2), 0u); }
};

}    // namespace

TEST_F(nmi, reaches_the_root_vm_at_once) {
    vm.nmi(0);
    EXPECT_EQ(vm.delivered(0), nmi_event);
    EXPECT_EQ(vm.hw(0).count(op::unblock_nmi), 1u) << "or the next one never comes";
    EXPECT_FALSE(vm.core(0).base.nmi_waits);
    expect_no_windows();
    expect_no_record(0);
}

TEST_F(nmi, waits_while_one_is_handled) {
    vm.nmi(0);
    vm.nmi(0);
    EXPECT_EQ(delivered(), 1u);
    EXPECT_NE(vm.v(0)[field::processor] & 1u << 22, 0u);
    run_one_instruction();
    EXPECT_EQ(delivered(), 1u);
    iret();
    run_one_instruction();
    EXPECT_EQ(delivered(), 2u);
    expect_no_windows();
}

TEST_F(nmi, waits_behind_mov_ss) {
    block(2);
    vm.nmi(0);
    EXPECT_EQ(delivered(), 0u);
    run_one_instruction();
    run_one_instruction();
    EXPECT_EQ(delivered(), 1u);
}

// An NMI window opens in the shadow of STI, where the NMI may not be injected.
TEST_F(nmi, waits_behind_sti_and_the_cpu_goes_on) {
    block(1);
    vm.nmi(0);
    EXPECT_EQ(delivered(), 0u);
    run_one_instruction();
    run_one_instruction();
    EXPECT_EQ(delivered(), 1u);
    expect_no_windows();
}

TEST_F(nmi, does_not_push_an_event_aside) {
    EXPECT_EQ(vm.exit(0, {.reason = 0, .event = 0x80000202, .vectoring = 0x80000030}),
              outcome::resumed);
    EXPECT_EQ(vm.delivered(0), 0x80000030u);
    run_one_instruction();
    EXPECT_EQ(delivered(), 1u);
}

TEST_F(nmi, wakes_a_cpu_that_halted) {
    vm.v(0).set(field::activity, 1);
    vm.nmi(0);
    EXPECT_EQ(vm.delivered(0), nmi_event);
    EXPECT_EQ(vm.v(0)[field::activity], 0u);
}

TEST_F(nmi, in_root_mode_is_delivered_by_the_same_entry) {
    vm.hw(0).on_step = [this](step const& s) {
        if (s.what == op::wbinvd) vm.nmi(0);
    };
    EXPECT_EQ(vm.exit(0, {.reason = 13, .length = 2}), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), nmi_event);
}

TEST_F(nmi, in_root_mode_after_a_frequent_exit_is_not_slept_through) {
    // It comes after the look at the exit, before VMRESUME: the fast way out finds work.
    vm.core(0).base.pending_work.fetch_or(hv::work_nmi);
    EXPECT_EQ(vm.exit(0, {.reason = 10, .length = 2}), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), nmi_event);
    EXPECT_EQ(vm.shared(0).counter[10], 1u);
}

TEST_F(nmi, none_is_lost_and_none_is_made_up) {
    std::uint64_t sent = 0;
    for (unsigned i = 0; i < 3000; ++i) {
        if (i % 3 == 0 && !vm.core(0).base.nmi_waits) {
            block(i % 4 == 3 ? 0 : i % 4 | (vm.v(0)[field::interruptibility] & 8));
            vm.nmi(0);
            ++sent;
        }
        run_one_instruction();
        if (i % 2 == 0) iret();
    }
    iret();
    run_one_instruction();
    run_one_instruction();
    EXPECT_EQ(delivered(), sent);
    expect_no_windows();
}

TEST_F(nmi, another_exception_in_its_place_is_not_expected) {
    EXPECT_EQ(vm.exit(0, {.reason = 0, .event = 0x8000030e}), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), general_protection);
    one_record(0, HV_RECORD_UNEXPECTED_EXIT);
}

TEST_F(nmi, of_a_shoot_down_in_root_mode_is_answered_on_the_way_out) {
    vm.hw(1).on_step = [this](step const& s) {
        if (s.what != op::wbinvd) return;
        vm.core(1).base.synchronise_requested.store(1);
        vm.nmi(1);
    };
    auto const before = vm.hw(1).count(op::invept);
    EXPECT_EQ(vm.exit(1, {.reason = 13, .length = 2}), outcome::resumed);
    EXPECT_EQ(vm.delivered(1), std::nullopt);
    EXPECT_EQ(vm.hw(1).count(op::invept), before + 1);
    EXPECT_EQ(vm.core(1).base.synchronise_requested.load(), 0u);
}

TEST_F(nmi, of_a_shoot_down_goes_by_x2apic_where_that_is_on) {
    vm.hw(0).msrs.value[0x1b] |= 0x400;
    auto const before = vm.hw(1).count(op::invept);
    EXPECT_EQ(vm.load({}), 0);
    EXPECT_EQ(vm.hw(1).count(op::invept), before + 1);
    auto const& s = vm.hw(0).steps;
    EXPECT_EQ(std::count(s.begin(), s.end(), step{op::nmi_sent, 2, 0x4400}), 1);
}

TEST_F(nmi, of_a_shoot_down_leaves_the_command_register_as_it_was) {
    EXPECT_EQ(vm.load({}), 0);
    EXPECT_EQ(vm.hw(0).apic[0x310], 0x5a000000u);
    auto const& s = vm.hw(0).steps;
    EXPECT_EQ(std::count(s.begin(), s.end(), step{op::nmi_sent, 2, 0x4400}), 1) << "to CPU 1 alone";
}

TEST_F(nmi, a_cpu_that_never_answers_is_named) {
    vm.deaf = true;
    vm.machine.tick_step = 1ull << 30;
    EXPECT_EQ(vm.load({}), -110);
    EXPECT_EQ(one_record(0, HV_RECORD_SHOOTDOWN_SLOW).address, 1u);
}

// CPU 1 wants the lock that CPU 0 holds while it waits for CPU 1's answer.
TEST_F(nmi, a_cpu_that_waits_for_the_lock_answers) {
    auto& m = vm.machine.machine();
    vm.machine.on_nmi = [this](std::uint32_t n) { hv::meet_nmi(vm.core(n).base); };
    vm.machine.tick_step = 1ull << 12;
    vm.hw(0).leave_guest({.reason = 18});
    on_cpu const scope{vm.hw(0)};
    std::thread other;
    {
        auto const hold = hv::hold_machine(m, vm.core(0));
        other = std::thread{[this] { vm.touch(1, 0x2000000000, HV_ACCESS_READ); }};
        while (__atomic_load_n(&vm.shared(1).counter[48], __ATOMIC_ACQUIRE) == 0)
            std::this_thread::yield();
        EXPECT_TRUE(hv::shoot_down(m, vm.core(0)));
    }
    other.join();
    EXPECT_EQ(vm.core(1).base.synchronise_requested.load(), 0u);
    EXPECT_TRUE(m.stage.translate(hv::gpa{0x2000000000}));
}
