// SPDX-License-Identifier: MIT
#include "machine.hpp"

namespace {
using irq::machine;
namespace at = irq;

TEST(lapic, starts_as_after_power_on) {
    machine m(2, false, false);
    EXPECT_EQ(m[0].read(at::id), 0u);
    EXPECT_EQ(m[1].read(at::id), 1u << 24);
    EXPECT_EQ(m[0].read(at::version), 0x50014u);
    EXPECT_EQ(m[0].read(at::svr), 0xffu);
    EXPECT_EQ(m[0].read(at::dfr), 0xffffffffu);
    EXPECT_EQ(m[0].read(at::lvt_timer), 0x10000u);
    EXPECT_EQ(m[0].read(at::lvt_lint0), 0x700u) << "the boot CPU takes the PIC's interrupts";
    EXPECT_EQ(m[1].read(at::lvt_lint0), 0x10000u);
    EXPECT_EQ(*m[0].rdmsr(0x1b), 0xfee00900u);
    EXPECT_EQ(*m[1].rdmsr(0x1b), 0xfee00800u);
}

TEST(lapic, claims_its_page_and_nothing_else) {
    machine m;
    std::uint32_t value = 0;
    EXPECT_FALSE(hvk_lapic_mmio(&m[0].vcpu(), 0xfedfffff, &value, 1, false));
    EXPECT_FALSE(hvk_lapic_mmio(&m[0].vcpu(), 0xfee01000, &value, 4, false));
    EXPECT_TRUE(hvk_lapic_mmio(&m[0].vcpu(), 0xfee00fff, &value, 1, false));
    EXPECT_TRUE(m[0].wrmsr(0x1b, 0x12345000 | 0x900));
    EXPECT_FALSE(hvk_lapic_mmio(&m[0].vcpu(), 0xfee00020, &value, 4, false));
    EXPECT_TRUE(hvk_lapic_mmio(&m[0].vcpu(), 0x12345020, &value, 4, false));
}

TEST(lapic, reads_parts_of_a_register_but_not_across) {
    machine m;
    std::uint8_t byte = 0;
    std::uint64_t wide = ~0ull;
    EXPECT_TRUE(hvk_lapic_mmio(&m[0].vcpu(), irq::lapic_base + 0x32, &byte, 1, false));
    EXPECT_EQ(byte, 5);
    EXPECT_TRUE(hvk_lapic_mmio(&m[0].vcpu(), irq::lapic_base + 0x30, &wide, 8, false));
    EXPECT_EQ(wide, 0u);
    EXPECT_EQ(m[0].read(0xb0), 0u) << "EOI cannot be read";
    EXPECT_EQ(m[0].read(0x800), 0u);
}

TEST(lapic, ignores_writes_that_are_not_one_aligned_register) {
    machine m;
    std::uint64_t value = 0x20;
    hvk_lapic_mmio(&m[0].vcpu(), irq::lapic_base + at::tpr, &value, 1, true);
    hvk_lapic_mmio(&m[0].vcpu(), irq::lapic_base + at::tpr, &value, 8, true);
    hvk_lapic_mmio(&m[0].vcpu(), irq::lapic_base + at::tpr + 4, &value, 4, true);
    EXPECT_EQ(m[0].read(at::tpr), 0u);
    m[0].write(at::version, 0);
    EXPECT_EQ(m[0].read(at::version), 0x50014u);
}

TEST(lapic, keeps_only_bits_that_exist) {
    machine m;
    for (auto const& [offset, kept] : {std::pair{at::tpr, 0xffu},
                                       {at::ldr, 0xff000000u},
                                       {at::lvt_timer, 0x710ffu},
                                       {at::lvt_lint0, 0x1f7ffu},
                                       {at::lvt_error, 0x110ffu},
                                       {at::divide, 0xbu},
                                       {at::icr_high, 0xff000000u},
                                       {at::svr, 0x3ffu}}) {
        m[0].write(offset, 0xffffffff);
        EXPECT_EQ(m[0].read(offset), kept) << std::hex << offset;
    }
    m[0].write(at::dfr, 0);
    EXPECT_EQ(m[0].read(at::dfr), 0x0fffffffu);
}

TEST(lapic, without_tsc_deadline_has_two_timer_modes) {
    machine m;
    m[0].vcpu().tsc_deadline = false;
    m[0].write(at::lvt_timer, 0x60030);
    EXPECT_EQ(m[0].read(at::lvt_timer), 0x20030u);
}

TEST(lapic, switched_off_by_software_masks_its_lvts) {
    machine m;
    m[0].write(at::lvt_lint0, 0x700);
    m[0].write(at::svr, 0xff);
    EXPECT_EQ(m[0].read(at::lvt_lint0), 0x10700u);
    m[0].write(at::lvt_lint1, 0x400);
    EXPECT_EQ(m[0].read(at::lvt_lint1), 0x10400u);
    m[0].enable();
    m[0].write(at::lvt_lint1, 0x400);
    EXPECT_EQ(m[0].read(at::lvt_lint1), 0x400u);
}

TEST(lapic, init_keeps_its_id_and_base) {
    machine m(2);
    m[1].write(at::id, 7u << 24);
    m[1].write(at::tpr, 0x50);
    m[1].write(at::icr, 0x40031);
    hvk_lapic_reset(&m[1].vcpu());
    EXPECT_EQ(m[1].read(at::id), 7u << 24);
    EXPECT_EQ(m[1].read(at::tpr), 0u);
    EXPECT_EQ(m[1].read(at::svr), 0xffu);
    EXPECT_EQ(m[1].pending(), -1);
    m[1].to_x2apic();
    hvk_lapic_reset(&m[1].vcpu());
    EXPECT_EQ(*m[1].rdmsr(0x802), 1u);
    EXPECT_EQ(*m[1].rdmsr(0x80d), 2u);
}

TEST(lapic, without_its_page_reads_ones) {
    machine m;
    m[0].to_x2apic();
    EXPECT_EQ(m[0].read(at::version), 0xffffffffu);
    EXPECT_TRUE(m[0].wrmsr(0x1b, 0xfee00100));
    EXPECT_EQ(m[0].read(at::version), 0xffffffffu);
}

TEST(lapic, changes_modes_only_along_the_arrows) {
    constexpr std::uint64_t off = 0xfee00100, xapic = off | 0x800, x2apic = xapic | 0x400;
    struct {
        std::uint64_t from, to;
        bool allowed;
    } const moves[] = {
        {off, xapic, true},  {off, x2apic, false},   {xapic, x2apic, true},  {xapic, off, true},
        {x2apic, off, true}, {x2apic, xapic, false}, {x2apic, x2apic, true},
    };
    for (auto const& move : moves) {
        machine m;
        ASSERT_EQ(hvk_set_apic_base(&m[0].vcpu(), move.from, true), 0);
        EXPECT_EQ(m[0].wrmsr(0x1b, move.to), move.allowed) << std::hex << move.from << move.to;
        EXPECT_EQ(hvk_set_apic_base(&m[0].vcpu(), move.to, true), 0);
    }
}

TEST(lapic, refuses_bits_of_its_base_that_are_reserved) {
    machine m;
    for (std::uint64_t const bit : {0ull, 7ull, 9ull, 40ull, 63ull})
        EXPECT_FALSE(m[0].wrmsr(0x1b, 0xfee00900 | 1ull << bit)) << bit;
    EXPECT_FALSE(m[0].wrmsr(0x1b, 0xfee00500)) << "x2APIC without APIC";
    m[0].vcpu().x2apic = false;
    EXPECT_FALSE(m[0].wrmsr(0x1b, 0xfee00d00));
    EXPECT_FALSE(m[0].rdmsr(0x1a).has_value());
}

TEST(lapic, gets_its_own_id_back_with_its_mode) {
    machine m(2);
    m[1].write(at::id, 9u << 24);
    m[1].to_x2apic();
    EXPECT_EQ(*m[1].rdmsr(0x802), 1u);
    EXPECT_TRUE(m[1].wrmsr(0x1b, 0xfee00000));
    EXPECT_TRUE(m[1].wrmsr(0x1b, 0xfee00800));
    EXPECT_EQ(m[1].read(at::id), 1u << 24);
}

TEST(x2apic, has_msrs_only_in_its_mode) {
    machine m;
    EXPECT_FALSE(m[0].rdmsr(0x803).has_value());
    EXPECT_FALSE(m[0].wrmsr(0x808, 0));
    m[0].to_x2apic();
    EXPECT_EQ(*m[0].rdmsr(0x803), 0x50014u);
    EXPECT_TRUE(m[0].wrmsr(0x808, 0x20));
    EXPECT_EQ(*m[0].rdmsr(0x808), 0x20u);
}

TEST(x2apic, faults_where_no_register_is) {
    machine m;
    m[0].to_x2apic();
    for (std::uint32_t const index :
         {0x800u, 0x809u, 0x80bu, 0x80eu, 0x831u, 0x83fu, 0x840u, 0x8ffu})
        EXPECT_FALSE(m[0].rdmsr(index).has_value()) << std::hex << index;
    for (std::uint32_t const index :
         {0x802u, 0x803u, 0x80au, 0x80du, 0x80eu, 0x810u, 0x831u, 0x839u, 0x840u})
        EXPECT_FALSE(m[0].wrmsr(index, 0)) << std::hex << index;
    EXPECT_FALSE(m[0].wrmsr(0x808, 1ull << 32));
    EXPECT_FALSE(m[0].wrmsr(0x828, 1));
    EXPECT_TRUE(m[0].wrmsr(0x828, 0));
    EXPECT_FALSE(m[0].wrmsr(0x83f, 0x100));
    EXPECT_TRUE(m[0].wrmsr(0x830, 0xffffffff'00044030));
}

TEST(x2apic, icr_is_one_register_of_64_bits) {
    machine m;
    m[0].to_x2apic();
    EXPECT_TRUE(m[0].wrmsr(0x830, 0x12345678'000cb0ff));
    EXPECT_EQ(*m[0].rdmsr(0x830), 0x12345678'000ca0ffu) << "never busy";
}

TEST(lapic, absent_leaves_only_the_base_and_an_idle_deadline) {
    hvk_vm vm;
    hvk_vcpu vcpu;
    vcpu.vm = &vm;
    irq::cpu const cpu{vcpu};
    kvm_lapic_state state;
    std::uint32_t value = 0;
    EXPECT_EQ(*cpu.rdmsr(0x1b), 0xfee00900u);
    EXPECT_TRUE(cpu.wrmsr(0x1b, 0xfee00d00));
    EXPECT_EQ(hvk_get_apic_base(&vcpu), 0xfee00d00u);
    EXPECT_FALSE(cpu.rdmsr(0x802).has_value());
    EXPECT_EQ(*cpu.rdmsr(0x6e0), 0u);
    EXPECT_TRUE(cpu.wrmsr(0x6e0, 5));
    EXPECT_EQ(cpu.pending(), -1);
    EXPECT_EQ(cpu.ack(), -1);
    EXPECT_FALSE(hvk_lapic_mmio(&vcpu, irq::lapic_base, &value, 4, false));
    EXPECT_EQ(hvk_get_lapic(&vcpu, &state), -EINVAL);
    EXPECT_EQ(hvk_set_lapic(&vcpu, &state), -EINVAL);
    EXPECT_EQ(hvk_queue_extint(&vcpu, 9), -ENXIO);
    hvk_lapic_reset(&vcpu);
    hvk_lapic_destroy(&vcpu);
}

TEST(lapic, cr8_is_the_class_of_tpr) {
    machine m;
    m[0].write(at::tpr, 0x5f);
    EXPECT_EQ(hvk_get_cr8(&m[0].vcpu()), 5u);
    hvk_set_cr8(&m[0].vcpu(), 0xa);
    EXPECT_EQ(m[0].read(at::tpr), 0xa0u);
}
}
