// SPDX-License-Identifier: MIT
#pragma once
#include "hoisted.hpp"
#include "hoisted_svm.hpp"
#include <gtest/gtest.h>

/// Two CPUs under the core; whatever a test does, no entry may break a rule of the manual.
class hoist_base : public testing::Test {
protected:
    void TearDown() override {
        for (auto const& problem : root().problems) ADD_FAILURE() << problem;
    }
    [[nodiscard]] virtual fake::root_vm& root() = 0;
    /// The records of CPU `n` since the last look, which must be one of this kind.
    hv_record one_record(std::uint32_t n, std::uint16_t kind) {
        auto const all = root().records(n);
        EXPECT_EQ(all.size(), 1u);
        for (auto const& r : all) EXPECT_EQ(r.kind, kind);
        return all.empty() ? hv_record{} : all.back();
    }
    void expect_no_record(std::uint32_t n) {
        for (auto const& r : root().records(n)) ADD_FAILURE() << "record of kind " << r.kind;
    }
    void forget_records() {
        for (std::uint32_t n = 0; n < root().machine.cpus.size(); ++n) root().records(n);
    }
};

class hoist : public hoist_base {
protected:
    fake::root_vm& root() override { return vm; }
    fake::hoisted vm;
};

class hoist_svm : public hoist_base {
protected:
    fake::root_vm& root() override { return vm; }
    fake::hoisted_svm vm;
};

/// For tests of what both backends share: each runs on either.
class hoist_both : public hoist_base, public testing::WithParamInterface<fake::vendor> {
    std::unique_ptr<fake::root_vm> owner_{fake::root_vm::hoisted_on(GetParam())};

protected:
    fake::root_vm& root() override { return vm; }
    [[nodiscard]] static bool on_svm() { return GetParam() == fake::vendor::amd; }
    fake::root_vm& vm{*owner_};
};

inline auto both_backends() { return testing::Values(fake::vendor::intel, fake::vendor::amd); }
inline std::string backend_name(testing::TestParamInfo<fake::vendor> const& info) {
    return info.param == fake::vendor::intel ? "vmx" : "svm";
}

// What an entry delivers: VM-entry interruption information or EVENTINJ, which agree in all that is
// used here; the error code in the upper half.
inline constexpr std::uint64_t general_protection = 0x80000b0d;
inline constexpr std::uint64_t invalid_opcode = 0x80000306;
inline constexpr std::uint64_t debug_trap = 0x80000301;
inline constexpr std::uint64_t nmi_event = 0x80000202;
