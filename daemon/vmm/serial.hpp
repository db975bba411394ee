// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string_view>

#include "daemon/vmm/port_bus.hpp"

namespace hv::vmm {

constexpr std::uint16_t serial_port = 0x3f8;
constexpr unsigned serial_ports = 8;
constexpr unsigned serial_irq = 4;

/// A 16550: what the VM sends is out at once, what it is sent waits for it here. It is shown only
/// to a driver that wants interrupts for it: one that starts empties the line, and what was
/// typed ahead would be lost.
class serial : public port_device {
public:
    using sender = std::function<void(char)>;
    using interrupt = std::function<void(bool raised)>;

    serial(sender send, interrupt raise) : send_{std::move(send)}, raise_{std::move(raise)} {}

    std::uint32_t in(unsigned offset, unsigned bytes) override;
    void out(unsigned offset, unsigned bytes, std::uint32_t value) override;

    /// How much more input has room.
    std::size_t room() const;
    void receive(std::string_view text);

private:
    std::uint8_t read(unsigned offset);
    void write(unsigned offset, std::uint8_t value);
    bool ready() const;
    std::uint8_t take_byte();
    std::uint8_t identify();
    std::uint8_t modem_status() const;
    void transmit(std::uint8_t value);
    void update();

    sender send_;
    interrupt raise_;
    std::deque<std::uint8_t> waiting_;
    std::uint8_t enabled_ = 0;
    std::uint8_t line_control_ = 0;
    std::uint8_t modem_control_ = 0;
    std::uint8_t scratch_ = 0;
    std::uint8_t divisor_low_ = 1;
    std::uint8_t divisor_high_ = 0;
    bool fifo_ = false;
    bool sent_ = false;    // the transmitter ran empty, and nobody was told yet
    bool raised_ = false;
};

}
