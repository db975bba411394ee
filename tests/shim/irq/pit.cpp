// SPDX-License-Identifier: MIT
#include "machine.hpp"
#include <cstring>

namespace {
using irq::machine;
namespace at = irq;

constexpr std::uint64_t second = 1'000'000'000, hz = 1'193'182;

struct with_pit : machine {
    explicit with_pit(std::uint32_t flags = KVM_PIT_SPEAKER_DUMMY) : machine(1, false, false) {
        EXPECT_EQ(hvk_pit_create(vm(), flags), 0);
        start_pics();
    }

    /// Low byte, then high byte, in this mode.
    void program(unsigned int channel, unsigned int mode, unsigned int count) {
        auto const port = static_cast<std::uint16_t>(0x40 + channel);
        out(0x43, static_cast<std::uint8_t>(channel << 6 | 0x30 | mode << 1));
        out(port, static_cast<std::uint8_t>(count));
        out(port, static_cast<std::uint8_t>(count >> 8));
    }

    unsigned int count(unsigned int channel) {
        auto const port = static_cast<std::uint16_t>(0x40 + channel);
        out(0x43, static_cast<std::uint8_t>(channel << 6));
        unsigned int const low = in(port);
        return low | static_cast<unsigned int>(in(port)) << 8;
    }

