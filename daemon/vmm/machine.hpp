// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "daemon/vmm/clock.hpp"
#include "daemon/vmm/console.hpp"
#include "daemon/vmm/control.hpp"
#include "daemon/vmm/guest_memory.hpp"
#include "daemon/vmm/input_file.hpp"
#include "daemon/vmm/kvm.hpp"
#include "daemon/vmm/options.hpp"
#include "daemon/vmm/port_bus.hpp"
#include "daemon/vmm/power.hpp"
#include "daemon/vmm/run_state.hpp"
#include "daemon/vmm/serial.hpp"
#include "daemon/vmm/vcpu.hpp"

namespace hv::vmm {

/// The micro VM: its files, its devices, its CPUs, and the loop that serves them.
class machine {
public:
    /// Opens what the options name. Errors: failure.
    explicit machine(options given);
    ~machine();
    machine(machine const&) = delete;
    machine& operator=(machine const&) = delete;

    /// Makes the VM and loads the kernel; starts a thread for each CPU, which waits.
    void prepare();
    /// Lets it run until it ends.
    void run();
    /// Who hears, once it runs, that a rule holds it, and that it goes on ("running").
    using listener = std::function<void(std::string const& line)>;
    void listen(listener who) { told_ = std::move(who); }
    ending how() const { return state_.how(); }
    std::string detail() const { return state_.detail(); }

private:
    void connect_devices();
    void serve();
    void on_change();
    void on_signal();
    void resume();
    void look_for_halt();
    std::string command(std::string const& word);
    std::string stats() const;
    void press_power_button();
    void kick_all();
    void join();
    std::uint64_t exits(exit_kind which) const;

    options options_;
    run_state state_;
    kvm_node node_;
    std::optional<input_file> kernel_;    // until it is loaded
    std::optional<input_file> initrd_;
    console console_;
    control control_;
    std::unique_ptr<guest_memory> memory_;
    std::unique_ptr<kvm_machine> vm_;
    port_bus ports_;
    serial serial_;
    power_registers power_;
    clock_registers clock_;
    reset_line keyboard_reset_;
    reset_line chipset_reset_;
    std::vector<std::unique_ptr<vcpu>> cpus_;
    std::vector<std::thread> threads_;
    descriptor signals_;
    descriptor timer_;
    std::chrono::steady_clock::time_point started_;
    std::uint64_t busy_before_us_ = 0;
    listener told_;
    bool held_by_rule_ = false;
};

}
