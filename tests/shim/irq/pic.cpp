// SPDX-License-Identifier: MIT
#include "machine.hpp"

namespace {
using irq::machine;
namespace at = irq;

constexpr std::uint16_t master = 0x20, master_mask = 0x21, slave = 0xa0, slave_mask = 0xa1;
constexpr std::uint8_t eoi = 0x20;

struct pics : machine {
    explicit pics(unsigned int cpus = 1) : machine(cpus, false, false) { start_pics(); }
};

TEST(pic, interrupts_and_ends) {
    pics m;
    EXPECT_EQ(m.pulse(4), 1);
    EXPECT_EQ(m[0].pending(), 0x34);
    EXPECT_EQ(m[0].vcpu().kicks, 1u);
    EXPECT_EQ(m[0].ack(), 0x34);
    EXPECT_EQ(m[0].pending(), -1);
    m.pulse(4);
    EXPECT_EQ(m[0].pending(), -1) << "in service";
    m.out(master, eoi);
    EXPECT_EQ(m[0].ack(), 0x34);
}

TEST(pic, slave_comes_through_the_master) {
    pics m;
    EXPECT_EQ(m.pulse(12), 1);
    EXPECT_EQ(m[0].ack(), 0x3c);
    m.pulse(9);
    EXPECT_EQ(m[0].pending(), -1) << "the master still serves its pin 2";
    m.out(slave, eoi);
    m.out(master, eoi);
    EXPECT_EQ(m[0].ack(), 0x39);
}

TEST(pic, serves_by_priority) {
    pics m;
    m.pulse(5);
    m.pulse(3);
    m.pulse(10);
    EXPECT_EQ(m[0].ack(), 0x3a) << "pin 2 is before pin 3";
    EXPECT_EQ(m[0].ack(), -1);
    m.pulse(0);
    EXPECT_EQ(m[0].ack(), 0x30) << "a higher one nests";
    m.out(master, eoi);
    m.out(slave, eoi);
    m.out(master, eoi);
    EXPECT_EQ(m[0].ack(), 0x33);
    m.out(master, eoi);
    EXPECT_EQ(m[0].ack(), 0x35);
}

TEST(pic, mask_holds_back) {
    pics m;
    m.out(master_mask, 0x10);
    EXPECT_EQ(m.in(master_mask), 0x10);
    EXPECT_EQ(m.pulse(4), -1);
    EXPECT_EQ(m[0].pending(), -1);
    m.out(master_mask, 0);
    EXPECT_EQ(m[0].ack(), 0x34);
}

TEST(pic, level_pin_follows_its_line) {
    pics m;
    m.out(0x4d1, 0xff);
    EXPECT_EQ(m.in(0x4d1), 0xde);
    m.out(0x4d0, 0xff);
    EXPECT_EQ(m.in(0x4d0), 0xf8);
    EXPECT_EQ(m.irq(11, true), 1);
    EXPECT_EQ(m.irq(11, true), 0);
    EXPECT_EQ(m[0].ack(), 0x3b);
    m.out(slave, eoi);
    m.out(master, eoi);
    EXPECT_EQ(m[0].pending(), 0x3b) << "still high";
    m.irq(11, false);
    EXPECT_EQ(m[0].pending(), -1);
}

TEST(pic, request_that_goes_away_is_spurious) {
    pics m;
    m.pulse(4);
    m.out(master_mask, 0xff);
    EXPECT_EQ(m[0].ack(), -1) << "INTR is low again";
    m.out(0x4d1, 0x08);
    m.out(master_mask, 0);
    EXPECT_EQ(m[0].ack(), 0x34);
    m.out(master, 0x0b);
    EXPECT_EQ(m.in(master), 0x10) << "ISR";
    m.out(master, 0x0a);
    EXPECT_EQ(m.in(master), 0x00) << "IRR";
}

TEST(pic, specific_eoi_ends_that_pin) {
    pics m;
    m.pulse(5);
    EXPECT_EQ(m[0].ack(), 0x35);
    m.pulse(3);
    EXPECT_EQ(m[0].ack(), 0x33);
    m.out(master, 0x65);
    m.out(master, 0x0b);
    EXPECT_EQ(m.in(master), 0x08);
}

TEST(pic, rotates) {
    pics m;
    m.pulse(3);
    EXPECT_EQ(m[0].ack(), 0x33);
    m.out(master, 0xa0);
    m.pulse(3);
    m.pulse(5);
    EXPECT_EQ(m[0].ack(), 0x35) << "pin 3 is the last now";
    m.out(master, 0xe5);
    EXPECT_EQ(m[0].ack(), 0x33);
    m.out(master, eoi);
    m.out(master, 0xc2);
    m.pulse(0);
    m.pulse(3);
    EXPECT_EQ(m[0].ack(), 0x33);
}

TEST(pic, automatic_eoi) {
    pics m;
    m.out(master, 0x11);
    m.out(master_mask, 0x30);
    m.out(master_mask, 4);
    m.out(master_mask, 3);
    m.out(master_mask, 0);
    m.out(master, 0x80);
    m.pulse(3);
    m.pulse(4);
    EXPECT_EQ(m[0].ack(), 0x33);
    m.pulse(3);
    EXPECT_EQ(m[0].ack(), 0x34) << "rotated";
    EXPECT_EQ(m[0].ack(), 0x33);
    m.out(master, 0x00);
    m.out(master, 0x0b);
    EXPECT_EQ(m.in(master), 0);
}

TEST(pic, special_mask_lets_lower_pins_through) {
    pics m;
    m.pulse(3);
    EXPECT_EQ(m[0].ack(), 0x33);
    m.pulse(5);
    EXPECT_EQ(m[0].pending(), -1);
    m.out(master_mask, 0x08);
    m.out(master, 0x68);
    EXPECT_EQ(m[0].ack(), 0x35);
    m.out(master, 0x48);
    EXPECT_EQ(m[0].pending(), -1);
}

TEST(pic, special_fully_nested_master_lets_the_slave_nest) {
    pics m;
    m.out(master, 0x11);
    for (auto const word : std::initializer_list<std::uint8_t>{0x30, 0x04, 0x11, 0x00})
        m.out(master_mask, word);
    m.pulse(12);
    EXPECT_EQ(m[0].ack(), 0x3c);
    m.pulse(9);
    EXPECT_EQ(m[0].ack(), 0x39);
}

TEST(pic, poll_is_an_acknowledgment) {
    pics m;
    m.out(master, 0x0c);
    EXPECT_EQ(m.in(master), 7);
    m.pulse(4);
    m.out(master, 0x0c);
    EXPECT_EQ(m.in(master), 0x84);
    EXPECT_EQ(m[0].pending(), -1);
    m.out(master, 0x0b);
    EXPECT_EQ(m.in(master), 0x10);
}

TEST(pic, initialization_forgets) {
    pics m;
    m.pulse(4);
    m.pulse(3);
    m[0].ack();
    m.out(master_mask, 0x55);
    m.out(master, 0x11);
    EXPECT_EQ(m.in(master_mask), 0);
    EXPECT_EQ(m.in(master), 0);
    EXPECT_EQ(m[0].pending(), -1);
    m.out(master, 0x10);
    m.out(master_mask, 0x41);
    m.out(master_mask, 4);
    m.out(master_mask, 0x02);
    EXPECT_EQ(m.in(master_mask), 0x02) << "no fourth word was announced";
    m.pulse(4);
    EXPECT_EQ(m[0].ack(), 0x44);
}

TEST(pic, kicks_only_cpus_that_listen) {
    pics m(3);
    m[2].enable();
    m[2].write(at::lvt_lint0, 0x700);
    m.pulse(4);
    EXPECT_EQ(m[0].vcpu().kicks, 1u);
    EXPECT_EQ(m[1].vcpu().kicks, 0u);
    EXPECT_EQ(m[2].vcpu().kicks, 1u);
    EXPECT_EQ(m[1].pending(), -1);
    m[0].enable();
    m[0].write(at::lvt_lint0, 0x10700);
    EXPECT_EQ(m[0].pending(), -1);
    EXPECT_EQ(m[2].ack(), 0x34);
}

TEST(pic, wide_accesses_are_bytes) {
    pics m;
    std::uint32_t value = 0xffffff12;
    EXPECT_TRUE(hvk_pic_pit_io(m.vm(), master_mask, &value, 4, true));
    EXPECT_TRUE(hvk_pic_pit_io(m.vm(), master_mask, &value, 4, false));
    EXPECT_EQ(value, 0x12u);
    EXPECT_FALSE(hvk_pic_pit_io(m.vm(), 0x22, &value, 1, false));
    EXPECT_FALSE(hvk_pic_pit_io(m.vm(), 0x40, &value, 1, false)) << "no PIT yet";
    EXPECT_FALSE(hvk_pic_pit_io(m.vm(), 0x61, &value, 1, false));
}

TEST(pic, state_carries_over) {
    pics m;
    machine other(1, false, false);
    m.pulse(12);
    m.pulse(5);
    m.out(slave_mask, 0x01);
    for (unsigned int const chip : {1u, 0u}) {
        kvm_irqchip state{};
        state.chip_id = chip;
        EXPECT_EQ(hvk_get_irqchip(m.vm(), &state), 0);
        EXPECT_EQ(hvk_set_irqchip(other.vm(), &state), 0);
    }
    EXPECT_EQ(other.in(slave_mask), 1);
    EXPECT_EQ(other[0].ack(), 0x3c);
    other.out(slave, eoi);
    other.out(master, eoi);
    EXPECT_EQ(other[0].ack(), 0x35);
}
}
