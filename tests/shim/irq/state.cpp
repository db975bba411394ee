// SPDX-License-Identifier: MIT
#include "machine.hpp"
#include <cstring>

namespace {
using irq::machine;
namespace at = irq;

std::uint32_t stored(kvm_lapic_state const& state, unsigned int offset) {
    std::uint32_t value = 0;
    std::memcpy(&value, state.regs + offset, sizeof value);
    return value;
}

void store(kvm_lapic_state& state, unsigned int offset, std::uint32_t value) {
    std::memcpy(state.regs + offset, &value, sizeof value);
}

kvm_lapic_state get(irq::cpu const& cpu) {
    kvm_lapic_state state;
    EXPECT_EQ(hvk_get_lapic(&cpu.vcpu(), &state), 0);
    return state;
}

TEST(lapic_state, is_the_page_as_the_guest_reads_it) {
    machine m(2);
    auto const state = get(m[1]);
    for (unsigned int const offset : {at::id, at::version, at::svr, at::dfr, at::lvt_lint0})
        EXPECT_EQ(stored(state, offset), m[1].read(offset)) << std::hex << offset;
}

TEST(lapic_state, carries_over_to_another_vcpu) {
    machine m(2);
    m[0].write(at::tpr, 0x30);
    m[0].write(at::icr_high, 5u << 24);
    m[0].write(at::icr, 0x44041);
    m[0].write(at::icr, 0x44052);
    EXPECT_EQ(m[0].ack(), 0x52);
    auto const state = get(m[0]);
    EXPECT_EQ(hvk_set_lapic(&m[1].vcpu(), &state), 0);
    EXPECT_TRUE(m[1].bit(at::isr, 0x52));
    EXPECT_EQ(m[1].read(at::ppr), 0x50u);
    EXPECT_EQ(m[1].pending(), -1);
    m[1].end();
    EXPECT_EQ(m[1].pending(), 0x41);
    EXPECT_EQ(m[1].read(at::icr_high), 5u << 24);
}

TEST(lapic_state, keeps_requests_of_all_256_vectors) {
    machine m;
    auto state = get(m[0]);
    store(state, at::irr, 0x8001);
    store(state, at::irr + 0x70, 0x80000000);
    EXPECT_EQ(hvk_set_lapic(&m[0].vcpu(), &state), 0);
    EXPECT_EQ(m[0].read(at::irr), 0x8001u);
    EXPECT_EQ(m[0].pending(), 0xff);
    EXPECT_EQ(stored(get(m[0]), at::irr), 0x8001u);
}

TEST(lapic_state, shows_x2apics_id_in_xapics_place) {
    machine m(2, true);
    m[1].to_x2apic();
    auto state = get(m[1]);
    EXPECT_EQ(stored(state, at::id), 1u << 24);
    EXPECT_EQ(hvk_set_lapic(&m[1].vcpu(), &state), 0);
    EXPECT_EQ(*m[1].rdmsr(0x802), 1u);
    EXPECT_EQ(*m[1].rdmsr(0x80d), 2u);
    EXPECT_EQ(hvk_x2apic_api(m.vm(), 1), 0);
    state = get(m[1]);
    EXPECT_EQ(stored(state, at::id), 1u);
    EXPECT_EQ(hvk_set_lapic(&m[1].vcpu(), &state), 0);
    store(state, at::id, 2);
    EXPECT_EQ(hvk_set_lapic(&m[1].vcpu(), &state), -EINVAL);
}

TEST(lapic_state, has_both_halves_of_x2apics_icr) {
    machine m;
    m[0].to_x2apic();
    EXPECT_TRUE(m[0].wrmsr(0x830, 0xabcdef01'00004040));
    auto const state = get(m[0]);
    EXPECT_EQ(stored(state, at::icr), 0x4040u);
    EXPECT_EQ(stored(state, at::icr_high), 0xabcdef01u);
    EXPECT_EQ(hvk_set_lapic(&m[0].vcpu(), &state), 0);
    EXPECT_EQ(*m[0].rdmsr(0x830), 0xabcdef01'00004040u);
}

TEST(lapic_state, timer_goes_on_from_its_count) {
    machine m;
    m[0].write(at::lvt_timer, 0x20040);
    m[0].write(at::divide, 0xb);
    m[0].write(at::initial_count, 1'000'000);
    fake::advance(400'000);
    auto const state = get(m[0]);
    EXPECT_EQ(stored(state, at::current_count), 600'000u);
    fake::advance(5'000);
    EXPECT_EQ(hvk_set_lapic(&m[0].vcpu(), &state), 0);
    fake::advance(599'999);
    EXPECT_EQ(m[0].pending(), -1);
    fake::advance(1);
    EXPECT_EQ(m[0].ack(), 0x40);
    m[0].end();
    fake::advance(1'000'000);
    EXPECT_EQ(m[0].ack(), 0x40);
}

TEST(lapic_state, one_shot_that_is_over_stays_over) {
    machine m;
    m[0].write(at::lvt_timer, 0x40);
    m[0].write(at::initial_count, 100);
    fake::advance(1000);
    m[0].ack();
    m[0].end();
    auto const state = get(m[0]);
    EXPECT_EQ(hvk_set_lapic(&m[0].vcpu(), &state), 0);
    fake::advance(1000);
    EXPECT_EQ(m[0].pending(), -1);
}

TEST(lapic_state, deadline_survives) {
    machine m;
    m[0].write(at::lvt_timer, 0x40040);
    EXPECT_TRUE(m[0].wrmsr(0x6e0, hvk_guest_tsc(&m[0].vcpu()) + 2000));
    auto const state = get(m[0]);
    EXPECT_EQ(hvk_set_lapic(&m[0].vcpu(), &state), 0);
    fake::advance(1001);
    EXPECT_EQ(m[0].ack(), 0x40);
}

TEST(lapic_state, of_nonsense_is_borne) {
    machine m(2);
    for (unsigned int const fill : {0x00u, 0xffu, 0xa5u, 0x5au}) {
        kvm_lapic_state state;
        std::memset(&state, static_cast<int>(fill), sizeof state);
        EXPECT_EQ(hvk_set_lapic(&m[0].vcpu(), &state), 0);
        for (unsigned int i = 0; i < 300 && m[0].ack() >= 0; ++i) m[0].end();
        m.msi(0xfee00000, 0x40);
        fake::advance(1'000'000'000);
        get(m[0]);
    }
}
}
