// SPDX-License-Identifier: MIT
#pragma once
#include "core_hoist.hpp"

namespace svm {

using namespace fake;

inline constexpr std::uint64_t ts = 8, wp = 1 << 16, pg = 1u << 31;
inline constexpr std::uint64_t smep = 1 << 20, smap = 1 << 21, umip = 1 << 11;
inline constexpr std::uint64_t tf = 1 << 8, step_trap = 1 << 14;
inline constexpr std::uint64_t page = 0x1000, some = 0x1234000;
inline constexpr std::uint64_t page_fault = 0x80000b0e | 2ull << 32;

class svm_step : public hoist_svm {
protected:
    void SetUp() override { forget_records(); }
    void TearDown() override {
        hoist_svm::TearDown();
        EXPECT_TRUE(vm.native.empty()) << "a trap of the core's step reached the root VM";
    }
    void expect_taken(unsigned number, std::uint64_t value, std::uint32_t n = 0) {
        auto const rip = vm.rip(n);
        EXPECT_EQ(vm.move_to_cr(n, number, value), outcome::resumed);
        EXPECT_EQ(vm.delivered(n), std::nullopt);
        EXPECT_EQ(vm.seen(n, number), value);
        EXPECT_EQ(vm.rip(n), rip + 3);
        expect_no_step(n);
    }
    void expect_denied(unsigned number, std::uint64_t value, std::uint32_t rule,
                       std::uint32_t n = 0) {
        forget_records();
        auto const before = vm.seen(n, number);
        auto const rip = vm.rip(n);
        EXPECT_EQ(vm.move_to_cr(n, number, value), outcome::resumed);
        EXPECT_EQ(vm.delivered(n), general_protection) << std::hex << value;
        EXPECT_EQ(vm.seen(n, number), before);
        EXPECT_EQ(vm.rip(n), rip) << "back in front of the instruction";
        expect_no_step(n);
        auto const r = one_record(n, HV_RECORD_CR_DENIED);
        EXPECT_EQ(r.rule, rule);
        EXPECT_EQ(r.address, number);
        EXPECT_EQ(r.value, value);
        EXPECT_EQ(r.old_value, before);
        EXPECT_EQ(r.rip, rip);
        EXPECT_EQ(r.reason, 0x10 + number);
        EXPECT_EQ(r.access, std::uint32_t(HV_ACCESS_WRITE));
    }
    void expect_no_step(std::uint32_t n = 0) {
        EXPECT_EQ(vm.core(n).step.reasons, 0u);
        EXPECT_EQ(vm.v(n).control.exception_intercepts, 0u);
        EXPECT_EQ(save(n).rflags & tf, 0u);
        EXPECT_EQ(save(n).dr6 & step_trap, 0u) << "DR6 tells of no step";
    }
    bool intercepted(unsigned number, std::uint32_t n = 0) {
        return (vm.v(n).control.cr_intercepts >> (16 + number) & 1) != 0;
    }
    hv::rights rights(std::uint64_t at) { return vm.leaf(at)->allowed; }
    hv::svm::save_area& save(std::uint32_t n = 0) { return vm.v(n).save; }
    void log_page() {
        ASSERT_EQ(vm.load({memory_rule(6, some, some + page - 1, HV_ACTION_LOG)}), 0);
        forget_records();
    }
    std::uint64_t cr0() { return vm.seen(0, 0); }
    std::uint64_t cr4() { return vm.seen(0, 4); }
};

}    // namespace svm
