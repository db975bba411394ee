// SPDX-License-Identifier: MIT
// NMIs and INITs under SVM, where GIF keeps them out of root mode: the root VM's own NMIs, each
// delivered once, and those of shoot-downs, none delivered.
#include "core_hoist.hpp"
#include "root/shoot_down.hpp"
#include <thread>

using namespace fake;

namespace {

constexpr std::uint64_t some = 0x1234000;
constexpr std::uint64_t tf = 1 << 8;

class svm_nmi : public hoist_svm {
protected:
    void SetUp() override {
        forget_records();
        vm.v(0).save.rflags = 0x202;
    }
    void TearDown() override {
        hoist_svm::TearDown();
        EXPECT_TRUE(vm.native.empty()) << "a trap of the core's step reached the root VM";
    }
    hv::svm::control_area& control() { return vm.v(0).control; }
    bool watches_iret() { return (control().intercepts_1 >> 20 & 1) != 0; }
    std::uint64_t delivered() {
        std::uint64_t n = 0;
        for (auto const e : vm.hw(0).injected) n += e == nmi_event;
        return n;
    }
    void expect_quiet() {
        EXPECT_FALSE(watches_iret());
        EXPECT_FALSE(vm.core(0).base.nmi_waits);
        EXPECT_EQ(vm.core(0).step.reasons, 0u);
        EXPECT_EQ(vm.v(0).save.rflags & tf, 0u);
    }
};

}    // namespace

TEST_F(svm_nmi, reaches_the_root_vm_at_once) {
    vm.nmi(0);
    EXPECT_EQ(vm.delivered(0), nmi_event);
    EXPECT_EQ(vm.hw(0).count(op::open_gif), 1u);
    EXPECT_TRUE(watches_iret());
    EXPECT_EQ(vm.iret(0, 0x202), outcome::resumed);
    expect_quiet();
    expect_no_record(0);
}

TEST_F(svm_nmi, waits_while_one_is_handled) {
    vm.nmi(0);
    vm.nmi(0);
    vm.nmi(0);
    EXPECT_EQ(delivered(), 1u);
    EXPECT_EQ(vm.run(0), outcome::resumed);
    EXPECT_EQ(delivered(), 1u);
    EXPECT_EQ(vm.iret(0, 0x202), outcome::resumed);
    EXPECT_EQ(delivered(), 2u) << "one waits, as in a CPU";
    EXPECT_EQ(vm.delivered(0), nmi_event) << "behind IRET";
    EXPECT_EQ(vm.v(0).save.rflags, 0x202u);
    EXPECT_EQ(vm.iret(0, 0x202), outcome::resumed);
    EXPECT_EQ(delivered(), 2u);
    expect_quiet();
}

// IRET loads flags: the trap flag of the core's step is none of them.
TEST_F(svm_nmi, behind_iret_finds_the_flags_that_iret_loaded) {
    vm.nmi(0);
    vm.nmi(0);
    EXPECT_EQ(vm.iret(0, 0x246), outcome::resumed);
    EXPECT_EQ(vm.v(0).save.rflags, 0x246u);
    EXPECT_EQ(vm.v(0).save.dr6 & 1u << 14, 0u);
    vm.nmi(0);
    EXPECT_EQ(vm.iret(0, 0x302), outcome::resumed);
    EXPECT_EQ(vm.v(0).save.rflags, 0x302u) << "the code that goes on is being stepped";
    EXPECT_EQ(vm.delivered(0), nmi_event);
}

TEST_F(svm_nmi, behind_an_iret_that_faults_is_not_lost) {
    vm.nmi(0);
    vm.nmi(0);
    ASSERT_EQ(vm.exit(0, {.code = 0x74}), outcome::resumed);
    EXPECT_EQ(vm.exception(0, 13), outcome::resumed);
    EXPECT_EQ(vm.hw(0).injected.at(1), general_protection);
    EXPECT_EQ(delivered(), 2u);
}

// IRET was not executed: the flags are still those from before the step.
TEST_F(svm_nmi, an_iret_that_faults_has_no_trap_flag) {
    vm.nmi(0);
    vm.nmi(0);
    ASSERT_EQ(vm.exit(0, {.code = 0x74}), outcome::resumed);
    EXPECT_EQ(vm.exception(0, 13), outcome::resumed);
    EXPECT_EQ(vm.v(0).save.rflags, 0x202u);
}

