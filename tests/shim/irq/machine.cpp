// SPDX-License-Identifier: MIT
#include "machine.hpp"
#include <linux/errno.h>

namespace irq {
std::uint32_t cpu::read(unsigned int offset) const {
    std::uint32_t value = 0xdeadbeef;
    EXPECT_TRUE(hvk_lapic_mmio(&vcpu_, lapic_base + offset, &value, 4, false));
    return value;
}

void cpu::write(unsigned int offset, std::uint32_t value) const {
    if (vcpu_.lapic && hvk_get_apic_base(&vcpu_) & 0x400) {
        EXPECT_TRUE(wrmsr(0x800 + offset / 16, value));
        return;
    }
    EXPECT_TRUE(hvk_lapic_mmio(&vcpu_, lapic_base + offset, &value, 4, true));
}

std::optional<std::uint64_t> cpu::rdmsr(std::uint32_t index) const {
    std::uint64_t value = 0;
    if (hvk_lapic_msr(&vcpu_, index, &value, false)) return std::nullopt;
    return value;
}

bool cpu::wrmsr(std::uint32_t index, std::uint64_t value) const {
    return hvk_lapic_msr(&vcpu_, index, &value, true) == 0;
}

void cpu::to_x2apic() const { EXPECT_TRUE(wrmsr(0x1b, hvk_get_apic_base(&vcpu_) | 0x400)); }

bool cpu::bit(unsigned int first, unsigned int vector) const {
    return read(first + vector / 32 * 16) >> vector % 32 & 1;
}

machine::machine(unsigned int cpus, bool split, bool software_enabled)
    : allocations_before_{fake::allocations()} {
    EXPECT_EQ(hvk_irqchip_create(&vm_, split, 24), 0);
    for (unsigned int i = 0; i < cpus; ++i) {
        auto& v = vm_.vcpus.emplace_back(std::make_unique<hvk_vcpu>());
        v->vm = &vm_;
        v->id = i;
        EXPECT_EQ(hvk_lapic_create(v.get()), 0);
        if (software_enabled) cpu{*v}.enable();
    }
}

machine::~machine() {
    for (auto const& v : vm_.vcpus) hvk_lapic_destroy(v.get());
    hvk_irqchip_destroy(&vm_);
    EXPECT_EQ(fake::allocations(), allocations_before_);
}

int machine::pulse(unsigned int gsi) {
    int const taken = irq(gsi, true);
    irq(gsi, false);
    return taken;
}

int machine::msi(std::uint32_t address, std::uint32_t data, std::uint32_t high) {
    kvm_msi message{};
    message.address_lo = address;
    message.address_hi = high;
    message.data = data;
    return hvk_send_msi(&vm_, &message);
}

std::uint8_t machine::in(std::uint16_t port) {
    std::uint8_t value = 0xee;
    EXPECT_TRUE(hvk_pic_pit_io(&vm_, port, &value, 1, false)) << std::hex << port;
    return value;
}

void machine::out(std::uint16_t port, std::uint8_t value) {
    EXPECT_TRUE(hvk_pic_pit_io(&vm_, port, &value, 1, true)) << std::hex << port;
}

std::uint32_t machine::ioapic(unsigned int number) {
    std::uint32_t value = 0;
    EXPECT_TRUE(hvk_ioapic_mmio(&vm_, ioapic_base, &number, 4, true));
    EXPECT_TRUE(hvk_ioapic_mmio(&vm_, ioapic_base + 0x10, &value, 4, false));
    return value;
}

void machine::ioapic(unsigned int number, std::uint32_t value) {
    EXPECT_TRUE(hvk_ioapic_mmio(&vm_, ioapic_base, &number, 4, true));
    EXPECT_TRUE(hvk_ioapic_mmio(&vm_, ioapic_base + 0x10, &value, 4, true));
}

void machine::redirect(unsigned int pin, std::uint64_t entry) {
    ioapic(0x11 + 2 * pin, static_cast<std::uint32_t>(entry >> 32));
    ioapic(0x10 + 2 * pin, static_cast<std::uint32_t>(entry));
}

std::uint64_t machine::redirection(unsigned int pin) {
    return std::uint64_t{ioapic(0x11 + 2 * pin)} << 32 | ioapic(0x10 + 2 * pin);
}

void machine::start_pics() {
    for (std::uint16_t const port : {0x20, 0xa0}) {
        auto const odd = static_cast<std::uint16_t>(port + 1);
        out(port, 0x11);
        out(odd, port == 0x20 ? 0x30 : 0x38);
        out(odd, port == 0x20 ? 4 : 2);
        out(odd, 1);
        out(odd, 0);
    }
}

int machine::route(std::vector<kvm_irq_routing_entry> const& entries) {
    return hvk_set_routing(&vm_, entries.data(), static_cast<unsigned int>(entries.size()), 0);
}

kvm_irq_routing_entry msi_route(unsigned int gsi, std::uint32_t address, std::uint32_t data) {
    kvm_irq_routing_entry entry{};
    entry.gsi = gsi;
    entry.type = KVM_IRQ_ROUTING_MSI;
    entry.u.msi.address_lo = address;
    entry.u.msi.data = data;
    return entry;
}

kvm_irq_routing_entry pin_route(unsigned int gsi, unsigned int chip, unsigned int pin) {
    kvm_irq_routing_entry entry{};
    entry.gsi = gsi;
    entry.type = KVM_IRQ_ROUTING_IRQCHIP;
    entry.u.irqchip.irqchip = chip;
    entry.u.irqchip.pin = pin;
    return entry;
}
}

extern "C" {
void hvk_kick(hvk_vcpu* vcpu) { ++vcpu->kicks; }

void hvk_nmi(hvk_vcpu* vcpu) { ++vcpu->nmis; }

void hvk_init(hvk_vcpu* vcpu) { ++vcpu->inits; }

void hvk_sipi(hvk_vcpu* vcpu, std::uint8_t vector) { vcpu->sipi = vector; }

void hvk_tell_eoi(hvk_vcpu* vcpu, std::uint8_t vector) { vcpu->eois.push_back(vector); }

std::uint64_t hvk_guest_tsc(hvk_vcpu* vcpu) {
    return fake::now() * irq::tsc_per_ns + vcpu->tsc_offset;
}

std::uint32_t hvk_guest_tsc_khz(hvk_vcpu*) { return irq::tsc_per_ns * 1'000'000; }

hvk_irqchip** hvk_irqchip_of(hvk_vm* vm) { return &vm->irqchip; }

hvk_lapic** hvk_lapic_of(hvk_vcpu* vcpu) { return &vcpu->lapic; }

std::uint64_t* hvk_apic_base_of(hvk_vcpu* vcpu) { return &vcpu->apic_base; }

int* hvk_external_of(hvk_vcpu* vcpu) { return &vcpu->external; }

hvk_vm* hvk_vm_of(hvk_vcpu* vcpu) { return vcpu->vm; }

std::uint32_t hvk_id_of(hvk_vcpu* vcpu) { return vcpu->id; }

bool hvk_is_boot_cpu(hvk_vcpu* vcpu) { return vcpu->id == vcpu->vm->boot_cpu; }

bool hvk_has_x2apic(hvk_vcpu* vcpu) { return vcpu->x2apic; }

bool hvk_has_tsc_deadline(hvk_vcpu* vcpu) { return vcpu->tsc_deadline; }

std::uint64_t hvk_reserved_gpa_bits(hvk_vcpu*) { return ~0ull << 40; }
}
