// SPDX-License-Identifier: MIT
#pragma once
#include "abi/guest.h"
#include "core_hoist.hpp"
#include "reset_state.hpp"
#include <random>

/// A guest VM with one vcpu in real mode, made but not run yet, on either backend.
class guest_both : public hoist_both {
protected:
    static constexpr std::uint64_t page = 0x1000, area = 0x2000000, memory = 0x10000000;
    static constexpr std::int64_t eperm = -1, ebadf = -9, enomem = -12, ebusy = -16, eexist = -17,
                                  einval = -22, enospc = -28;
    static constexpr std::uint64_t all_access = std::uint64_t{HV_ACCESS_READ | HV_ACCESS_WRITE |
                                                              HV_ACCESS_EXECUTE}
                                                << 56;

    void SetUp() override {
        ASSERT_EQ(vm.call(0, HV_CALL_SHARE, area, 8), 0);
        owner = vm.call(0, HV_CALL_VM_CREATE);
        ASSERT_GT(owner, 0);
        vcpu = create_vcpu(0);
        ASSERT_GT(vcpu, 0);
        x().system = fake::reset_state();
        x().flags = HV_RUN_SYSTEM;
        x().rip = 0x1000;
        x().rflags = 2;
        forget_records();
    }
    std::int64_t create_vcpu(unsigned place) {
        return vm.call(0, HV_CALL_VCPU_CREATE, number(owner), area + 2 * page * place);
    }
    std::int64_t run(std::uint32_t cpu = 0) { return vm.call(cpu, HV_CALL_VCPU_RUN, number(vcpu)); }
    std::int64_t map(std::uint64_t at, std::uint64_t to, std::uint64_t pages = 1) {
        return vm.call(0, HV_CALL_VM_MAP, number(owner), at, to, pages | all_access);
    }
    std::int64_t unmap(std::uint64_t at, std::uint64_t pages = 1) {
        return vm.call(1, HV_CALL_VM_UNMAP, number(owner), at, pages);
    }
    /// Runs it, and expects that it is inside.
    void enter(std::uint32_t cpu = 0) {
        run(cpu);
        ASSERT_TRUE(vm.in_guest_vm(cpu)) << "exit " << x().exit << " for " << x().address;
    }
    void expect_exit(hv_guest_exit why, std::uint32_t cpu = 0) {
        EXPECT_FALSE(vm.in_guest_vm(cpu));
        EXPECT_EQ(x().exit, static_cast<std::uint32_t>(why));
    }
    hv_vcpu_exchange& x(unsigned place = 0) {
        auto const window = vm.frames().donation(hv::hpa{area}).value().at;
        return *reinterpret_cast<hv_vcpu_exchange*>(window.raw + 2 * page * place);
    }
    hv_vcpu_cpuid& leaves() {
        return *reinterpret_cast<hv_vcpu_cpuid*>(reinterpret_cast<char*>(&x()) + page);
    }
    static std::uint64_t number(std::int64_t positive) {
        return static_cast<std::uint64_t>(positive);
    }

    std::int64_t owner{}, vcpu{};
};
