// SPDX-License-Identifier: MIT
#include "machine.hpp"

namespace {
using irq::machine;
using irq::msi_route;
using irq::pin_route;
namespace at = irq;

TEST(routing, starts_as_a_pc) {
    machine m;
    m.start_pics();
    EXPECT_EQ(m.pulse(3), 1) << "the PIC's; the IOAPIC's pin is masked";
    EXPECT_EQ(m[0].ack(), 0x33);
    m.redirect(3, 0x43);
    m.redirect(20, 0x54);
    EXPECT_EQ(m.pulse(20), 1);
    EXPECT_EQ(m[0].ack(), 0x54);
    EXPECT_EQ(m.pulse(24), -1);
    EXPECT_EQ(m.pulse(4095), -1);
    EXPECT_EQ(m.pulse(4096), -1);
    EXPECT_EQ(m.pulse(~0u), -1);
}

TEST(routing, adds_up_what_took_it) {
    machine m;
    m.start_pics();
    m.redirect(5, 0x45);
    EXPECT_EQ(m.irq(5, true), 2);
    EXPECT_EQ(m.irq(5, true), 1) << "no edge: the IOAPIC says so, the PIC does not, as in KVM";
    EXPECT_EQ(m.irq(5, false), 2);
}

TEST(routing, to_an_msi_is_an_edge) {
    machine m(2, true);
    ASSERT_EQ(m.route({msi_route(30, 0xfee01000, 0x61)}), 0);
    EXPECT_EQ(m.irq(30, true), 1);
    EXPECT_EQ(m.irq(30, false), -1);
    EXPECT_EQ(m[1].ack(), 0x61);
    EXPECT_EQ(m.irq(31, true), -1);
}

TEST(routing, is_replaced_as_a_whole) {
    machine m(1, true);
    ASSERT_EQ(m.route({msi_route(1, 0xfee00000, 0x61), msi_route(2, 0xfee00000, 0x62)}), 0);
    ASSERT_EQ(m.route({msi_route(2, 0xfee00000, 0x72)}), 0);
    EXPECT_EQ(m.irq(1, true), -1);
    EXPECT_EQ(m.irq(2, true), 1);
    EXPECT_EQ(m[0].ack(), 0x72);
    ASSERT_EQ(m.route({}), 0);
    EXPECT_EQ(m.irq(2, true), -1);
}

TEST(routing, refuses_what_kvm_refuses_and_stays) {
    machine m;
    auto flagged_pin = pin_route(4, KVM_IRQCHIP_IOAPIC, 4), flagged_msi = msi_route(4, 0, 0);
    auto strange = msi_route(4, 0, 0);
    flagged_pin.flags = 1;
    flagged_msi.flags = 2;
    strange.type = 77;
    std::vector<kvm_irq_routing_entry> const bad[] = {
        {pin_route(4, KVM_IRQCHIP_IOAPIC, 24)},
        {pin_route(4, KVM_IRQCHIP_PIC_MASTER, 8)},
        {pin_route(4, KVM_IRQCHIP_PIC_SLAVE, 8)},
        {pin_route(4, 3, 0)},
        {pin_route(4, KVM_IRQCHIP_IOAPIC, 4), pin_route(4, KVM_IRQCHIP_IOAPIC, 5)},
        {pin_route(4, KVM_IRQCHIP_IOAPIC, 4), msi_route(4, 0xfee00000, 0x40)},
        {msi_route(4, 0xfee00000, 0x40), msi_route(4, 0xfee00000, 0x41)},
        {msi_route(4096, 0xfee00000, 0x40)},
        {flagged_pin},
        {flagged_msi},
        {strange},
    };
    for (auto const& entries : bad) EXPECT_EQ(m.route(entries), -EINVAL);
    EXPECT_EQ(hvk_set_routing(m.vm(), nullptr, 4097, 0), -EINVAL);
    EXPECT_EQ(hvk_set_routing(m.vm(), nullptr, 0, 1), -EINVAL);
    m.redirect(4, 0x44);
    EXPECT_GT(m.pulse(4), 0);
}

TEST(routing, of_pins_needs_the_pins) {
    machine m(1, true);
    EXPECT_EQ(m.route({pin_route(4, KVM_IRQCHIP_IOAPIC, 4)}), -EINVAL);
    hvk_vm none;
    EXPECT_EQ(hvk_set_routing(&none, nullptr, 0, 0), -EINVAL);
    EXPECT_EQ(hvk_set_irq(&none, 1, 1), -ENXIO);
}

TEST(routing, moves_pins) {
    machine m;
    ASSERT_EQ(m.route({pin_route(0, KVM_IRQCHIP_IOAPIC, 2), pin_route(0, KVM_IRQCHIP_PIC_MASTER, 0),
                       pin_route(9, KVM_IRQCHIP_PIC_SLAVE, 1)}),
              0);
    m.start_pics();
    m.redirect(2, 0x52);
    EXPECT_EQ(m.pulse(0), 2);
    EXPECT_EQ(m[0].ack(), 0x30);
    EXPECT_EQ(m[0].ack(), 0x52);
    EXPECT_EQ(m.pulse(9), 1);
}

TEST(routing, out_of_memory_changes_nothing) {
    machine m(1, true);
    ASSERT_EQ(m.route({msi_route(1, 0xfee00000, 0x61)}), 0);
    fake::fail_allocation(1);
    EXPECT_EQ(m.route({}), -ENOMEM);
    EXPECT_EQ(m.irq(1, true), 1);
}

TEST(split, eoi_of_a_level_entry_is_told_to_the_client) {
    machine m(2, true);
    ASSERT_EQ(m.route({msi_route(4, 0xfee01000, 0x8061), msi_route(5, 0xfee01000, 0x0062),
                       msi_route(24, 0xfee01000, 0x8063)}),
              0);
    for (unsigned int const gsi : {4u, 5u, 24u}) {
        EXPECT_EQ(m.irq(gsi, true), 1);
        m[1].ack();
        m[1].end();
    }
    EXPECT_EQ(m[1].vcpu().eois, std::vector<std::uint8_t>{0x61}) << "not edges, not other GSIs";
    EXPECT_TRUE(m[0].vcpu().eois.empty());
}

TEST(split, has_no_chips) {
    machine m(1, true);
    std::uint8_t byte = 0;
    kvm_irqchip state{};
    kvm_pit_state2 pit;
    EXPECT_FALSE(hvk_pic_pit_io(m.vm(), 0x20, &byte, 1, false));
    EXPECT_FALSE(hvk_ioapic_mmio(m.vm(), irq::ioapic_base, &byte, 1, false));
    EXPECT_EQ(hvk_get_irqchip(m.vm(), &state), -ENXIO);
    EXPECT_EQ(hvk_set_irqchip(m.vm(), &state), -ENXIO);
    EXPECT_EQ(hvk_pit_create(m.vm(), 0), -ENOENT);
    EXPECT_EQ(hvk_get_pit(m.vm(), &pit), -ENXIO);
    EXPECT_TRUE(hvk_irqchip_is_split(m.vm()));
    EXPECT_EQ(m[0].read(at::version), 0x1050014u) << "EOI broadcasts can be held back";
    m[0].write(at::svr, 0x11ff);
    EXPECT_EQ(m[0].read(at::svr), 0x11ffu);
}

TEST(irqchip, is_made_once_and_gone_without_trace) {
    hvk_vm vm;
    EXPECT_EQ(hvk_irqchip_create(&vm, true, 4097), -EINVAL);
    for (unsigned int const failing : {1u, 2u}) {
        fake::fail_allocation(failing);
        EXPECT_EQ(hvk_irqchip_create(&vm, false, 0), -ENOMEM);
        EXPECT_EQ(fake::allocations(), 0u);
    }
    EXPECT_EQ(hvk_irqchip_create(&vm, false, 0), 0);
    EXPECT_EQ(hvk_irqchip_create(&vm, false, 0), -EEXIST);
    EXPECT_FALSE(hvk_irqchip_is_split(&vm));
    hvk_vcpu vcpu;
    vcpu.vm = &vm;
    fake::fail_allocation(1);
    EXPECT_EQ(hvk_lapic_create(&vcpu), -ENOMEM);
    EXPECT_EQ(vcpu.lapic, nullptr);
    hvk_irqchip_destroy(&vm);
    hvk_irqchip_destroy(&vm);
    EXPECT_EQ(fake::allocations(), 0u);
}

TEST(irqchip, takes_its_timers_along) {
    {
        machine m(2);
        EXPECT_EQ(hvk_pit_create(m.vm(), 0), 0);
        m.out(0x43, 0x34);
        m.out(0x40, 0x00);
        m.out(0x40, 0x40);
        m[1].write(at::lvt_timer, 0x20040);
        m[1].write(at::initial_count, 1000);
        EXPECT_EQ(fake::timers(), 2u);
        fake::advance_holding_expiries(1'000'000);
        EXPECT_EQ(fake::timers(), 1u);
    }
    EXPECT_EQ(fake::timers(), 0u);
    fake::run_late();
}

TEST(irqchip, takes_as_many_lapics_as_it_has_room_for) {
    machine m(256);
    hvk_vcpu vcpu;
    vcpu.vm = m.vm();
    vcpu.id = 256;
    EXPECT_EQ(hvk_lapic_create(&vcpu), -EINVAL);
    EXPECT_EQ(vcpu.lapic, nullptr);
}
}
