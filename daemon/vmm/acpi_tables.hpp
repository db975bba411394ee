// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hv::vmm {

// What the tables promise, and the devices keep.
constexpr std::uint16_t pm_event_port = 0x600;
constexpr std::uint16_t pm_control_port = 0x604;
constexpr std::uint16_t pm_timer_port = 0x608;
constexpr std::uint16_t reset_port = 0xcf9;
constexpr std::uint8_t reset_value = 0x06;
constexpr std::uint8_t power_off_type = 5;    // SLP_TYP of S5
constexpr unsigned sci_irq = 9;
constexpr std::uint32_t lapic_gpa = 0xfee00000;
constexpr std::uint32_t ioapic_gpa = 0xfec00000;

/// RSDP, XSDT, FADT, FACS, DSDT and MADT, to be put at `gpa`, where the RSDP is first.
std::vector<std::byte> acpi_tables(std::uint64_t gpa, unsigned cpus);

}
