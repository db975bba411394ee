// SPDX-License-Identifier: MIT
#pragma once
#include "decoder.hpp"
#include <array>
#include <cstddef>

/// Registers as an instruction finds or leaves them.
struct processor_state {
    std::array<std::uint64_t, HVK_REGISTERS> gpr;
    std::uint64_t rflags;
    friend bool operator==(processor_state const&, processor_state const&) = default;
};

/// The processor that the test runs on, for one instruction at a time. Its memory lies below 2 GiB,
/// so that addresses of 32 bits reach it, too.
class processor {
public:
    static constexpr std::uint64_t code = 0x10000000;
    static constexpr std::uint64_t memory = 0x10010000;
    static constexpr std::size_t memory_bytes = 0x1000;

    processor();
    ~processor();
    processor(processor const&) = delete;
    processor& operator=(processor const&) = delete;

    /// Memory is there, and code may be run.
    [[nodiscard]] bool ready() const { return ready_; }
    [[nodiscard]] std::uint8_t* bytes() { return reinterpret_cast<std::uint8_t*>(memory); }
    void load(encoding const& instruction);

    /// False: the instruction ended in a fault.
    bool run(processor_state& state);

private:
    bool ready_ = false;
};
