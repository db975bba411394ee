// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include <linux/kvm.h>
#include <pthread.h>

#include "daemon/vmm/boot.hpp"
#include "daemon/vmm/cpuid.hpp"
#include "daemon/vmm/kvm.hpp"
#include "daemon/vmm/port_bus.hpp"
#include "daemon/vmm/run_state.hpp"

namespace hv::vmm {

enum class exit_kind : unsigned char { port, memory, interrupted, other };
constexpr std::size_t exit_kinds = 4;

/// A virtual CPU; `run` is what its thread does.
class vcpu {
public:
    vcpu(kvm_node const& node, kvm_machine const& machine, cpu_place const& place);
    ~vcpu();
    vcpu(vcpu const&) = delete;
    vcpu& operator=(vcpu const&) = delete;

    /// For the first CPU; the others wait for it to start them.
    void set_start(guest_memory const& memory, boot_start const& start);
    void run(run_state& state, port_bus& ports);
    /// Makes it look at the state again, wherever it is.
    void kick();
    std::uint64_t exits(exit_kind which) const {
        return exits_[static_cast<std::size_t>(which)].load(std::memory_order_relaxed);
    }

private:
    void step(run_state& state, port_bus& ports);
    void handle(run_state& state, port_bus& ports);
    void on_port(port_bus& ports);
    void on_memory();
    void stop_on_error(run_state& state) const;
    bool halted_for_good() const;
    void count(exit_kind which);
    void set_cpuid(kvm_node const& node, cpu_place const& place);
    void set_msrs();
    void set_local_apic();

    unsigned id_;
    descriptor file_;
    kvm_run* shared_ = nullptr;
    std::size_t shared_bytes_ = 0;
    std::atomic<pthread_t> thread_{};
    std::atomic<bool> started_ = false;
    unsigned inspected_ = 0;
    std::array<std::atomic<std::uint64_t>, exit_kinds> exits_{};
};

/// The signal that `kick` uses.
void prepare_kicks();

}