    bool ticked() {
        if ((*this)[0].ack() != 0x30) return false;
        out(0x20, 0x20);
        return true;
    }
};

TEST(pit, is_made_once_beside_the_pics) {
    machine m;
    kvm_pit_state2 state;
    EXPECT_EQ(hvk_get_pit(m.vm(), &state), -ENXIO);
    EXPECT_EQ(hvk_set_pit(m.vm(), &state), -ENXIO);
    EXPECT_EQ(hvk_pit_reinject(m.vm(), false), -ENXIO);
    EXPECT_EQ(hvk_pit_create(m.vm(), 2), -EINVAL);
    EXPECT_EQ(hvk_pit_create(m.vm(), 0), 0);
    EXPECT_EQ(hvk_pit_create(m.vm(), 0), -EEXIST);
    std::uint8_t value = 0;
    EXPECT_FALSE(hvk_pic_pit_io(m.vm(), 0x61, &value, 1, false)) << "not asked for";
    hvk_vm none;
    EXPECT_EQ(hvk_pit_create(&none, 0), -ENOENT);
}

TEST(pit, is_quiet_until_it_is_programmed) {
    with_pit m;
    fake::advance(10 * second);
    EXPECT_FALSE(m.ticked());
    EXPECT_EQ(fake::timers(), 0u);
}

TEST(pit, ticks_periodically) {
    with_pit m;
    m.program(0, 2, 11932);
    std::uint64_t const period = 11932 * second / hz;
    fake::advance(period - 1);
    EXPECT_FALSE(m.ticked());
    fake::advance(1);
    EXPECT_TRUE(m.ticked());
    for (unsigned int i = 0; i < 50; ++i) {
        fake::advance(period);
        EXPECT_TRUE(m.ticked());
        EXPECT_FALSE(m.ticked());
    }
}

TEST(pit, counts_once) {
    with_pit m;
    m.program(0, 0, 1193);
    fake::advance(1193 * second / hz);
    EXPECT_TRUE(m.ticked());
    fake::advance(10 * second);
    EXPECT_FALSE(m.ticked());
    m.program(0, 5, 1193);
    fake::advance(10 * second);
    EXPECT_FALSE(m.ticked()) << "no gate ever triggers it";
}

TEST(pit, never_faster_than_the_host_bears) {
    with_pit m;
    m.program(0, 2, 2);
    fake::advance(second);
    EXPECT_EQ(hvk_pit_reinject(m.vm(), false), 0);
    EXPECT_TRUE(m.ticked());
    EXPECT_FALSE(m.ticked());
    fake::advance(200'000);
    EXPECT_TRUE(m.ticked());
}

TEST(pit, makes_up_ticks_that_a_slow_guest_missed) {
    with_pit m;
    m.program(0, 2, 11932);
    fake::advance(5 * 11932 * second / hz + 1000);
    for (unsigned int i = 0; i < 5; ++i) EXPECT_TRUE(m.ticked()) << i;
    EXPECT_FALSE(m.ticked());
    fake::advance_without_interrupts(3 * 11932 * second / hz);
    fake::advance(0);
    for (unsigned int i = 0; i < 3; ++i) EXPECT_TRUE(m.ticked()) << i;
    EXPECT_FALSE(m.ticked());
}

TEST(pit, makes_them_up_through_the_ioapic_too) {
    with_pit m;
    m[0].enable();
    EXPECT_EQ(m.route({irq::pin_route(0, KVM_IRQCHIP_IOAPIC, 2)}), 0);
    m.redirect(2, 0x52);
    m.program(0, 2, 11932);
    fake::advance(3 * 11932 * second / hz + 1000);
    for (unsigned int i = 0; i < 3; ++i) {
        EXPECT_EQ(m[0].ack(), 0x52);
        m[0].end();
    }
    EXPECT_EQ(m[0].ack(), -1);
}

TEST(pit, makes_up_nothing_when_the_client_does) {
    with_pit m;
    EXPECT_EQ(hvk_pit_reinject(m.vm(), false), 0);
    m.program(0, 2, 11932);
    fake::advance(5 * 11932 * second / hz + 1000);
    EXPECT_TRUE(m.ticked());
    EXPECT_FALSE(m.ticked());
}

TEST(pit, forgets_ticks_from_under_a_mask) {
    with_pit m;
    m.out(0x21, 0xff);
    m.program(0, 2, 11932);
    fake::advance(5 * 11932 * second / hz + 1000);
    m.out(0x21, 0xfe);
    EXPECT_TRUE(m.ticked());
    EXPECT_FALSE(m.ticked());
}

TEST(pit, is_a_watchdog_through_lint0) {
    with_pit m;
    m[0].enable();
    m[0].write(at::lvt_lint0, 0x400);
    EXPECT_EQ(hvk_pit_reinject(m.vm(), false), 0);
    m.program(0, 2, 11932);
    fake::advance(3 * 11932 * second / hz + 1000);
    EXPECT_EQ(m[0].vcpu().nmis, 3u);
}

TEST(pit, channel_is_read_while_it_counts) {
    with_pit m;
    m.program(2, 0, 50'000);
    EXPECT_EQ(m.count(2), 50'000u);
    fake::advance(10'000 * second / hz + 1);
    EXPECT_EQ(m.count(2), 40'000u);
    fake::advance(50'000 * second / hz);
    EXPECT_GT(m.count(2), 55'000u) << "goes on from 65535";
    m.program(2, 2, 1000);
    fake::advance(10'300 * second / hz + 1);
    EXPECT_EQ(m.count(2), 700u);
    m.program(2, 3, 1000);
    fake::advance(200 * second / hz + 1);
    EXPECT_EQ(m.count(2), 600u) << "by twos";
    m.program(2, 0, 0);
    EXPECT_EQ(m.count(2), 0u) << "65536";
    fake::advance(second / hz + 1);
    EXPECT_EQ(m.count(2), 65535u);
}

TEST(pit, latched_count_waits_until_it_is_read) {
    with_pit m;
    m.program(2, 2, 50'000);
    m.out(0x43, 0x80);
    fake::advance(1000 * second / hz);
    m.out(0x43, 0x80);
    EXPECT_EQ(m.in(0x42), 50'000 & 0xff);
    EXPECT_EQ(m.in(0x42), 50'000 >> 8);
    EXPECT_NE(m.count(2), 50'000u);
}

TEST(pit, accesses_one_byte_where_told) {
    with_pit m;
    m.out(0x43, 0x90);
    m.out(0x42, 0x34);
    EXPECT_EQ(m.in(0x42), 0x34);
    EXPECT_EQ(m.in(0x42), 0x34);
    m.out(0x43, 0xa0);
    m.out(0x42, 0x12);
    EXPECT_EQ(m.in(0x42), 0x12);
    m.out(0x43, 0x80);
    EXPECT_EQ(m.in(0x42), 0x12);
    m.out(0x43, 0xb0);
    m.out(0x42, 0x34);
    m.out(0x42, 0x12);
    EXPECT_EQ(m.in(0x42), 0x34);
    EXPECT_EQ(m.in(0x42), 0x12);
    EXPECT_EQ(m.in(0x43), 0) << "the control port cannot be read";
}

TEST(pit, reads_back) {
    with_pit m;
    m.program(2, 6, 1000);
    m.program(1, 0, 77);
    m.out(0x43, 0xc0 | 0x0c);
    EXPECT_EQ(m.in(0x42), 0x34) << "output low, both bytes, mode 2, which was written as 6";
    EXPECT_EQ(m.in(0x42), 1000 & 0xff);
    EXPECT_EQ(m.in(0x42), 1000 >> 8);
    EXPECT_EQ(m.in(0x41), 0x30);
    EXPECT_EQ(m.in(0x41), 77);
    m.out(0x43, 0xe0 | 0x08);
    fake::advance(second);
    m.out(0x43, 0xe0 | 0x08);
    EXPECT_EQ(m.in(0x42) & 0x3f, 0x34);
}

TEST(pit, port_61_has_gate_and_output_of_channel_2) {
    with_pit m;
    m.out(0x61, 0x00);
    m.program(2, 0, 1000);
    m.out(0x61, 0x03);
    EXPECT_EQ(m.in(0x61) & 0x23, 0x03);
    fake::advance(1000 * second / hz + 1);
    EXPECT_EQ(m.in(0x61) & 0x23, 0x23);
    m.out(0x61, 0x00);
    m.program(2, 1, 1000);
    fake::advance(second);
    m.out(0x61, 0x01);
    EXPECT_EQ(m.in(0x61) & 0x20, 0x20) << "a rising gate starts it";
    fake::advance(1000 * second / hz + 1);
    EXPECT_EQ(m.in(0x61) & 0x20, 0);
    auto const refresh = m.in(0x61) & 0x10;
    fake::advance(1 << 14);
    EXPECT_NE(m.in(0x61) & 0x10, refresh);
}

TEST(pit, state_carries_over) {
    with_pit m, other;
    m.program(0, 2, 11932);
    m.program(2, 3, 1000);
    m.out(0x61, 0x03);
    fake::advance(1000);
    kvm_pit_state2 state;
    EXPECT_EQ(hvk_get_pit(m.vm(), &state), 0);
    EXPECT_EQ(state.channels[0].count, 11932u);
    EXPECT_EQ(state.channels[0].mode, 2);
    EXPECT_EQ(state.flags, static_cast<unsigned int>(KVM_PIT_FLAGS_SPEAKER_DATA_ON));
    EXPECT_EQ(hvk_set_pit(other.vm(), &state), 0);
    EXPECT_EQ(other.in(0x61) & 3, 3);
    fake::advance(11932 * second / hz);
    EXPECT_TRUE(other.ticked());
    state.flags |= KVM_PIT_FLAGS_HPET_LEGACY;
    EXPECT_EQ(hvk_set_pit(other.vm(), &state), 0);
    fake::advance(second);
    EXPECT_FALSE(other.ticked()) << "the HPET's now";
    other.program(0, 2, 1193);
    fake::advance(second);
    EXPECT_FALSE(other.ticked());
}

TEST(pit, state_of_nonsense_is_borne) {
    with_pit m;
    for (int const fill : {0x00, 0xff, 0xa5, 0x5a}) {
        kvm_pit_state2 state;
        std::memset(&state, fill, sizeof state);
        EXPECT_EQ(hvk_set_pit(m.vm(), &state), 0);
        for (std::uint16_t port = 0x40; port < 0x44; ++port)
            for (unsigned int i = 0; i < 4; ++i) m.in(port);
        m.out(0x43, 0xce);
        m.in(0x61);
        fake::advance(second / 10);
    }
}
}
