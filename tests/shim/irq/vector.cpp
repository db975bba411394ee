// SPDX-License-Identifier: MIT
#include "machine.hpp"

namespace {
using irq::machine;
namespace at = irq;

void send_self(irq::cpu const& cpu, unsigned int vector) { cpu.write(at::icr, 0x44000 | vector); }

TEST(lapic_vector, goes_from_request_to_service_to_end) {
    machine m;
    auto const cpu = m[0];
    send_self(cpu, 0x51);
    EXPECT_TRUE(cpu.bit(at::irr, 0x51));
    EXPECT_EQ(cpu.pending(), 0x51);
    EXPECT_EQ(cpu.ack(), 0x51);
    EXPECT_FALSE(cpu.bit(at::irr, 0x51));
    EXPECT_TRUE(cpu.bit(at::isr, 0x51));
    EXPECT_EQ(cpu.read(at::ppr), 0x50u);
    EXPECT_EQ(cpu.pending(), -1);
    cpu.end();
    EXPECT_FALSE(cpu.bit(at::isr, 0x51));
    EXPECT_EQ(cpu.read(at::ppr), 0u);
    EXPECT_EQ(cpu.ack(), -1);
}

TEST(lapic_vector, waits_for_its_class) {
    machine m;
    auto const cpu = m[0];
    send_self(cpu, 0x51);
    EXPECT_EQ(cpu.ack(), 0x51);
    send_self(cpu, 0x5f);
    EXPECT_EQ(cpu.pending(), -1) << "the same class";
    send_self(cpu, 0x60);
    EXPECT_EQ(cpu.ack(), 0x60);
    cpu.end();
    EXPECT_EQ(cpu.pending(), -1);
    cpu.end();
    EXPECT_EQ(cpu.ack(), 0x5f);
}

TEST(lapic_vector, waits_for_tpr) {
    machine m;
    auto const cpu = m[0];
    cpu.write(at::tpr, 0x50);
    send_self(cpu, 0x5f);
    EXPECT_EQ(cpu.pending(), -1);
    EXPECT_EQ(hvk_highest_requested(&cpu.vcpu()), 0x5f);
    EXPECT_EQ(cpu.read(at::ppr), 0x50u);
    hvk_set_cr8(&cpu.vcpu(), 4);
    EXPECT_EQ(cpu.pending(), 0x5f);
}

TEST(lapic_vector, takes_the_highest_first) {
    machine m;
    auto const cpu = m[0];
    for (unsigned int const vector : {0x20u, 0xffu, 0x3fu, 0x40u}) send_self(cpu, vector);
    for (int const vector : {0xff, 0x40, 0x3f, 0x20}) {
        EXPECT_EQ(cpu.ack(), vector);
        cpu.end();
    }
    EXPECT_EQ(hvk_highest_requested(&cpu.vcpu()), -1);
}

TEST(lapic_vector, below_16_is_noted_and_never_taken) {
    machine m;
    send_self(m[0], 0x0f);
    EXPECT_TRUE(m[0].bit(at::irr, 0x0f));
    EXPECT_EQ(m[0].pending(), -1);
}

TEST(lapic_vector, kicks_when_it_is_new) {
    machine m;
    send_self(m[0], 0x40);
    EXPECT_EQ(m[0].vcpu().kicks, 1u);
    send_self(m[0], 0x40);
    EXPECT_EQ(m[0].vcpu().kicks, 1u);
    m[0].ack();
    send_self(m[0], 0x40);
    EXPECT_EQ(m[0].vcpu().kicks, 2u);
}

TEST(lapic_vector, ending_nothing_does_nothing) {
    machine m;
    m[0].end();
    EXPECT_EQ(m[0].pending(), -1);
}

TEST(lapic_vector, nothing_reaches_a_cpu_whose_apic_is_off) {
    machine m;
    send_self(m[0], 0x40);
    EXPECT_TRUE(m[0].wrmsr(0x1b, 0xfee00100));
    EXPECT_EQ(m[0].pending(), -1);
    EXPECT_EQ(m.msi(0xfee00000, 0x41), -1);
    EXPECT_TRUE(m[0].wrmsr(0x1b, 0xfee00900));
    EXPECT_EQ(m[0].pending(), 0x40);
}

TEST(lapic_vector, self_ipi_of_x2apic) {
    machine m;
    m[0].to_x2apic();
    EXPECT_TRUE(m[0].wrmsr(0x83f, 0x77));
    EXPECT_EQ(m[0].ack(), 0x77);
    EXPECT_TRUE(m[0].wrmsr(0x80b, 0));
    EXPECT_EQ(*m[0].rdmsr(0x80a), 0u);
}

TEST(extint, of_the_client_goes_before_the_lapic) {
    machine m(1, true);
    auto& vcpu = m[0].vcpu();
    m[0].write(at::lvt_lint0, 0x700);
    send_self(m[0], 0xf0);
    EXPECT_TRUE(hvk_accepts_extint(&vcpu));
    EXPECT_EQ(hvk_queue_extint(&vcpu, 0x08), 0);
    EXPECT_EQ(hvk_queue_extint(&vcpu, 0x09), -EEXIST);
    EXPECT_FALSE(hvk_accepts_extint(&vcpu));
    EXPECT_EQ(m[0].pending(), 0x08);
    EXPECT_EQ(m[0].ack(), 0x08);
    EXPECT_EQ(m[0].ack(), 0xf0);
    EXPECT_EQ(m[0].ack(), -1);
}

TEST(extint, waits_while_lint0_is_masked) {
    machine m(1, true);
    m[0].write(at::lvt_lint0, 0x10700);
    EXPECT_FALSE(hvk_accepts_extint(&m[0].vcpu()));
    EXPECT_EQ(hvk_queue_extint(&m[0].vcpu(), 0x08), 0);
    EXPECT_EQ(m[0].pending(), -1);
    EXPECT_TRUE(m[0].wrmsr(0x1b, 0xfee00100));
    EXPECT_EQ(m[0].ack(), 0x08) << "a LAPIC that is off lets it through";
}

TEST(extint, is_the_pics_where_the_pic_is_ours) {
    machine m;
    EXPECT_EQ(hvk_queue_extint(&m[0].vcpu(), 0x08), -ENXIO);
    EXPECT_FALSE(hvk_accepts_extint(&m[0].vcpu()));
}
}