TEST_F(svm_nmi, waits_behind_a_shadow) {
    control().interrupt_shadow = 1;
    vm.nmi(0);
    EXPECT_EQ(delivered(), 0u);
    EXPECT_EQ(vm.run(0), outcome::resumed);
    EXPECT_EQ(delivered(), 1u);
    EXPECT_EQ(vm.v(0).save.rflags, 0x202u);
    EXPECT_EQ(vm.iret(0, 0x202), outcome::resumed);
    expect_quiet();
}

TEST_F(svm_nmi, behind_a_shadow_whose_instruction_faults_is_not_lost) {
    control().interrupt_shadow = 1;
    vm.nmi(0);
    EXPECT_EQ(vm.exception(0, 14, 2, 0x1000), outcome::resumed);
    EXPECT_EQ(vm.hw(0).injected.at(0), 0x80000b0e | 2ull << 32);
    EXPECT_EQ(delivered(), 1u);
}

TEST_F(svm_nmi, does_not_push_an_event_aside) {
    EXPECT_EQ(vm.exit(0, {.code = 0x61, .event = 0x80000030}), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), 0x80000030u) << "no NMI in the latch: the exit was for nothing";
    vm.hw(0).svm.nmi = true;
    EXPECT_EQ(vm.exit(0, {.code = 0x61, .event = 0x80000030}), outcome::resumed);
    auto const& all = vm.hw(0).injected;
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[1], 0x80000030u);
    EXPECT_EQ(all[2], nmi_event) << "once the interrupt is delivered";
    EXPECT_EQ(vm.hw(0).count(op::nmi_sent), 1u) << "to itself";
}

TEST_F(svm_nmi, in_a_step_waits_for_its_end) {
    ASSERT_EQ(vm.load({memory_rule(6, some, some + 0xfff, HV_ACTION_LOG)}), 0);
    ASSERT_EQ(vm.touch(0, some, HV_ACCESS_WRITE), outcome::resumed);
    vm.nmi(0);
    EXPECT_EQ(delivered(), 0u);
    EXPECT_EQ(vm.run(0), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), nmi_event);
    EXPECT_EQ(vm.leaf(some)->allowed, hv::read_execute);
}

TEST_F(svm_nmi, in_a_step_that_a_fault_ends_is_not_lost) {
    ASSERT_EQ(vm.load({memory_rule(6, some, some + 0xfff, HV_ACTION_LOG)}), 0);
    ASSERT_EQ(vm.touch(0, some, HV_ACCESS_WRITE), outcome::resumed);
    vm.nmi(0);
    EXPECT_EQ(vm.exception(0, 14, 2, 0x1000), outcome::resumed);
    EXPECT_EQ(delivered(), 1u);
}

TEST_F(svm_nmi, in_a_step_that_a_rule_denies_follows_the_fault) {
    ASSERT_EQ(vm.load({cr_rule(1, 4, 1 << 20)}), 0);
    ASSERT_EQ(vm.exit(0, {.code = 0x14}), outcome::resumed);
    vm.nmi(0);
    EXPECT_EQ(vm.run(0, [](auto& s) { s.cr4 &= ~(1ull << 20); }), outcome::resumed);
    auto const& all = vm.hw(0).injected;
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0], general_protection);
    EXPECT_EQ(all[1], nmi_event);
}

TEST_F(svm_nmi, in_root_mode_is_delivered_by_an_exit_of_its_own) {
    vm.hw(0).on_step = [this](step const& s) {
        if (s.what == op::wbinvd) vm.nmi(0);
    };
    EXPECT_EQ(vm.invd(0), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), nmi_event);
    EXPECT_EQ(vm.shared(0).counter[0x61], 1u);
}

TEST_F(svm_nmi, none_is_lost_and_none_is_made_up) {
    std::uint64_t sent = 0;
    for (unsigned i = 0; i < 3000; ++i) {
        bool const handled = vm.core(0).nmi_masked;
        if (i % 3 == 0 && !vm.core(0).base.nmi_waits) {
            if (!handled) control().interrupt_shadow = i % 4 == 1;
            vm.nmi(0);
            ++sent;
        }
        vm.run(0);
        if (i % 2 == 0 && vm.core(0).nmi_masked) vm.iret(0, 0x202);
    }
    while (vm.core(0).nmi_masked) vm.iret(0, 0x202);
    EXPECT_EQ(delivered(), sent);
    EXPECT_GT(sent, 500u);
    expect_quiet();
}

