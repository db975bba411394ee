// SPDX-License-Identifier: MIT
#include "machine.hpp"

namespace {
using irq::machine;
namespace at = irq;

constexpr std::uint32_t one_shot = 0x40, periodic = 0x20040, deadline = 0x40040;

/// Sets the mode, and the bus clock undivided.
irq::cpu with_timer(machine& m, std::uint32_t lvt) {
    auto const cpu = m[0];
    cpu.write(at::lvt_timer, lvt);
    if (lvt != deadline) cpu.write(at::divide, 0xb);
    return cpu;
}

bool ticked(irq::cpu const& cpu) {
    if (cpu.ack() != 0x40) return false;
    cpu.end();
    return true;
}

TEST(lapic_timer, one_shot_comes_once) {
    machine m;
    auto const cpu = with_timer(m, one_shot);
    cpu.write(at::initial_count, 1000);
    fake::advance(999);
    EXPECT_EQ(cpu.read(at::current_count), 1u);
    EXPECT_FALSE(ticked(cpu));
    fake::advance(1);
    EXPECT_TRUE(ticked(cpu));
    EXPECT_EQ(cpu.vcpu().kicks, 1u);
    EXPECT_EQ(cpu.read(at::current_count), 0u);
    EXPECT_EQ(cpu.read(at::initial_count), 1000u);
    fake::advance(1'000'000);
    EXPECT_FALSE(ticked(cpu));
    EXPECT_EQ(fake::timers(), 0u);
}

TEST(lapic_timer, divides) {
    for (auto const& [setting, by] : {std::pair{0x0u, 2u},
                                      {0x1u, 4u},
                                      {0x2u, 8u},
                                      {0x3u, 16u},
                                      {0x8u, 32u},
                                      {0x9u, 64u},
                                      {0xau, 128u},
                                      {0xbu, 1u}}) {
        machine m;
        auto const cpu = with_timer(m, one_shot);
        cpu.write(at::divide, setting);
        cpu.write(at::initial_count, 100);
        fake::advance(100 * by - 1);
        EXPECT_FALSE(ticked(cpu)) << by;
        fake::advance(1);
        EXPECT_TRUE(ticked(cpu)) << by;
    }
}

TEST(lapic_timer, divided_anew_keeps_the_count) {
    machine m;
    auto const cpu = with_timer(m, one_shot);
    cpu.write(at::initial_count, 1000);
    fake::advance(400);
    cpu.write(at::divide, 0x0);
    EXPECT_EQ(cpu.read(at::current_count), 600u);
    fake::advance(1199);
    EXPECT_FALSE(ticked(cpu));
    fake::advance(1);
    EXPECT_TRUE(ticked(cpu));
    cpu.write(at::divide, 0xb);
    fake::advance(10'000);
    EXPECT_FALSE(ticked(cpu));
}

TEST(lapic_timer, periodic_keeps_its_phase) {
    machine m;
    auto const cpu = with_timer(m, periodic);
    cpu.write(at::initial_count, 1'000'000);
    for (unsigned int i = 0; i < 5; ++i) {
        fake::advance(999'999);
        EXPECT_FALSE(ticked(cpu));
        fake::advance(1);
        EXPECT_TRUE(ticked(cpu));
    }
    fake::advance(250'000);
    EXPECT_EQ(cpu.read(at::current_count), 750'000u);
    cpu.write(at::initial_count, 0);
    fake::advance(10'000'000);
    EXPECT_FALSE(ticked(cpu));
    EXPECT_EQ(fake::timers(), 0u);
}

TEST(lapic_timer, late_host_gives_one_interrupt_and_keeps_the_phase) {
    machine m;
    auto const cpu = with_timer(m, periodic);
    cpu.write(at::initial_count, 1'000'000);
    fake::advance_without_interrupts(5'300'000);
    fake::advance(0);
    EXPECT_TRUE(ticked(cpu));
    EXPECT_FALSE(ticked(cpu));
    fake::advance(700'000);
    EXPECT_TRUE(ticked(cpu));
}

TEST(lapic_timer, periodic_never_faster_than_the_host_bears) {
    machine m;
    auto const cpu = with_timer(m, periodic);
    cpu.write(at::initial_count, 10);
    fake::advance(199'999);
    EXPECT_FALSE(ticked(cpu));
    fake::advance(1);
    EXPECT_TRUE(ticked(cpu));
}

TEST(lapic_timer, masked_counts_without_interrupt) {
    machine m;
    auto const cpu = with_timer(m, one_shot | 0x10000);
    cpu.write(at::initial_count, 1000);
    fake::advance(400);
    EXPECT_EQ(cpu.read(at::current_count), 600u);
    fake::advance(600);
    EXPECT_FALSE(ticked(cpu));
}

TEST(lapic_timer, becomes_periodic_while_it_counts) {
    machine m;
    auto const cpu = with_timer(m, one_shot);
    cpu.write(at::initial_count, 1'000'000);
    cpu.write(at::lvt_timer, periodic);
    fake::advance(3'000'000);
    EXPECT_TRUE(ticked(cpu));
    fake::advance(1'000'000);
    EXPECT_TRUE(ticked(cpu));
}

TEST(lapic_timer, stale_expiry_does_nothing) {
    machine m;
    auto const cpu = with_timer(m, one_shot);
    cpu.write(at::initial_count, 1000);
    fake::advance_holding_expiries(2000);
    cpu.write(at::initial_count, 0);
    fake::run_late();
    EXPECT_FALSE(ticked(cpu));
    cpu.write(at::initial_count, 1000);
    fake::advance_holding_expiries(2000);
    cpu.write(at::initial_count, 5000);
    fake::run_late();
    EXPECT_FALSE(ticked(cpu)) << "it is too early for the new count";
    fake::advance(5000);
    EXPECT_TRUE(ticked(cpu));
}

TEST(lapic_timer, init_stops_it) {
    machine m;
    auto const cpu = with_timer(m, periodic);
    cpu.write(at::initial_count, 1'000'000);
    hvk_lapic_reset(&cpu.vcpu());
    EXPECT_EQ(fake::timers(), 0u);
}

TEST(tsc_deadline, comes_when_the_tsc_gets_there) {
    machine m;
    auto const cpu = with_timer(m, deadline);
    auto const tsc = hvk_guest_tsc(&cpu.vcpu());
    EXPECT_TRUE(cpu.wrmsr(0x6e0, tsc + 10'000));
    EXPECT_EQ(*cpu.rdmsr(0x6e0), tsc + 10'000);
    fake::advance(4'999);
    EXPECT_FALSE(ticked(cpu));
    fake::advance(2);
    EXPECT_TRUE(ticked(cpu));
    EXPECT_EQ(*cpu.rdmsr(0x6e0), 0u);
    EXPECT_EQ(cpu.read(at::current_count), 0u);
}

TEST(tsc_deadline, in_the_past_comes_at_once) {
    machine m;
    auto const cpu = with_timer(m, deadline);
    EXPECT_TRUE(cpu.wrmsr(0x6e0, 1));
    EXPECT_TRUE(ticked(cpu));
    EXPECT_EQ(*cpu.rdmsr(0x6e0), 0u);
}

TEST(tsc_deadline, zero_disarms) {
    machine m;
    auto const cpu = with_timer(m, deadline);
    EXPECT_TRUE(cpu.wrmsr(0x6e0, hvk_guest_tsc(&cpu.vcpu()) + 1000));
    EXPECT_TRUE(cpu.wrmsr(0x6e0, 0));
    EXPECT_EQ(fake::timers(), 0u);
    fake::advance(1000);
    EXPECT_FALSE(ticked(cpu));
}

TEST(tsc_deadline, as_far_as_it_gets_is_never) {
    machine m;
    auto const cpu = with_timer(m, deadline);
    EXPECT_TRUE(cpu.wrmsr(0x6e0, ~0ull));
    fake::advance(1ull << 50);
    EXPECT_FALSE(ticked(cpu));
    EXPECT_EQ(*cpu.rdmsr(0x6e0), ~0ull);
}

TEST(tsc_deadline, follows_a_tsc_that_is_set) {
    machine m;
    auto const cpu = with_timer(m, deadline);
    EXPECT_TRUE(cpu.wrmsr(0x6e0, hvk_guest_tsc(&cpu.vcpu()) + 10'000));
    cpu.vcpu().tsc_offset += 8'000;
    hvk_lapic_tsc_changed(&cpu.vcpu());
    fake::advance(1'001);
    EXPECT_TRUE(ticked(cpu));
    EXPECT_TRUE(cpu.wrmsr(0x6e0, hvk_guest_tsc(&cpu.vcpu()) + 10'000));
    cpu.vcpu().tsc_offset -= 8'000;
    fake::advance(5'001);
    EXPECT_FALSE(ticked(cpu)) << "an expiry that finds itself early waits for the rest";
    fake::advance(4'001);
    EXPECT_TRUE(ticked(cpu));
}

TEST(tsc_deadline, shares_nothing_with_counting) {
    machine m;
    auto const cpu = with_timer(m, deadline);
    cpu.write(at::initial_count, 100);
    EXPECT_EQ(cpu.read(at::initial_count), 0u);
    EXPECT_TRUE(cpu.wrmsr(0x6e0, hvk_guest_tsc(&cpu.vcpu()) + 1000));
    cpu.write(at::lvt_timer, one_shot);
    EXPECT_EQ(*cpu.rdmsr(0x6e0), 0u);
    EXPECT_EQ(fake::timers(), 0u);
    EXPECT_TRUE(cpu.wrmsr(0x6e0, 1));
    EXPECT_FALSE(ticked(cpu));
    cpu.write(at::initial_count, 100);
    cpu.write(at::lvt_timer, deadline);
    EXPECT_EQ(fake::timers(), 0u);
    EXPECT_EQ(cpu.read(at::initial_count), 0u);
}
}
