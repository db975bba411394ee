// SPDX-License-Identifier: MIT
#pragma once
#include "arch/register.hpp"
#include <cstdint>
#include <optional>

namespace hv {

// SDM 3A 6.3.1, table "Protected-Mode Exceptions and Interrupts"
enum class vector : std::uint8_t {
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

/// What ends a step before its instruction is done, as bits, and #DB, which ends it after. INT3 and
/// INTO are done when they are delivered; #MC is nobody's.
inline constexpr std::uint32_t step_faults = ~(1u << 3 | 1u << 4 | 1u << 18);

constexpr fault_class class_of(vector v) {
    if (v == vector::page_fault) return fault_class::page_fault;
    if (v == vector::double_fault) return fault_class::double_fault;
    bool const contributory = v == vector::divide_error ||
                              (v >= vector::invalid_tss && v <= vector::general_protection);
    return contributory ? fault_class::contributory : fault_class::benign;
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

/// An event as both vendors' control blocks hold it, on its way in or cut short by an exit. SDM 3C
/// 25.8.3 "VM-Entry Controls for Event Injection", which has the error code beside it; APM 2 15.20
/// "Event Injection".
struct event_field : reg<event_field> {
    using vector = field<event_field, 7, 0>;
    using type = field<event_field, 10, 8>;
    using has_error = bit<event_field, 11>;
    using valid = bit<event_field, 31>;
    using error = field<event_field, 63, 32, std::uint32_t>;
    static constexpr unsigned interrupt = 0, nmi = 2, exception = 3, software_interrupt = 4;
};

inline constexpr auto event_for_nmi = event_field{}
                                          .with<event_field::vector>(std::uint64_t(vector::nmi))
                                          .with<event_field::type>(event_field::nmi)
                                          .with<event_field::valid>(true);

/// What delivers `x`, combined with the event that was being delivered; nothing: the CPU shuts
/// down.
/// protected_mode   in real mode no exception has an error code, and an entry with one is refused
constexpr std::optional<event_field> event_of(event_field before, exception x,
                                              bool protected_mode) {
    std::optional<exception> what = x;
    if (before.get<event_field::valid>() &&
        before.get<event_field::type>() == event_field::exception)
        what = combine(static_cast<vector>(before.get<event_field::vector>()), x);
    if (!what) return std::nullopt;
    bool const has_error = what->has_error && protected_mode;
    return event_field{}
        .with<event_field::vector>(static_cast<std::uint64_t>(what->vector))
        .with<event_field::type>(event_field::exception)
        .with<event_field::has_error>(has_error)
        .with<event_field::valid>(true)
        .with<event_field::error>(has_error ? what->error : 0u);
}

/// What the handler of an exit leaves to its caller.
enum class after : std::uint8_t {
    resume,         // enter again where the guest stood, or with what was injected
    advance,        // the instruction is done: go behind it
    enter_guest,    // the instruction is done, and a guest runs next
    park,           // the core is broken on this CPU
};

/// An instruction that the core has done in the CPU's place, or that the CPU does not take: #GP(0).
template <typename Cpu> after advance_or_fault(Cpu& c, bool taken) {
    if (taken) return after::advance;
    c.inject(general_protection);
    return after::resume;
}

}    // namespace hv