TEST_F(svm_nmi, of_a_shoot_down_is_not_delivered) {
    auto const flushes = vm.flushes(1);
    EXPECT_EQ(vm.load({}), 0);
    EXPECT_EQ(vm.flushes(1), flushes + 1);
    EXPECT_TRUE(vm.hw(1).injected.empty());
    EXPECT_EQ(vm.core(1).base.synchronise_requested.load(), 0u);
    EXPECT_EQ(vm.hw(0).apic[0x310], 0x5a000000u) << "the root VM's half of the command register";
}

// The latch holds one: the NMI that this CPU sent itself, and the shoot-down's, have become one.
TEST_F(svm_nmi, that_waits_survives_a_shoot_down_that_shares_the_latch) {
    auto& base = vm.core(0).base;
    vm.hw(0).svm.nmi = true;
    vm.hw(0).on_step = [&](step const& s) {
        if (s.what == op::nmi_sent) base.synchronise_requested.store(1);
    };
    auto const flushes = vm.flushes(0);
    EXPECT_EQ(vm.exit(0, {.code = 0x61, .event = 0x80000030}), outcome::resumed);
    EXPECT_EQ(delivered(), 1u);
    EXPECT_EQ(vm.flushes(0), flushes + 1);
    EXPECT_EQ(base.synchronise_requested.load(), 0u);
}

TEST_F(svm_nmi, a_cpu_that_never_answers_is_named) {
    vm.deaf = true;
    vm.machine.tick_step = 1ull << 30;
    EXPECT_EQ(vm.load({}), -110);
    EXPECT_EQ(one_record(0, HV_RECORD_SHOOTDOWN_SLOW).address, 1u);
}

// CPU 1 wants the lock that CPU 0 holds while it waits for CPU 1's answer.
TEST_F(svm_nmi, a_cpu_that_waits_for_the_lock_answers) {
    auto& m = vm.core_machine();
    vm.machine.on_nmi = [this](std::uint32_t n) { vm.hw(n).svm.nmi = true; };
    vm.machine.tick_step = 1ull << 12;
    vm.hw(0).leave_guest(svm_exit{.code = 0x81});
    on_cpu const scope{vm.hw(0)};
    vm.hw(0).vmload(vm.core(0).host_at);
    std::thread other;
    {
        auto const hold = hv::hold_machine(m, vm.core(0));
        other = std::thread{[this] { vm.touch(1, 0x2000000000, HV_ACCESS_READ); }};
        while (__atomic_load_n(&vm.shared(1).counter[0x30], __ATOMIC_ACQUIRE) == 0)
            std::this_thread::yield();
        EXPECT_TRUE(hv::shoot_down(m, vm.core(0)));
    }
    other.join();
    EXPECT_EQ(vm.core(1).base.synchronise_requested.load(), 0u);
    EXPECT_TRUE(m.stage.translate(hv::gpa{0x2000000000}));
}

TEST_F(svm_nmi, init_that_is_redirected_leaves_a_record_and_nothing_else) {
    auto const rip = vm.rip(0);
    EXPECT_EQ(vm.init(0), outcome::resumed);
    EXPECT_FALSE(vm.hw(0).svm.init.load()) << "taken, as a security exception";
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    EXPECT_EQ(vm.rip(0), rip);
    auto const r = one_record(0, HV_RECORD_INIT);
    EXPECT_EQ(r.reason, 0x63u);
    EXPECT_EQ(r.rip, rip);
    EXPECT_EQ(vm.invd(0), outcome::resumed);
    EXPECT_EQ(vm.load({}, 1, 1), 0) << "it goes on answering";
}

TEST_F(svm_nmi, init_and_an_nmi_at_once) {
    vm.hw(0).svm.nmi = true;
    EXPECT_EQ(vm.init(0), outcome::resumed);
    one_record(0, HV_RECORD_INIT);
    EXPECT_EQ(delivered(), 1u);
}

TEST_F(svm_nmi, init_without_redirection_stops_the_cpu_and_nobody_waits_for_it) {
    vm.core(0).redirects_init = false;
    ASSERT_EQ(vm.load({memory_rule(6, some, some + 0xfff, HV_ACTION_LOG)}), 0);
    ASSERT_EQ(vm.touch(0, some, HV_ACCESS_WRITE), outcome::resumed);
    forget_records();
    EXPECT_EQ(vm.init(0), outcome::parked);
    one_record(0, HV_RECORD_INIT);
    EXPECT_EQ(vm.core(0).base.state.load(), hv::cpu_state::waiting_for_sipi);
    EXPECT_EQ(vm.leaf(some)->allowed, hv::read_execute) << "its page is closed";
    vm.machine.tick_step = 1ull << 30;
    EXPECT_EQ(vm.load({}, 1, 1), 0);
}
