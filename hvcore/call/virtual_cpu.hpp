// SPDX-License-Identifier: MIT
#pragma once
#include "guest/outside.hpp"
#include "guest/registry.hpp"
#include "root/machine.hpp"

namespace hv {

/// What both backends' virtual CPUs have, beside what is in their control blocks.
template <typename Machine> class virtual_cpu {
public:
    cpu base;                      // must be first
    std::uint64_t launch_rsp{};    // the loader's stack, for a launch whose entry fails
    std::uint64_t launch_cr3{};
    std::uint64_t exits_before{};    // this launch
    Machine* owner{};
    hpa host_at{}, control_at{};    // the two blocks that the hardware wants (root/build_cpu.hpp)
    bool second_try{};              // a failed entry is mended once
    guest_vcpu* guest{};            // that runs next, or has just left
    hv_vcpu_system outside{};       // the root VM's, while a guest runs
    outside_features has;

    [[nodiscard]] cpu& common() { return base; }
    [[nodiscard]] Machine& machine() { return *owner; }
    /// Whether the present exit is the first since the launch: then the launch itself has failed.
    [[nodiscard]] bool first_exit() const { return exits() == exits_before + 1; }
    [[nodiscard]] std::uint64_t exits() const { return exits_of(*base.shared); }
};

}    // namespace hv
