// SPDX-License-Identifier: MIT
#pragma once
#include "fake_kernel.hpp"
#include <cstdint>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <vector>

extern "C" {
#include "kvm-shim/irqchip.h"
}

/// The node's structs, with what the controllers ask for and a note of what they told.
struct hvk_vcpu {
    hvk_vm* vm{};
    std::uint32_t id{};
    hvk_lapic* lapic{};
    std::uint64_t apic_base = 0xfee00900;
    int external = -1;
    bool x2apic = true, tsc_deadline = true;
    std::uint64_t tsc_offset{};
    unsigned int kicks{}, nmis{}, inits{};
    std::optional<std::uint8_t> sipi;
    std::vector<std::uint8_t> eois;
};

struct hvk_vm {
    hvk_irqchip* irqchip{};
    std::uint32_t boot_cpu{};
    std::vector<std::unique_ptr<hvk_vcpu>> vcpus;
};

namespace irq {
constexpr std::uint64_t lapic_base = 0xfee00000, ioapic_base = 0xfec00000;
constexpr unsigned int tsc_per_ns = 2;

/// Offsets in the LAPIC's page.
enum at : unsigned int {
    id = 0x20,
    version = 0x30,
    tpr = 0x80,
    apr = 0x90,
    ppr = 0xa0,
    eoi = 0xb0,
    ldr = 0xd0,
    dfr = 0xe0,
    svr = 0xf0,
    isr = 0x100,
    tmr = 0x180,
    irr = 0x200,
    esr = 0x280,
    icr = 0x300,
    icr_high = 0x310,
    lvt_timer = 0x320,
    lvt_lint0 = 0x350,
    lvt_lint1 = 0x360,
    lvt_error = 0x370,
    initial_count = 0x380,
    current_count = 0x390,
    divide = 0x3e0,
    self_ipi = 0x3f0
};

/// One CPU as its guest sees it.
class cpu {
public:
    explicit cpu(hvk_vcpu& v) : vcpu_{v} {}

    hvk_vcpu& vcpu() const { return vcpu_; }
    std::uint32_t read(unsigned int offset) const;
    void write(unsigned int offset, std::uint32_t value) const;
    std::optional<std::uint64_t> rdmsr(std::uint32_t index) const;
    bool wrmsr(std::uint32_t index, std::uint64_t value) const;
    int pending() const { return hvk_pending_interrupt(&vcpu_); }
    int ack() const { return hvk_ack_interrupt(&vcpu_); }
    void end() const { write(at::eoi, 0); }
    void enable() const { write(at::svr, 0x1ff); }
    void to_x2apic() const;
    bool bit(unsigned int first, unsigned int vector) const;

private:
    hvk_vcpu& vcpu_;
};

class machine {
public:
    explicit machine(unsigned int cpus = 1, bool split = false, bool software_enabled = true);
    ~machine();
    machine(machine const&) = delete;
    machine& operator=(machine const&) = delete;

    hvk_vm* vm() { return &vm_; }
    cpu operator[](unsigned int index) { return cpu{*vm_.vcpus[index]}; }
    int irq(unsigned int gsi, bool level) { return hvk_set_irq(&vm_, gsi, level); }
    int pulse(unsigned int gsi);
    int msi(std::uint32_t address, std::uint32_t data, std::uint32_t high = 0);
    std::uint8_t in(std::uint16_t port);
    void out(std::uint16_t port, std::uint8_t value);
    std::uint32_t ioapic(unsigned int number);
    void ioapic(unsigned int number, std::uint32_t value);
    void redirect(unsigned int pin, std::uint64_t entry);
    std::uint64_t redirection(unsigned int pin);
    void start_pics();    // vectors 0x30 and 0x38, all masks open
    int route(std::vector<kvm_irq_routing_entry> const& entries);

private:
    hvk_vm vm_;
    std::size_t allocations_before_;
};

kvm_irq_routing_entry msi_route(unsigned int gsi, std::uint32_t address, std::uint32_t data);
kvm_irq_routing_entry pin_route(unsigned int gsi, unsigned int chip, unsigned int pin);
}
