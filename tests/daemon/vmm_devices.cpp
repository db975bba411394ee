// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "daemon/vmm/acpi_tables.hpp"
#include "daemon/vmm/clock.hpp"
#include "daemon/vmm/power.hpp"
#include "daemon/vmm/run_state.hpp"
#include "daemon/vmm/serial.hpp"

namespace hv {
namespace {

using namespace vmm;

class serial_line : public testing::Test {
protected:
    std::uint8_t in(unsigned offset) { return static_cast<std::uint8_t>(line_.in(offset, 1)); }
    void out(unsigned offset, unsigned value) { line_.out(offset, 1, value); }

    std::string sent_;
    bool raised_ = false;
    serial line_{[this](char each) { sent_ += each; }, [this](bool raised) { raised_ = raised; }};
};

TEST_F(serial_line, sends_what_is_written) {
    for (char const each : std::string_view{"hello"}) {
        out(0, static_cast<unsigned char>(each));
    }
    EXPECT_EQ(sent_, "hello");
    EXPECT_EQ(in(5), 0x60) << "empty, and idle";
    EXPECT_FALSE(raised_) << "no interrupt was asked for";
}

TEST_F(serial_line, the_divisor_hides_the_data) {
    out(3, 0x83);
    out(0, 'x');
    EXPECT_EQ(in(0), 'x');
    out(3, 3);
    EXPECT_EQ(sent_, "");
}

TEST_F(serial_line, tells_of_input_until_it_is_read) {
    out(4, 0x0b);
    out(1, 1);
    line_.receive("ab");
    EXPECT_TRUE(raised_);
    EXPECT_EQ(in(2) & 0xf, 4);
    EXPECT_EQ(in(5) & 1, 1);
    EXPECT_EQ(in(0), 'a');
    EXPECT_TRUE(raised_);
    EXPECT_EQ(in(0), 'b');
    EXPECT_FALSE(raised_);
    EXPECT_EQ(in(2) & 0xf, 1);
}

TEST_F(serial_line, tells_once_that_it_is_empty) {
    out(4, 0x0b);
    out(1, 2);
    EXPECT_TRUE(raised_) << "as soon as it is asked";
    EXPECT_EQ(in(2) & 0xf, 2);
    EXPECT_FALSE(raised_) << "reading the cause takes it away";
    out(0, 'x');
    EXPECT_TRUE(raised_);
}

TEST_F(serial_line, is_found_by_the_test_that_linux_makes) {
    out(4, 0x1a);
    EXPECT_EQ(in(6) & 0xf0, 0x90) << "in a loop: what goes out comes in";
    out(7, 0x5a);
    EXPECT_EQ(in(7), 0x5a);
    out(2, 1);
    EXPECT_EQ(in(2) >> 6, 3) << "a 16550A has FIFOs";
}

TEST_F(serial_line, keeps_what_was_typed_before_a_driver_listens) {
    line_.receive("early");
    EXPECT_EQ(in(5) & 1, 0);
    out(2, 7);
    EXPECT_EQ(in(0), 0) << "as a driver empties the line when it starts";
    out(1, 1);
    EXPECT_EQ(in(5) & 1, 1);
    EXPECT_EQ(in(0), 'e');
}

TEST_F(serial_line, takes_no_more_than_it_has_room_for) {
    out(1, 1);
    line_.receive(std::string(10'000, 'x'));
    EXPECT_EQ(line_.room(), 0u);
    in(0);
    EXPECT_EQ(line_.room(), 1u);
    out(2, 3);
    EXPECT_EQ(line_.room(), 4096u);
}

TEST(power_registers, power_off_is_s5_and_nothing_else) {
    int offs = 0;
    power_registers power{[&] { ++offs; }, [](bool) {}};
    power.out(4, 2, 1u << 13 | 3u << 10);
    EXPECT_EQ(offs, 0);
    power.out(4, 2, 5u << 10);
    EXPECT_EQ(offs, 0) << "the type alone does nothing";
    power.out(4, 2, 1u << 13 | 5u << 10);
    EXPECT_EQ(offs, 1);
    EXPECT_EQ(power.in(4, 2) & 1, 1u) << "ACPI mode stays on";
}

TEST(power_registers, the_button_raises_a_line_until_it_is_acknowledged) {
    bool raised = false;
    power_registers power{[] {}, [&](bool now) { raised = now; }};
    power.press_button();
    EXPECT_FALSE(raised) << "nobody listens";
    power.out(2, 2, 0x100);
    EXPECT_TRUE(raised);
    EXPECT_EQ(power.in(0, 2), 0x100u);
    power.out(0, 2, 0x100);
    EXPECT_FALSE(raised);
}

TEST(reset_line, resets_by_one_value_only) {
    int resets = 0;
    reset_line keyboard{0xff, 0xfe, 0, [&] { ++resets; }};
    keyboard.out(0, 1, 0xd1);
    EXPECT_EQ(resets, 0);
    keyboard.out(0, 1, 0xfe);
    EXPECT_EQ(resets, 1);
    EXPECT_EQ(keyboard.in(0, 1) & 0xff, 0u) << "ready for a command";
}

TEST(clock_registers, say_the_time_in_bcd) {
    clock_registers clock{[]() -> std::time_t { return 1'709'217'296; }};    // 2024-02-29 14:34:56
    std::vector<std::pair<unsigned, unsigned>> const expected{
        {0, 0x56}, {2, 0x34}, {4, 0x14}, {6, 0x05}, {7, 0x29}, {8, 0x02}, {9, 0x24}, {0x32, 0x20}};
    for (auto const& [index, value] : expected) {
        clock.out(0, 1, index);
        EXPECT_EQ(clock.in(1, 1) & 0xff, value) << index;
    }
    clock.out(0, 1, 10);
    EXPECT_EQ(clock.in(1, 1) & 0x80, 0u) << "no update is going on";
}

TEST(port_bus, gives_ones_where_nothing_is) {
    port_bus ports;
    clock_registers clock;
    ports.add(clock_port, clock_ports, clock);
    std::array<std::byte, 4> data{};
    ports.read(0x80, data);
    EXPECT_EQ(data,
              (std::array{std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff}}));
    ports.write(0x80, data);
    std::array index{std::byte{13}};
    ports.write(0x70, index);
    std::array value{std::byte{0}};
    ports.read(0x71, value);
    EXPECT_EQ(value[0], std::byte{0x80});
}

TEST(run_state, all_cpus_halted_is_an_end_and_some_are_not) {
    run_state state;
    state.resume();
    state.begin_inspection(2);
    state.report(true);
    state.report(false);
    EXPECT_FALSE(state.over());
    state.begin_inspection(2);
    state.report(true);
    state.report(true);
    EXPECT_EQ(state.how(), ending::halted);
    state.end(ending::crashed, "late");
    EXPECT_EQ(state.how(), ending::halted) << "the first word counts";
}

}
}
