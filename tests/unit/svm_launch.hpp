// SPDX-License-Identifier: MIT
#pragma once
#include "core_hoist.hpp"

namespace svm {

using namespace fake;

inline constexpr std::uint32_t efer = 0xc0000080, vm_cr = 0xc0010114, vm_hsave_pa = 0xc0010117;
inline constexpr std::uint64_t svme = 1 << 12;

/// Everything of a CPU that a failed launch must leave as it was.
struct cpu_image {
    explicit cpu_image(cpu const& c)
        : cr0{c.cr0}, cr3{c.cr3}, cr4{c.cr4}, dr7{c.dr7}, msrs{c.msrs.value}, gif{c.svm.gif} {}
    std::uint64_t cr0, cr3, cr4, dr7;
    std::map<std::uint32_t, std::uint64_t> msrs;
    bool gif;
    friend bool operator==(cpu_image const&, cpu_image const&) = default;
};

class svm_launch : public testing::Test {
protected:
    void TearDown() override {
        for (auto const& problem : vm.problems) ADD_FAILURE() << problem;
    }
    hv_launch refused(std::uint32_t n, std::uint32_t step, std::int64_t error) {
        return refused(n, step, error, vm.machine.arguments(n));
    }
    /// Launch CPU `n`, which must fail at `step` and leave the CPU as it was.
    hv_launch refused(std::uint32_t n, std::uint32_t step, std::int64_t error, hv_launch args) {
        cpu_image const before{vm.hw(n)};
        EXPECT_EQ(vm.machine.launch(n, args), error);
        EXPECT_EQ(args.step, step);
        EXPECT_EQ(args.root_state, 0u);
        EXPECT_FALSE(vm.hw(n).in_guest);
        EXPECT_TRUE(before == cpu_image{vm.hw(n)}) << "the CPU has changed";
        return args;
    }
    /// Whether a shoot-down would wait for the CPU.
    bool runs(std::uint32_t n) {
        auto const* c = vm.core_machine().cpus[n];
        return c != nullptr && c->state.load() == hv::cpu_state::running;
    }
    std::int64_t start(std::uint32_t n) {
        auto args = vm.machine.arguments(n);
        return vm.machine.launch(n, args);
    }
    std::uint64_t& msr(std::uint32_t index) { return vm.hw(0).msrs.value[index]; }

    hoisted_svm vm{2, root_vm::not_launched};
};

inline constexpr std::int64_t einval = -22, enodev = -19, ebusy = -16, eio = -5, enomem = -12,
                              ebadf = -9;

}    // namespace svm
