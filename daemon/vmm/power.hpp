// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>

#include "daemon/vmm/port_bus.hpp"

namespace hv::vmm {

constexpr unsigned power_ports = 12;

/// ACPI's fixed registers: power button, sleep control, and the timer of 3.58 MHz.
class power_registers : public port_device {
public:
    using interrupt = std::function<void(bool raised)>;

    power_registers(std::function<void()> power_off, interrupt raise)
        : power_off_{std::move(power_off)}, raise_{std::move(raise)} {}

    std::uint32_t in(unsigned offset, unsigned bytes) override;
    void out(unsigned offset, unsigned bytes, std::uint32_t value) override;
    void press_button();

private:
    void update();

    std::function<void()> power_off_;
    interrupt raise_;
    std::uint16_t status_ = 0;
    std::uint16_t enabled_ = 0;
    std::uint16_t control_ = 1;    // ACPI mode
    bool raised_ = false;
};

/// A port whose one use here is to reset the machine: the keyboard controller's, and 0xcf9.
class reset_line : public port_device {
public:
    /// mask, value   which write resets;  idle   what a read gives
    reset_line(std::uint8_t mask, std::uint8_t value, std::uint8_t idle,
               std::function<void()> reset)
        : mask_{mask}, value_{value}, idle_{idle}, reset_{std::move(reset)} {}

    std::uint32_t in(unsigned, unsigned) override { return 0xffffff00u | idle_; }
    void out(unsigned, unsigned, std::uint32_t value) override {
        if ((value & mask_) == value_) reset_();
    }

private:
    std::uint8_t mask_;
    std::uint8_t value_;
    std::uint8_t idle_;
    std::function<void()> reset_;
};

}
