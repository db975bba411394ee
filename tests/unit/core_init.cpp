// SPDX-License-Identifier: MIT
// INIT and SIPI: a CPU that goes offline and comes back stays under the core.
#include "core_hoist.hpp"

using namespace fake;

namespace {

constexpr std::uint64_t pe = 1, wp = 1 << 16, pg = 1u << 31, pae = 1 << 5, smep = 1 << 20;

class init : public hoist {
protected:
    void SetUp() override { forget_records(); }
    void offline() {
        EXPECT_EQ(vm.exit(1, {.reason = 3}), outcome::resumed);
        EXPECT_EQ(one_record(1, HV_RECORD_INIT).reason, 3u);
    }
    void sipi(std::uint8_t vector) {
        EXPECT_EQ(vm.exit(1, {.reason = 4, .qualification = vector}), outcome::resumed);
        EXPECT_EQ(one_record(1, HV_RECORD_SIPI).address, vector);
    }
    /// What Linux's trampoline does until it is in 64-bit mode.
    void bring_up() {
        auto& v = vm.v(1);
        EXPECT_EQ(vm.move_to_cr(1, 0, 0x11), outcome::resumed);
        EXPECT_EQ(vm.move_to_cr(1, 4, pae), outcome::resumed);
        vm.hw(1).msrs.value[0xc0000080] = 0x900;
        EXPECT_EQ(vm.move_to_cr(1, 0, 0x80050033), outcome::resumed);
        EXPECT_EQ(vm.seen(1, 0), 0x80050033u);
        v.set(field::cs_selector, 0x10);
        v.set(field::cs_base, 0);
        v.set(field::cs_limit, 0xffffffff);
        v.set(field::cs_access, 0xa09b);
        EXPECT_EQ(vm.exit(1, {.reason = 10, .length = 2}), outcome::resumed) << "in 64-bit code";
        EXPECT_EQ(vm.move_to_cr(1, 4, 0x3706b0), outcome::resumed);
        EXPECT_EQ(vm.seen(1, 4), 0x3706b0u);
        EXPECT_EQ(vm.exit(1, {.reason = 10, .length = 2}), outcome::resumed);
    }
};

}    // namespace

TEST_F(init, resets_the_cpu_and_waits_for_a_sipi) {    // SDM 3A 10.1.1, table 10-1
    vm.v(1).set(field::interruptibility, 8);
    vm.gpr(1).rbx = vm.gpr(1).r15 = 77;
    offline();
    auto const& v = vm.v(1);
    EXPECT_EQ(v[field::activity], 3u);
    EXPECT_EQ(vm.seen(1, 0), 0x10u) << "CD and NW stay as they are";
    EXPECT_EQ(vm.seen(1, 4), 0u);
    EXPECT_EQ(v[field::cs_selector], 0xf000u);
    EXPECT_EQ(v[field::cs_base], 0xffff0000u);
    EXPECT_EQ(v[field::rip], 0xfff0u);
    EXPECT_EQ(v[field::rflags], 2u);
    EXPECT_EQ(v[field::efer], 0u);
    EXPECT_EQ(v[field::cr3], 0u);
    EXPECT_EQ(v[field::dr7], 0x400u);
    EXPECT_EQ(v[field::interruptibility], 0u);
    for (auto const limit : {field::gdtr_limit, field::idtr_limit, field::tr_limit})
        EXPECT_EQ(v[limit], 0xffffu);
    auto const& r = vm.gpr(1);
    EXPECT_EQ(r.rdx, 0x50654u);
    EXPECT_EQ(r.rax | r.rbx | r.rcx | r.r15, 0u);
    EXPECT_EQ(vm.core(1).base.state.load(), hv::cpu_state::waiting_for_sipi);
}

TEST_F(init, keeps_the_caches_as_they_are) {
    vm.move_to_cr(1, 0, 0x80050033 | 3u << 29);
    offline();
    EXPECT_EQ(vm.seen(1, 0), 0x60000010u);
    sipi(0x99);
    bring_up();
}

TEST_F(init, sipi_starts_at_its_page) {
    offline();
    sipi(0x99);
    auto const& v = vm.v(1);
    EXPECT_EQ(v[field::cs_selector], 0x9900u);
    EXPECT_EQ(v[field::cs_base], 0x99000u);
    EXPECT_EQ(v[field::rip], 0u);
    EXPECT_EQ(v[field::activity], 0u);
    EXPECT_EQ(vm.core(1).base.state.load(), hv::cpu_state::running);
}

