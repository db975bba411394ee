// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <ctime>

#include "daemon/vmm/port_bus.hpp"

namespace hv::vmm {

constexpr std::uint16_t clock_port = 0x70;
constexpr unsigned clock_ports = 2;

/// The PC's clock, an MC146818: UTC, as it is now. It can be read; setting it changes nothing.
class clock_registers : public port_device {
public:
    explicit clock_registers(std::time_t (*now)() = [] { return std::time(nullptr); })
        : now_{now} {}
    std::uint32_t in(unsigned offset, unsigned bytes) override;
    void out(unsigned offset, unsigned bytes, std::uint32_t value) override;

private:
    std::uint8_t read() const;

    std::time_t (*now_)();
    std::uint8_t index_ = 0;
};

}
