// SPDX-License-Identifier: MIT
#include "machine.hpp"

namespace {
using irq::machine;
namespace at = irq;

constexpr std::uint64_t masked = 1 << 16, level = 1 << 15, remote_irr = 1 << 14;

void serve(irq::cpu const& cpu, int vector) {
    EXPECT_EQ(cpu.ack(), vector);
    cpu.end();
}

TEST(ioapic, shows_its_registers) {
    machine m;
    EXPECT_EQ(m.ioapic(1), 0x170011u);
    m.ioapic(0, 0xff000000);
    EXPECT_EQ(m.ioapic(0), 0x0f000000u);
    EXPECT_EQ(m.ioapic(2), 0x0f000000u);
    EXPECT_EQ(m.redirection(0), masked);
    EXPECT_EQ(m.redirection(23), masked);
    EXPECT_EQ(m.ioapic(0x40), 0xffffffffu);
    EXPECT_EQ(m.ioapic(3), 0xffffffffu);
    m.ioapic(0x40, 1);
    m.redirect(7, ~0ull);
    EXPECT_EQ(m.redirection(7), ~(remote_irr | 1ull << 12));
}

TEST(ioapic, claims_256_bytes) {
    machine m;
    std::uint64_t value = ~0ull;
    EXPECT_FALSE(hvk_ioapic_mmio(m.vm(), irq::ioapic_base - 4, &value, 4, false));
    EXPECT_FALSE(hvk_ioapic_mmio(m.vm(), irq::ioapic_base + 0x100, &value, 4, false));
    EXPECT_TRUE(hvk_ioapic_mmio(m.vm(), irq::ioapic_base + 0x20, &value, 8, false));
    EXPECT_EQ(value, 0u);
    std::uint8_t byte = 1;
    EXPECT_TRUE(hvk_ioapic_mmio(m.vm(), irq::ioapic_base, &byte, 1, true));
    EXPECT_TRUE(hvk_ioapic_mmio(m.vm(), irq::ioapic_base + 0x10, &value, 8, false));
    EXPECT_EQ(value, 0x170011u);
}

TEST(ioapic, edge_is_one_message) {
    machine m;
    m.redirect(20, 0x54);
    EXPECT_EQ(m.irq(20, true), 1);
    EXPECT_EQ(m.irq(20, true), 0) << "still high";
    serve(m[0], 0x54);
    EXPECT_EQ(m[0].pending(), -1);
    EXPECT_EQ(m.irq(20, false), 1);
    EXPECT_EQ(m.irq(20, true), 1);
    serve(m[0], 0x54);
}

TEST(ioapic, edge_while_masked_is_lost) {
    machine m;
    m.redirect(20, 0x54 | masked);
    EXPECT_EQ(m.irq(20, true), -1);
    m.redirect(20, 0x54);
    EXPECT_EQ(m[0].pending(), -1);
}

TEST(ioapic, level_comes_back_until_it_is_low) {
    machine m;
    m.redirect(20, 0x54 | level);
    EXPECT_EQ(m.irq(20, true), 1);
    EXPECT_EQ(m.redirection(20), 0x54 | level | remote_irr);
    EXPECT_EQ(m.irq(20, true), -1) << "not before EOI";
    serve(m[0], 0x54);
    EXPECT_EQ(m[0].ack(), 0x54);
    m.irq(20, false);
    m[0].end();
    EXPECT_EQ(m[0].pending(), -1);
    EXPECT_EQ(m.redirection(20), 0x54 | level);
}

TEST(ioapic, level_waits_for_its_mask) {
    machine m;
    m.redirect(20, 0x54 | level | masked);
    EXPECT_EQ(m.irq(20, true), -1);
    m.redirect(20, 0x54 | level);
    serve(m[0], 0x54);
    EXPECT_EQ(m[0].ack(), 0x54);
    m.redirect(20, 0x54 | level | masked);
    m[0].end();
    EXPECT_EQ(m[0].pending(), -1);
    m.redirect(20, 0x54 | level);
    EXPECT_EQ(m[0].ack(), 0x54);
}

TEST(ioapic, guest_clears_a_stuck_remote_irr_by_edge) {
    machine m;
    m.redirect(20, 0x54 | level);
    m.irq(20, true);
    m.irq(20, false);
    m.redirect(20, 0x54 | masked);
    m.redirect(20, 0x54 | level);
    EXPECT_EQ(m.redirection(20), 0x54 | level);
    EXPECT_EQ(m.irq(20, true), 1);
}

TEST(ioapic, reaches_whom_the_entry_names) {
    machine m(3);
    m.redirect(20, 0x54 | 1ull << 56);
    m.pulse(20);
    serve(m[1], 0x54);
    for (unsigned int i = 0; i < 3; ++i) m[i].write(at::ldr, 1u << (24 + i));
    m.redirect(21, 0x55 | 1 << 11 | 6ull << 56);
    EXPECT_EQ(m.pulse(21), 2);
    serve(m[1], 0x55);
    serve(m[2], 0x55);
    m.redirect(22, 0x56 | 9ull << 56);
    EXPECT_EQ(m.pulse(22), -1);
    m.redirect(23, 0x57 | level | 9ull << 56);
    EXPECT_EQ(m.irq(23, true), -1);
    EXPECT_EQ(m.redirection(23) & remote_irr, 0u) << "what nobody took, nobody will end";
    m.redirect(22, 0x400 | 2ull << 56);
    EXPECT_EQ(m.pulse(22), 1);
    EXPECT_EQ(m[2].vcpu().nmis, 1u);
}

TEST(ioapic, shared_vector_ends_all_its_pins) {
    machine m;
    m.redirect(20, 0x54 | level);
    m.redirect(21, 0x54 | level);
    m.irq(20, true);
    m.irq(21, true);
    EXPECT_EQ(m[0].ack(), 0x54);
    m.irq(20, false);
    m.irq(21, false);
    m[0].end();
    EXPECT_EQ(m.redirection(20), 0x54 | level);
    EXPECT_EQ(m.redirection(21), 0x54 | level);
}

TEST(ioapic, eoi_of_an_edge_leaves_level_entries_alone) {
    machine m(2);
    m.redirect(20, 0x54 | level | 1ull << 56);
    m.irq(20, true);
    m.msi(0xfee00000, 0x54);
    serve(m[0], 0x54);
    EXPECT_EQ(m.redirection(20) & remote_irr, remote_irr);
}

TEST(ioapic, rtc_tick_is_lost_while_the_last_is_served) {
    machine m;
    m.redirect(8, 0x48);
    EXPECT_EQ(m.route({irq::pin_route(8, KVM_IRQCHIP_IOAPIC, 8)}), 0);
    EXPECT_EQ(m.pulse(8), 1);
    EXPECT_EQ(m.pulse(8), 0);
    EXPECT_EQ(m[0].ack(), 0x48);
    EXPECT_EQ(m.pulse(8), 0);
    m[0].end();
    EXPECT_EQ(m.pulse(8), 1);
}

TEST(ioapic, state_carries_over) {
    machine m, other;
    kvm_irqchip state{};
    m.redirect(20, 0x54 | level);
    m.redirect(21, 0x55);
    m.redirect(22, 0x56 | level | masked);
    m.irq(20, true);
    m.irq(21, true);
    m.irq(22, true);
    state.chip_id = KVM_IRQCHIP_IOAPIC;
    EXPECT_EQ(hvk_get_irqchip(m.vm(), &state), 0);
    EXPECT_EQ(state.chip.ioapic.irr, 5u << 20) << "the edge is over";
    EXPECT_EQ(state.chip.ioapic.base_address, irq::ioapic_base);
    EXPECT_EQ(state.chip.ioapic.redirtbl[20].bits, 0x54 | level | remote_irr);
    EXPECT_EQ(hvk_set_irqchip(other.vm(), &state), 0);
    EXPECT_EQ(other[0].pending(), -1) << "in service, as the LAPIC's own state will say";
    other.redirect(22, 0x56 | level);
    serve(other[0], 0x56);
}

TEST(ioapic, state_raises_what_waited) {
    machine m;
    kvm_irqchip state{};
    state.chip_id = KVM_IRQCHIP_IOAPIC;
    EXPECT_EQ(hvk_get_irqchip(m.vm(), &state), 0);
    state.chip.ioapic.irr = 1u << 20 | 0xff000000;
    state.chip.ioapic.redirtbl[20].bits = 0x54;
    state.chip.ioapic.base_address = 0xfec10000;
    EXPECT_EQ(hvk_set_irqchip(m.vm(), &state), 0);
    serve(m[0], 0x54);
    std::uint32_t value = 0;
    EXPECT_FALSE(hvk_ioapic_mmio(m.vm(), irq::ioapic_base, &value, 4, false));
    EXPECT_TRUE(hvk_ioapic_mmio(m.vm(), 0xfec10010, &value, 4, false));
    state.chip_id = 3;
    EXPECT_EQ(hvk_get_irqchip(m.vm(), &state), -EINVAL);
    EXPECT_EQ(hvk_set_irqchip(m.vm(), &state), -EINVAL);
}
}
