// SPDX-License-Identifier: MIT
#include "daemon/vmm/vcpu.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <sys/ioctl.h>
#include <sys/mman.h>

#include "daemon/vmm/failure.hpp"
#include "kvm-shim/uapi.h"

namespace hv::vmm {
namespace {

constexpr int kick_signal = SIGUSR1;
constexpr std::uint64_t interrupts_on = 1u << 9;    // of RFLAGS

std::span<std::byte> at(kvm_run* shared, std::uint64_t offset, std::size_t bytes) {
    return {reinterpret_cast<std::byte*>(shared) + offset, bytes};
}

}

void prepare_kicks() {
    struct sigaction action{};
    action.sa_handler = [](int) {};    // that it comes is enough: KVM_RUN returns
    if (sigaction(kick_signal, &action, nullptr) != 0) throw system_failure("sigaction");
}

vcpu::vcpu(kvm_node const& node, kvm_machine const& machine, cpu_place const& place)
    : id_{place.id}, file_{kvm_call(machine.get(), KVM_CREATE_VCPU, "KVM_CREATE_VCPU", place.id)} {
    shared_bytes_ = static_cast<std::size_t>(
        kvm_call(node.get(), KVM_GET_VCPU_MMAP_SIZE, "KVM_GET_VCPU_MMAP_SIZE"));
    auto* const made = mmap(nullptr, shared_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(),
                            0);
    if (made == MAP_FAILED) throw system_failure("cannot map a virtual CPU");
    shared_ = static_cast<kvm_run*>(made);
    set_cpuid(node, place);
    set_msrs();
    set_local_apic();
}

vcpu::~vcpu() {
    if (shared_ != nullptr) munmap(shared_, shared_bytes_);
}

void vcpu::kick() {
    __atomic_store_n(&shared_->immediate_exit, 1, __ATOMIC_SEQ_CST);
    if (started_) pthread_kill(thread_, kick_signal);
}

void vcpu::run(run_state& state, port_bus& ports) {
    thread_ = pthread_self();
    started_ = true;
    try {
        while (state.may_run()) {
            step(state, ports);
        }
    } catch (std::exception const& error) {
        state.end(ending::crashed, error.what());
    }
}

void vcpu::step(run_state& state, port_bus& ports) {
    if (auto const asked = state.inspection(); asked != inspected_) {
        inspected_ = asked;
        state.report(halted_for_good());
    }
    if (ioctl(file_.get(), KVM_RUN, 0) == 0) return handle(state, ports);
    if (errno != EINTR && errno != EAGAIN) throw system_failure("KVM_RUN");
    // Whoever kicks changes the state first: it is looked at once more after this.
    __atomic_store_n(&shared_->immediate_exit, 0, __ATOMIC_SEQ_CST);
    count(exit_kind::interrupted);
}

void vcpu::handle(run_state& state, port_bus& ports) {
    switch (shared_->exit_reason) {
    case KVM_EXIT_IO:       return on_port(ports);
    case KVM_EXIT_MMIO:     return on_memory();
    case KVM_EXIT_INTR:     return count(exit_kind::interrupted);
    case KVM_EXIT_HLT:      return state.end(ending::halted);
    case KVM_EXIT_SHUTDOWN: return state.end(ending::crashed, "triple fault");
    case KVM_EXIT_SYSTEM_EVENT:
        if (shared_->system_event.type == KVM_SYSTEM_EVENT_RESET) return state.end(ending::reset);
        return state.end(ending::powered_off);
    case KVM_EXIT_INTERNAL_ERROR:
        if (shared_->internal.suberror == HV_KVM_PAUSED_BY_RULE && shared_->internal.ndata != 0) {
            return state.pause_by_rule(shared_->internal.data[0]);
        }
        return stop_on_error(state);
    default: return stop_on_error(state);
    }
}

void vcpu::on_port(port_bus& ports) {
    count(exit_kind::port);
    auto const& io = shared_->io;
    for (std::uint32_t i = 0; i < io.count; ++i) {
        auto const data = at(shared_, io.data_offset + std::uint64_t{i} * io.size, io.size);
        if (io.direction == KVM_EXIT_IO_OUT) ports.write(io.port, data);
        if (io.direction == KVM_EXIT_IO_IN) ports.read(io.port, data);
    }
}

/// No device of ours lies in memory: ones where nothing is, as on a PC.
void vcpu::on_memory() {
    count(exit_kind::memory);
    if (shared_->mmio.is_write == 0) std::memset(shared_->mmio.data, 0xff, 8);
}

void vcpu::stop_on_error(run_state& state) const {
    auto text = "CPU " + std::to_string(id_) + ": exit " + std::to_string(shared_->exit_reason);
    if (shared_->exit_reason == KVM_EXIT_INTERNAL_ERROR) {
        text += ", internal error " + std::to_string(shared_->internal.suberror);
    }
    if (shared_->exit_reason == KVM_EXIT_FAIL_ENTRY) {
        text += ", the CPU refused to enter: " +
                std::to_string(shared_->fail_entry.hardware_entry_failure_reason);
    }
    kvm_regs registers{};
    if (ioctl(file_.get(), KVM_GET_REGS, &registers) == 0) {
        text += ", at " + std::to_string(registers.rip);
    }
    state.end(ending::crashed, text);
}

/// A CPU that waits with interrupts off, or was never started, can only be woken by another.
bool vcpu::halted_for_good() const {
    kvm_mp_state state{};
    kvm_regs registers{};
    if (ioctl(file_.get(), KVM_GET_MP_STATE, &state) != 0) return false;
    if (state.mp_state == KVM_MP_STATE_UNINITIALIZED ||
        state.mp_state == KVM_MP_STATE_INIT_RECEIVED) {
        return true;
    }
    if (state.mp_state != KVM_MP_STATE_HALTED) return false;
    return ioctl(file_.get(), KVM_GET_REGS, &registers) == 0 &&
           (registers.rflags & interrupts_on) == 0;
}

void vcpu::count(exit_kind which) {
    exits_[static_cast<std::size_t>(which)].fetch_add(1, std::memory_order_relaxed);
}

}
