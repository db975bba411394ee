// SPDX-License-Identifier: MIT
#include "machine.hpp"

namespace {
using irq::machine;
namespace at = irq;

/// Bit per CPU that has the vector waiting; takes it away there.
unsigned int reached(machine& m, unsigned int cpus, int vector) {
    unsigned int mask = 0;
    for (unsigned int i = 0; i < cpus; ++i) {
        if (m[i].pending() != vector) continue;
        m[i].ack();
        m[i].end();
        mask |= 1u << i;
    }
    return mask;
}

void send(irq::cpu const& cpu, std::uint32_t destination, std::uint32_t low) {
    cpu.write(at::icr_high, destination << 24);
    cpu.write(at::icr, low);
}

TEST(delivery, physical) {
    machine m(4);
    send(m[0], 2, 0x4040);
    EXPECT_EQ(reached(m, 4, 0x40), 0b0100u);
    send(m[0], 0, 0x4040);
    EXPECT_EQ(reached(m, 4, 0x40), 0b0001u);
    send(m[0], 9, 0x4040);
    EXPECT_EQ(reached(m, 4, 0x40), 0u);
    send(m[0], 0xff, 0x4040);
    EXPECT_EQ(reached(m, 4, 0x40), 0b1111u);
    m[3].write(at::id, 9u << 24);
    send(m[0], 9, 0x4040);
    EXPECT_EQ(reached(m, 4, 0x40), 0b1000u);
}

TEST(delivery, shorthands) {
    machine m(4);
    m[1].write(at::icr, 0x44040);
    EXPECT_EQ(reached(m, 4, 0x40), 0b0010u);
    m[1].write(at::icr, 0x84040);
    EXPECT_EQ(reached(m, 4, 0x40), 0b1111u);
    m[1].write(at::icr, 0xc4040);
    EXPECT_EQ(reached(m, 4, 0x40), 0b1101u);
}

TEST(delivery, logical_flat) {
    machine m(4);
    for (unsigned int i = 0; i < 4; ++i) m[i].write(at::ldr, 1u << (24 + i));
    send(m[0], 0b1010, 0x4840);
    EXPECT_EQ(reached(m, 4, 0x40), 0b1010u);
    send(m[0], 0xff, 0x4840);
    EXPECT_EQ(reached(m, 4, 0x40), 0b1111u);
    send(m[0], 0x10, 0x4840);
    EXPECT_EQ(reached(m, 4, 0x40), 0u);
}

TEST(delivery, logical_cluster) {
    machine m(4);
    for (unsigned int i = 0; i < 4; ++i) {
        m[i].write(at::dfr, 0x0fffffff);
        m[i].write(at::ldr, (i / 2 + 1) << 28 | 1u << (24 + i % 2));
    }
    send(m[0], 0x23, 0x4840);
    EXPECT_EQ(reached(m, 4, 0x40), 0b1100u);
    send(m[0], 0x12, 0x4840);
    EXPECT_EQ(reached(m, 4, 0x40), 0b0010u);
    send(m[0], 0x3f, 0x4840);
    EXPECT_EQ(reached(m, 4, 0x40), 0u);
    m[0].write(at::dfr, 0x10000000);
    send(m[1], 0x13, 0x4840);
    EXPECT_EQ(reached(m, 4, 0x40), 0b0010u) << "a model of no kind matches nothing";
}

TEST(delivery, x2apic) {
    machine m(18);
    for (unsigned int i = 0; i < 18; ++i) m[i].to_x2apic();
    EXPECT_EQ(*m[17].rdmsr(0x80d), 0x10002u);
    m[0].wrmsr(0x830, 17ull << 32 | 0x4040);
    EXPECT_EQ(reached(m, 18, 0x40), 1u << 17);
    m[0].wrmsr(0x830, 0x10003ull << 32 | 0x4840);
    EXPECT_EQ(reached(m, 18, 0x40), 3u << 16);
    m[0].wrmsr(0x830, 0xffffffffull << 32 | 0x4040);
    EXPECT_EQ(reached(m, 18, 0x40), (1u << 18) - 1);
    m[0].wrmsr(0x830, 0xffull << 32 | 0x4040);
    EXPECT_EQ(reached(m, 18, 0x40), 0u) << "an IPI to 255 is for CPU 255";
}

TEST(delivery, an_id_beyond_8_bits_reaches_a_cpu_that_is_still_xapic) {
    machine m(1);
    auto& v = m.vm()->vcpus.emplace_back(std::make_unique<hvk_vcpu>());
    v->vm = m.vm();
    v->id = 300;
    ASSERT_EQ(hvk_lapic_create(v.get()), 0);
    m[0].to_x2apic();
    m[0].wrmsr(0x830, 300ull << 32 | 0x4500);
    EXPECT_EQ(v->inits, 1u);
}

TEST(delivery, lowest_priority_goes_to_one_by_vector) {
    machine m(4);
    for (unsigned int i = 0; i < 4; ++i) m[i].write(at::ldr, 1u << (24 + i));
    unsigned int all = 0;
    for (int vector = 0x40; vector < 0x44; ++vector) {
        send(m[0], 0xff, 0x4900u | static_cast<unsigned int>(vector));
        unsigned int const mask = reached(m, 4, vector);
        EXPECT_EQ(__builtin_popcount(mask), 1);
        all |= mask;
        send(m[0], 0xff, 0x4900u | static_cast<unsigned int>(vector));
        EXPECT_EQ(reached(m, 4, vector), mask);
    }
    EXPECT_EQ(all, 0b1111u);
    m[1].write(at::svr, 0xff);
    for (unsigned int vector = 0x40; vector < 0x44; ++vector) send(m[0], 0b0011, 0x4900u | vector);
    EXPECT_FALSE(m[1].bit(at::irr, 0x41)) << "not to one that is off";
    EXPECT_TRUE(m[0].bit(at::irr, 0x41));
}

TEST(delivery, lowest_priority_to_everybody_physically_is_fixed) {
    machine m(2);
    send(m[0], 0xff, 0x4140);
    EXPECT_EQ(reached(m, 2, 0x40), 0b11u);
}

TEST(delivery, nmi_init_and_startup) {
    machine m(2);
    send(m[0], 1, 0x4400);
    EXPECT_EQ(m[1].vcpu().nmis, 1u);
    send(m[0], 1, 0xc500);
    EXPECT_EQ(m[1].vcpu().inits, 1u);
    send(m[0], 1, 0x8500);
    EXPECT_EQ(m[1].vcpu().inits, 1u) << "the de-assert is none";
    send(m[0], 1, 0x4699);
    EXPECT_EQ(m[1].vcpu().sipi, 0x99);
    EXPECT_EQ(m[0].vcpu().inits + m[0].vcpu().nmis, 0u);
    m[1].write(at::svr, 0xff);
    send(m[0], 1, 0x4500);
    EXPECT_EQ(m[1].vcpu().inits, 2u) << "also where software switched the LAPIC off";
}

TEST(delivery, a_lapic_that_is_off_takes_no_vector) {
    machine m(2);
    m[1].write(at::svr, 0xff);
    send(m[0], 1, 0x4040);
    EXPECT_EQ(m[1].read(at::irr + 0x20), 0u);
    EXPECT_EQ(m.msi(0xfee01000, 0x40), 0);
}

TEST(msi, tells_how_many_took_it) {
    machine m(4);
    EXPECT_EQ(m.msi(0xfee02000, 0x0040), 1);
    EXPECT_EQ(reached(m, 4, 0x40), 0b0100u);
    EXPECT_EQ(m.msi(0xfeeff000, 0x0040), 4);
    EXPECT_EQ(reached(m, 4, 0x40), 0b1111u);
    EXPECT_EQ(m.msi(0xfee09000, 0x0040), -1);
    for (unsigned int i = 0; i < 4; ++i) m[i].write(at::ldr, 1u << (24 + i));
    EXPECT_EQ(m.msi(0xfee0f00c, 0x0042), 1) << "the hint: one of them";
    EXPECT_EQ(reached(m, 4, 0x42), 0b0100u);
}

TEST(msi, level_triggered_is_noted_in_tmr) {
    machine m;
    EXPECT_EQ(m.msi(0xfee00000, 0x8040), 1);
    EXPECT_TRUE(m[0].bit(at::tmr, 0x40));
    m[0].ack();
    m[0].end();
    EXPECT_EQ(m.msi(0xfee00000, 0x0040), 1);
    EXPECT_FALSE(m[0].bit(at::tmr, 0x40));
}

TEST(msi, broadcast_of_8_bits_means_x2apics_too_but_where_the_client_objects) {
    machine m(2, true);
    m[1].to_x2apic();
    EXPECT_EQ(m.msi(0xfeeff000, 0x0040), 2);
    EXPECT_EQ(hvk_x2apic_api(m.vm(), 2), 0);
    EXPECT_EQ(m.msi(0xfeeff000, 0x0041), 1);
}

TEST(msi, wide_ids_are_the_clients_wish) {
    machine m(2, true);
    auto& v = m.vm()->vcpus.emplace_back(std::make_unique<hvk_vcpu>());
    v->vm = m.vm();
    v->id = 0x101;
    ASSERT_EQ(hvk_lapic_create(v.get()), 0);
    irq::cpu const wide{*v};
    wide.to_x2apic();
    EXPECT_TRUE(wide.wrmsr(0x80f, 0x1ff));
    EXPECT_EQ(m.msi(0xfee01000, 0x0040, 0x100), 1);
    EXPECT_EQ(reached(m, 3, 0x40), 0b010u);
    EXPECT_EQ(hvk_x2apic_api(m.vm(), 1), 0);
    EXPECT_EQ(m.msi(0xfee01000, 0x0040, 0x100), 1);
    EXPECT_EQ(reached(m, 3, 0x40), 0b100u);
    EXPECT_EQ(m.msi(0xfee01000, 0x0040, 0x101), -EINVAL);
    EXPECT_EQ(hvk_x2apic_api(m.vm(), 4), -EINVAL);
}

TEST(msi, with_flags_or_without_chip_is_refused) {
    machine m;
    kvm_msi message{};
    message.flags = 1;
    EXPECT_EQ(hvk_send_msi(m.vm(), &message), -EINVAL);
    hvk_vm none;
    message.flags = 0;
    EXPECT_EQ(hvk_send_msi(&none, &message), -EINVAL);
}
}
