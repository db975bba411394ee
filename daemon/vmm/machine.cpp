// SPDX-License-Identifier: MIT
#include "daemon/vmm/machine.hpp"

#include <csignal>

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "daemon/vmm/acpi_tables.hpp"
#include "daemon/vmm/boot.hpp"
#include "daemon/vmm/confine.hpp"
#include "daemon/vmm/failure.hpp"

namespace hv::vmm {
namespace {

constexpr std::uint16_t keyboard_port = 0x64;
constexpr std::uint8_t keyboard_reset = 0xfe;
constexpr std::uint8_t chipset_reset = 0x04;

std::optional<input_file> open_initrd(std::string const& name) {
    if (name.empty()) return std::nullopt;
    return input_file{"initrd", name};
}

/// SIGTERM and SIGINT come to the loop; the threads that are made later inherit that.
descriptor watch_signals() {
    sigset_t wanted;
    sigemptyset(&wanted);
    for (int const each : {SIGTERM, SIGINT, SIGHUP}) {
        sigaddset(&wanted, each);
    }
    pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
    descriptor out{signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (!out) throw system_failure("signalfd");
    return out;
}

descriptor make_timer() {
    descriptor out{timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)};
    itimerspec const second{{1, 0}, {1, 0}};
    if (!out || timerfd_settime(out.get(), 0, &second, nullptr) != 0) {
        throw system_failure("timerfd");
    }
    return out;
}

}

machine::machine(options given)
    : options_{std::move(given)},
      node_{options_.node},
      kernel_{std::in_place, "kernel", options_.kernel},
      initrd_{open_initrd(options_.initrd)},
      console_{options_.console},
      control_{options_.control},
      memory_{std::make_unique<guest_memory>(options_.memory_bytes)},
      serial_{[this](char each) { console_.write(each); },
              [this](bool raised) { vm_->set_line(serial_irq, raised); }},
      power_{[this] { state_.end(ending::powered_off); },
             [this](bool raised) { vm_->set_line(sci_irq, raised); }},
      keyboard_reset_{0xff, keyboard_reset, 0, [this] { state_.end(ending::reset); }},
      chipset_reset_{chipset_reset, chipset_reset, 0, [this] { state_.end(ending::reset); }},
      signals_{watch_signals()},
      timer_{make_timer()} {
    node_.require_cpus(options_.cpus);
    connect_devices();
    prepare_kicks();
}

machine::~machine() {
    state_.end(ending::stopped);
    join();
}

void machine::connect_devices() {
    ports_.add(serial_port, serial_ports, serial_);
    ports_.add(pm_event_port, power_ports, power_);
    ports_.add(clock_port, clock_ports, clock_);
    ports_.add(keyboard_port, 1, keyboard_reset_);
    ports_.add(reset_port, 1, chipset_reset_);
    console_.connect({.room =
                          [this] {
                              std::lock_guard const guard{ports_.lock()};
                              return serial_.room();
                          },
                      .receive =
                          [this](std::string_view text) {
                              std::lock_guard const guard{ports_.lock()};
                              serial_.receive(text);
                          },
                      .written = [this] { state_.wake_loop(); },
                      .quit = [this] { state_.end(ending::stopped); }});
    control_.connect([this](std::string const& word) { return command(word); });
}

void machine::prepare() {
    vm_ = std::make_unique<kvm_machine>(node_, *memory_);
    auto const tables = acpi_tables(tables_gpa, options_.cpus);
    memory_->write(tables_gpa, tables);
    auto const start = load_linux(*memory_, {.kernel = *kernel_,
                                             .initrd = initrd_,
                                             .command_line = options_.command_line,
                                             .rsdp_gpa = tables_gpa});
    kernel_.reset();
    initrd_.reset();
    bool const deadline = node_.offers(KVM_CAP_TSC_DEADLINE_TIMER) > 0;
    for (unsigned id = 0; id < options_.cpus; ++id) {
        cpus_.push_back(
            std::make_unique<vcpu>(node_, *vm_, cpu_place{id, options_.cpus, deadline}));
    }
    cpus_.front()->set_start(*memory_, start);
    for (auto const& each : cpus_) {
        threads_.emplace_back([this, cpu = each.get()] { cpu->run(state_, ports_); });
    }
    // What a thread does to begin is more than it may do while the VM runs.
    state_.wait_for_parked(options_.cpus);
}

void machine::run() {
    started_ = std::chrono::steady_clock::now();
    state_.resume();
    serve();
    join();
    console_.flush();
}

void machine::serve() {
    while (!state_.over()) {
        console_.deliver();
        std::vector<watch> all{
            {state_.descriptor_of_changes(), POLLIN, [this](short) { on_change(); }},
            {signals_.get(), POLLIN, [this](short) { on_signal(); }},
            {timer_.get(), POLLIN, [this](short) { look_for_halt(); }}};
        console_.add_watches(all);
        control_.add_watches(all);
        wait_and_act(all);
    }
}

void machine::on_signal() {
    signalfd_siginfo what{};
    if (read(signals_.get(), &what, sizeof(what)) > 0) {
        state_.end(ending::stopped, "signal " + std::to_string(what.ssi_signo));
    }
}

void machine::press_power_button() {
    std::lock_guard const guard{ports_.lock()};
    power_.press_button();
}

void machine::kick_all() {
    for (auto const& each : cpus_) {
        each->kick();
    }
}

void machine::join() {
    kick_all();
    for (auto& each : threads_) {
        if (each.joinable()) each.join();
    }
}

std::uint64_t machine::exits(exit_kind which) const {
    std::uint64_t sum = 0;
    for (auto const& each : cpus_) {
        sum += each->exits(which);
    }
    return sum;
}

}
