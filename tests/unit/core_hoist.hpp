// SPDX-License-Identifier: MIT
#pragma once
#include "hoisted.hpp"
#include <gtest/gtest.h>

/// Two CPUs under the core; whatever a test does, no entry may break a rule of the manual.
class hoist : public testing::Test {
protected:
    void TearDown() override {
        for (auto const& problem : vm.problems) ADD_FAILURE() << problem;
    }
    /// The records of CPU `n` since the last look, which must be one of this kind.
    hv_record one_record(std::uint32_t n, std::uint16_t kind) {
        auto const all = vm.records(n);
        EXPECT_EQ(all.size(), 1u);
        for (auto const& r : all) EXPECT_EQ(r.kind, kind);
        return all.empty() ? hv_record{} : all.back();
    }
    void expect_no_record(std::uint32_t n) {
        for (auto const& r : vm.records(n)) ADD_FAILURE() << "record of kind " << r.kind;
    }
    void forget_records() {
        for (std::uint32_t n = 0; n < vm.machine.cpus.size(); ++n) vm.records(n);
    }

    fake::hoisted vm;
};

// What an entry delivers: VM-entry interruption information, error code in the upper half.
inline constexpr std::uint64_t general_protection = 0x80000b0d;
inline constexpr std::uint64_t invalid_opcode = 0x80000306;
inline constexpr std::uint64_t nmi_event = 0x80000202;
