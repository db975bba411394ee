// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>

namespace hv {

enum class vector : std::
    uint8_t {    // SDM 3A 6.3.1, table "Protected-Mode Exceptions and Interrupts"
        divide_error = 0,
        debug = 1,
        nmi = 2,
        invalid_opcode = 6,
        double_fault = 8,
        invalid_tss = 10,
        segment_not_present = 11,
        stack_fault = 12,
        general_protection = 13,
        page_fault = 14,
        machine_check = 18,
        security = 30,    // APM 2 8.2.20 "#SX—Security Exception (Vector 30)"
    };

enum class fault_class : std::uint8_t { benign, contributory, page_fault, double_fault };

struct exception {
    hv::vector vector{};
    bool has_error{};
    std::uint32_t error{};
    friend constexpr bool operator==(exception const&, exception const&) = default;
};

inline constexpr exception invalid_opcode{vector::invalid_opcode, false, 0};
inline constexpr exception general_protection{vector::general_protection, true, 0};
inline constexpr exception debug_trap{vector::debug, false, 0};
inline constexpr exception double_fault{vector::double_fault, true, 0};

constexpr fault_class class_of(vector v) {
    switch (v) {
    case vector::divide_error:
    case vector::invalid_tss:
    case vector::segment_not_present:
    case vector::stack_fault:
    case vector::general_protection:  return fault_class::contributory;
    case vector::page_fault:          return fault_class::page_fault;
    case vector::double_fault:        return fault_class::double_fault;
    case vector::debug:
    case vector::nmi:
    case vector::invalid_opcode:
    case vector::machine_check:
    case vector::security:            return fault_class::benign;
    }
    return fault_class::benign;
}

/// What a CPU delivers when `second` arises while it delivers the exception `first`; nothing: it
/// shuts down.
/// Source   SDM 3A 6.15 "Exception and Interrupt Reference", interrupt 8, table "Conditions for
///          Generating a Double Fault".
constexpr std::optional<exception> combine(vector first, exception second) {
    auto const a = class_of(first);
    auto const b = class_of(second.vector);
    bool const hard = b == fault_class::contributory || b == fault_class::page_fault;
    if (a == fault_class::double_fault && hard) return std::nullopt;
    if (a == fault_class::contributory && b == fault_class::contributory) return double_fault;
    if (a == fault_class::page_fault && hard) return double_fault;
    return second;
}

}    // namespace hv