TEST_F(init, the_cpu_comes_up_as_linux_wants_it) {
    for (unsigned round = 0; round < 3; ++round) {
        offline();
        sipi(0x99);
        bring_up();
        forget_records();
        EXPECT_EQ(vm.delivered(1), std::nullopt);
    }
}

TEST_F(init, the_rules_hold_again_once_the_bits_are_back) {
    ASSERT_EQ(vm.load({cr_rule(1, 4, smep), cr_rule(2, 0, wp)}), 0);
    forget_records();
    offline();
    EXPECT_EQ(vm.seen(1, 4), 0u);
    sipi(0x99);
    bring_up();
    expect_no_record(1);
    EXPECT_EQ(vm.move_to_cr(1, 4, 0x3706b0 & ~smep), outcome::resumed);
    EXPECT_EQ(vm.delivered(1), general_protection);
    EXPECT_EQ(one_record(1, HV_RECORD_CR_DENIED).rule, 1u);
}

// The core itself then sets PG, and with it goes IA-32e mode.
TEST_F(init, the_cpu_comes_up_under_rules_on_paging) {
    ASSERT_EQ(vm.load({cr_rule(1, 0, pg | pe | wp), cr_rule(2, 4, pae)}), 0);
    forget_records();
    offline();
    sipi(0x99);
    auto const before = vm.hw(1).count(op::invvpid);
    bring_up();
    EXPECT_EQ(vm.v(1)[field::efer] & 0x500, 0x500u);
    EXPECT_GT(vm.hw(1).count(op::invvpid), before) << "translations of the old mode";
}

TEST_F(init, a_policy_loaded_by_a_reset_cpu_does_not_move_what_is_pinned) {
    auto const rule = cr_rule(1, 4, smep);
    ASSERT_EQ(vm.load({rule}), 0);
    offline();
    sipi(0x99);
    ASSERT_EQ(vm.load({rule, msr_rule(2, 0x10, 0x10)}, 2, 1),
              0);    // by CPU 1, whose SMEP is clear
    EXPECT_EQ(vm.move_to_cr(0, 4, 0x3706b0 & ~smep), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), general_protection);
    bring_up();
    EXPECT_EQ(vm.delivered(1), std::nullopt);
}

TEST_F(init, a_shoot_down_stops_waiting_when_the_cpu_is_reset_meanwhile) {
    vm.machine.on_nmi = [this](std::uint32_t n) {
        vm.core(n).base.state.store(hv::cpu_state::waiting_for_sipi);
    };
    EXPECT_EQ(vm.load({}), 0);
    EXPECT_EQ(vm.core(1).base.synchronise_requested.load(), 1u) << "it has not answered";
}

TEST_F(init, a_shoot_down_does_not_wait_for_a_cpu_that_waits_for_a_sipi) {
    offline();
    vm.machine.tick_step = 1ull << 30;
    EXPECT_EQ(vm.load({msr_rule(1, 0x10, 0x10), cr_rule(2, 4, smep)}), 0);
    EXPECT_EQ(vm.v(1)[field::cr4_mask] & smep, 0u);
    auto const before = vm.hw(1).count(op::invept);
    sipi(0x99);
    EXPECT_EQ(vm.hw(1).count(op::invept), before + 1)
        << "it drops what it has cached, before it runs";
    EXPECT_NE(vm.v(1)[field::cr4_mask] & smep, 0u);
}

TEST_F(init, an_nmi_in_root_mode_waits_for_the_sipi) {
    vm.hw(1).on_step = [this](step const& s) {
        if (s.what == op::invvpid) vm.nmi(1);
    };
    offline();
    vm.hw(1).on_step = nullptr;
    EXPECT_EQ(vm.delivered(1), std::nullopt);
    EXPECT_EQ(vm.v(1)[field::activity], 3u) << "it must not run the code at the reset vector";
    sipi(0x99);
    EXPECT_EQ(vm.delivered(1), nmi_event);
}

TEST_F(init, an_event_in_delivery_is_dropped) {
    vm.v(1).set(field::rflags, 0x202);
    EXPECT_EQ(vm.exit(1, {.reason = 3, .vectoring = 0x80000030}), outcome::resumed);
    EXPECT_EQ(vm.delivered(1), std::nullopt);
}

TEST_F(init, twice_and_sipi_of_each_page) {
    offline();
    EXPECT_EQ(vm.exit(1, {.reason = 3}), outcome::resumed);
    forget_records();
    for (unsigned vector = 0; vector < 256; vector += 51) {
        sipi(static_cast<std::uint8_t>(vector));
        EXPECT_EQ(vm.v(1)[field::cs_base], vector << 12);
        offline();
    }
}
