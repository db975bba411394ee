// SPDX-License-Identifier: MIT
#include "daemon/vmm/power.hpp"

#include <chrono>

#include "daemon/vmm/acpi_tables.hpp"

namespace hv::vmm {
namespace {

// Source: ACPI 6.4, 4.8.3 "PM1 Event Registers" and the sections after it.
constexpr unsigned status_register = 0;
constexpr unsigned enable_register = 2;
constexpr unsigned control_register = pm_control_port - pm_event_port;
constexpr unsigned timer_register = pm_timer_port - pm_event_port;
constexpr std::uint16_t button = 1u << 8;
constexpr std::uint32_t sleep_enable = 1u << 13;
constexpr unsigned sleep_type_shift = 10;
constexpr std::uint32_t sleep_type_mask = 7;
constexpr std::uint16_t acpi_mode = 1;
constexpr std::uint64_t timer_hz = 3'579'545;

std::uint32_t timer_now() {
    using std::chrono::nanoseconds;
    auto const since = std::chrono::steady_clock::now().time_since_epoch();
    auto const ns = static_cast<std::uint64_t>(nanoseconds{since}.count());
    constexpr std::uint64_t second = 1'000'000'000;
    return static_cast<std::uint32_t>(ns / second * timer_hz + ns % second * timer_hz / second);
}

}

std::uint32_t power_registers::in(unsigned offset, unsigned bytes) {
    switch (offset) {
    case status_register:
        return bytes == 4 ? status_ | static_cast<std::uint32_t>(enabled_) << 16 : status_;
    case enable_register:  return enabled_;
    case control_register: return control_;
    case timer_register:   return timer_now();
    default:               return 0;
    }
}

void power_registers::out(unsigned offset, unsigned bytes, std::uint32_t value) {
    auto const low = static_cast<std::uint16_t>(value);
    switch (offset) {
    case status_register:
        status_ = static_cast<std::uint16_t>(status_ & ~low);    // a one clears
        if (bytes == 4) enabled_ = static_cast<std::uint16_t>(value >> 16);
        break;
    case enable_register: enabled_ = low; break;
    case control_register:
        control_ = static_cast<std::uint16_t>((low & ~sleep_enable) | acpi_mode);
        if ((low & sleep_enable) != 0 &&
            (low >> sleep_type_shift & sleep_type_mask) == power_off_type) {
            power_off_();
        }
        break;
    default: break;
    }
    update();
}

void power_registers::press_button() {
    status_ |= button;
    update();
}

void power_registers::update() {
    bool const raised = (status_ & enabled_) != 0;
    if (raised != raised_) raise_(raised);
    raised_ = raised;
}

}
