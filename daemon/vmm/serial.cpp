// SPDX-License-Identifier: MIT
#include "daemon/vmm/serial.hpp"

namespace hv::vmm {
namespace {

// Names and bits: the data sheet of National's PC16550D.
enum registers : unsigned {
    data,
    interrupt_enable,
    identification,
    line_control,
    modem_control,
    line_status,
    modem_status_register,
    scratch
};
enum interrupt_bits : std::uint8_t { on_received = 1, on_sent = 2 };
enum causes : std::uint8_t { cause_none = 1, cause_sent = 2, cause_received = 4, fifos = 0xc0 };
enum modem_bits : std::uint8_t { dtr = 1, rts = 2, out1 = 4, out2 = 8, loop = 16 };
enum modem_states : std::uint8_t { cts = 0x10, dsr = 0x20, ring = 0x40, carrier = 0x80 };
enum line_states : std::uint8_t { received = 1, holding_empty = 0x20, idle = 0x40 };
constexpr std::uint8_t divisor_latch = 0x80;
constexpr std::uint8_t fifo_on = 1;
constexpr std::uint8_t fifo_clear = 2;
constexpr std::size_t most_waiting = 4096;

}

std::uint32_t serial::in(unsigned offset, unsigned) { return 0xffffff00u | read(offset); }

void serial::out(unsigned offset, unsigned, std::uint32_t value) {
    write(offset, static_cast<std::uint8_t>(value));
}

std::size_t serial::room() const {
    return waiting_.size() < most_waiting ? most_waiting - waiting_.size() : 0;
}

void serial::receive(std::string_view text) {
    for (char const each : text.substr(0, room())) {
        waiting_.push_back(static_cast<std::uint8_t>(each));
    }
    update();
}

std::uint8_t serial::read(unsigned offset) {
    bool const latch = (line_control_ & divisor_latch) != 0;
    switch (offset) {
    case data:             return latch ? divisor_low_ : take_byte();
    case interrupt_enable: return latch ? divisor_high_ : enabled_;
    case identification:   return identify();
    case line_control:     return line_control_;
    case modem_control:    return modem_control_;
    case line_status:
        return static_cast<std::uint8_t>(holding_empty | idle | (ready() ? received : 0));
    case modem_status_register: return modem_status();
    default:                    return scratch_;
    }
}

void serial::write(unsigned offset, std::uint8_t value) {
    bool const latch = (line_control_ & divisor_latch) != 0;
    switch (offset) {
    case data:
        if (latch) divisor_low_ = value;
        if (!latch) transmit(value);
        break;
    case interrupt_enable:
        if (latch) {
            divisor_high_ = value;
            break;
        }
        if ((value & ~enabled_ & on_sent) != 0) sent_ = true;
        enabled_ = value & 0x0f;
        break;
    case identification:
        fifo_ = (value & fifo_on) != 0;
        if ((value & fifo_clear) != 0 && ready()) waiting_.clear();
        break;
    case line_control:  line_control_ = value; break;
    case modem_control: modem_control_ = value & 0x1f; break;
    case scratch:       scratch_ = value; break;
    default:            break;
    }
    update();
}

bool serial::ready() const {
    bool const looped = (modem_control_ & loop) != 0;
    return !waiting_.empty() && (looped || (enabled_ & on_received) != 0);
}

std::uint8_t serial::take_byte() {
    if (!ready()) return 0;
    auto const out = waiting_.front();
    waiting_.pop_front();
    update();
    return out;
}

std::uint8_t serial::identify() {
    auto const mode = static_cast<std::uint8_t>(fifo_ ? fifos : 0);
    if ((enabled_ & on_received) != 0 && ready()) return mode | cause_received;
    if ((enabled_ & on_sent) == 0 || !sent_) return mode | cause_none;
    sent_ = false;
    update();
    return mode | cause_sent;
}

std::uint8_t serial::modem_status() const {
    if ((modem_control_ & loop) == 0) return carrier | dsr | cts;
    unsigned out = 0;
    if ((modem_control_ & rts) != 0) out |= cts;
    if ((modem_control_ & dtr) != 0) out |= dsr;
    if ((modem_control_ & out1) != 0) out |= ring;
    if ((modem_control_ & out2) != 0) out |= carrier;
    return static_cast<std::uint8_t>(out);
}

void serial::transmit(std::uint8_t value) {
    if ((modem_control_ & loop) == 0) send_(static_cast<char>(value));
    if ((modem_control_ & loop) != 0 && room() != 0) waiting_.push_back(value);
    sent_ = true;
}

void serial::update() {
    bool const wanted = ((enabled_ & on_received) != 0 && ready()) ||
                        ((enabled_ & on_sent) != 0 && sent_);
    // On a PC the line goes through OUT2.
    bool const raised = wanted && (modem_control_ & out2) != 0;
    if (raised != raised_) raise_(raised);
    raised_ = raised;
}

}
