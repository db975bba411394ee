// SPDX-License-Identifier: MIT
#include "machine.hpp"
#include <array>
#include <random>

namespace {
using irq::machine;
namespace at = irq;

/// A guest and a client that do anything at all, and what must hold after each step.
class chaos {
public:
    chaos(unsigned int seed, bool split) : random_{seed}, machine_{4, split} {
        if (!split) hvk_pit_create(machine_.vm(), KVM_PIT_SPEAKER_DUMMY);
    }

    void step() {
        vcpu_ = &machine_[random() % 4].vcpu();
        switch (random() % 10) {
        case 0:  page(); break;
        case 1:  msr(); break;
        case 2:  ioapic(); break;
        case 3:  port(); break;
        case 4:  machine_.irq(random() % 32, random() % 2); break;
        case 5:  message(); break;
        case 6:  fake::advance(random() % 2'000'000); break;
        case 7:  rare(); break;
        default: interrupt(); break;
        }
        check();
    }

    /// Interrupts: without many of them nothing was tried.
    unsigned int taken() const { return taken_; }

private:
    std::uint32_t random() { return static_cast<std::uint32_t>(random_()); }

    void page() {
        auto value = biased();
        hvk_lapic_mmio(vcpu_, (hvk_get_apic_base(vcpu_) & ~0xfffull) + (random() % 0x42ull) * 16,
                       &value, 4, random() % 4);
    }

    void msr() {
        std::uint64_t value = biased() | (random() % 4 ? 0 : std::uint64_t{random()} << 32);
        constexpr std::array<std::uint32_t, 3> others{0x1b, 0x6e0, 0x800};
        auto const index = random() % 4 ? 0x800 + random() % 0x42 : others[random() % 3];
        if (index == 0x1b) value = 0xfee00000 | (random() % 4) << 10;
        hvk_lapic_msr(vcpu_, index, &value, random() % 4);
    }

    void ioapic() {
        std::uint64_t value = random() % 2 ? random() % 0x48 : biased();
        hvk_ioapic_mmio(machine_.vm(), irq::ioapic_base + (random() % 2ull) * 16, &value,
                        1u << random() % 4, random() % 4);
    }

    void port() {
        constexpr std::array<std::uint16_t, 11> ports{0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1,
                                                      0x40, 0x41, 0x42, 0x43, 0x61};
        std::uint32_t value = random();
        hvk_pic_pit_io(machine_.vm(), ports[random() % ports.size()], &value, 1u << random() % 3,
                       random() % 3);
    }

    void message() {
        kvm_msi msi{};
        msi.address_lo = 0xfee00000 | (random() & 0xff00c) | (random() & 3) << 12;
        msi.data = biased();
        hvk_send_msi(machine_.vm(), &msi);
    }

    void rare() {
        kvm_lapic_state lapic;
        kvm_irqchip chip{};
        switch (random() % 16) {
        case 0: hvk_lapic_reset(vcpu_); break;
        case 1:
            EXPECT_EQ(hvk_get_lapic(vcpu_, &lapic), 0);
            EXPECT_EQ(hvk_set_lapic(vcpu_, &lapic), 0);
            break;
        case 2:
            chip.chip_id = random() % 3;
            if (!hvk_get_irqchip(machine_.vm(), &chip)) hvk_set_irqchip(machine_.vm(), &chip);
            break;
        case 3:  hvk_queue_extint(vcpu_, static_cast<std::uint8_t>(random())); break;
        case 4:  machine_.route({irq::msi_route(random() % 32, 0xfee00000, biased())}); break;
        default: enable(); break;
        }
    }

    /// Otherwise all LAPICs are soon off for good.
    void enable() {
        hvk_set_apic_base(vcpu_, 0xfee00800 | (random() & 1) << 10, true);
        irq::cpu{*vcpu_}.write(at::svr, 0x1ff);
        irq::cpu{*vcpu_}.write(at::tpr, 0);
    }

    /// As the node does: what is pending is what an acknowledgment gets.
    void interrupt() {
        int const pending = hvk_pending_interrupt(vcpu_);
        EXPECT_EQ(hvk_ack_interrupt(vcpu_), pending);
        EXPECT_LT(pending, 256);
        taken_ += pending >= 0;
        std::uint64_t nothing = 0;
        if (random() % 8 && hvk_lapic_msr(vcpu_, 0x80b, &nothing, true)) {
            std::uint32_t value = 0;
            hvk_lapic_mmio(vcpu_, (hvk_get_apic_base(vcpu_) & ~0xfffull) + at::eoi, &value, 4,
                           true);
        }
    }

    void check() {
        for (unsigned int i = 0; i < 4; ++i) {
            auto& vcpu = machine_[i].vcpu();
            int const requested = hvk_highest_requested(&vcpu);
            int const pending = hvk_pending_interrupt(&vcpu);
            EXPECT_LT(requested, 256);
            EXPECT_TRUE(pending < 0 || pending <= requested || may_be_extint(vcpu));
        }
        EXPECT_LE(fake::timers(), 5u);
    }

    bool may_be_extint(hvk_vcpu& vcpu) {
        return vcpu.external >= 0 || !hvk_irqchip_is_split(machine_.vm());
    }

    /// Small vectors, modes and flags, rather than 32 bits of anything.
    std::uint32_t biased() {
        std::uint32_t value = random();
        if (random() % 4) value &= 0x8fcfff;
        if (random() % 2) value &= ~0x700u;
        return value;
    }

    std::mt19937 random_;
    machine machine_;
    hvk_vcpu* vcpu_{};
    unsigned int taken_{};
};

void run(bool split) {
    for (unsigned int seed = 1; seed <= 8; ++seed) {
        chaos c(seed, split);
        for (unsigned int i = 0; i < 20'000 && !testing::Test::HasFailure(); ++i) c.step();
        EXPECT_GT(c.taken(), 300u);
    }
}

TEST(irq_random, whole_chips_bear_anything) { run(false); }

TEST(irq_random, split_chips_bear_anything) { run(true); }
}
