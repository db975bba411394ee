// SPDX-License-Identifier: MIT
// Events: those that an exit took away, those that the core adds, and what both make together.
#include "core_hoist.hpp"

using namespace fake;

namespace {

constexpr std::uint32_t external = 0x80000030, page_fault = 0x80000b0e, int_80 = 0x80000480,
                        icebp = 0x80000501, breakpoint = 0x80000603,
                        fault_while_saving = 0x80000b0d;
constexpr std::uint64_t double_fault = 0x80000b08;

class event : public hoist {
protected:
    void SetUp() override {
        forget_records();
        vm.v(0).set(field::rflags, 0x202);
    }
    /// An exit in the middle of a delivery that the core just repeats: a stale translation.
    void interrupted(std::uint32_t what, std::uint32_t error = 0, std::uint32_t length = 2) {
        EXPECT_EQ(vm.exit(0, {.reason = 48,
                              .qualification = 0x181,
                              .length = length,
                              .guest_physical = 0x5000,
                              .vectoring = what,
                              .vectoring_error = error}),
                  outcome::resumed);
    }
    /// The same, but the core has to deliver #GP: the exit is on a core frame.
    outcome on_a_core_frame(std::uint32_t what) {
        return vm.exit(0, {.reason = 48,
                           .qualification = 0x182,
                           .guest_physical = vm.machine.hpa_of_page(0).raw,
                           .vectoring = what});
    }
};

}    // namespace

TEST_F(event, of_every_type_is_delivered_again_once) {
    for (auto const what :
         {external, page_fault, int_80, icebp, breakpoint, 0x80000301u, 0x80000312u}) {
        auto const before = vm.hw(0).injected.size();
        auto const rip = vm.v(0)[field::rip];
        interrupted(what, 0x15);
        ASSERT_EQ(vm.hw(0).injected.size(), before + 1) << std::hex << what;
        auto const error = (what & 0x800) != 0 ? 0x15ull << 32 : 0;
        EXPECT_EQ(vm.delivered(0), what | error);
        EXPECT_EQ(vm.v(0)[field::rip], rip);
        interrupted(0);
        EXPECT_EQ(vm.delivered(0), std::nullopt);
    }
    expect_no_record(0);
}

TEST_F(event, keeps_the_length_of_its_instruction) {
    interrupted(int_80, 0, 2);
    EXPECT_EQ(vm.v(0)[field::entry_length], 2u);
    interrupted(breakpoint, 0, 1);
    EXPECT_EQ(vm.v(0)[field::entry_length], 1u);
}

TEST_F(event, loses_the_bits_that_injection_does_not_know) {
    interrupted(page_fault | 1u << 12, 2);
    EXPECT_EQ(vm.delivered(0), page_fault | 2ull << 32);
}

TEST_F(event, an_nmi_is_delivered_again_and_blocks_again) {
    vm.v(0).set(field::interruptibility, 8);    // its first delivery has blocked others
    interrupted(nmi_event);
    EXPECT_EQ(vm.delivered(0), nmi_event);
    EXPECT_EQ(vm.v(0)[field::interruptibility], 8u);
}

TEST_F(event, is_not_lost_by_a_cpu_that_halted) {
    for (auto const what : {external, std::uint32_t{nmi_event}}) {
        vm.v(0).set(field::activity, 1);
        vm.v(0).set(field::interruptibility, 0);
        interrupted(what);
        EXPECT_EQ(vm.delivered(0), what);
    }
}

TEST_F(event, a_fault_replaces_what_was_harmless) {
    for (auto const what : {external, int_80, breakpoint, 0x80000306u}) {
        EXPECT_EQ(on_a_core_frame(what), outcome::resumed);
        EXPECT_EQ(vm.delivered(0), general_protection);
    }
}

TEST_F(event, a_fault_in_a_fault_is_a_double_fault) {
    for (auto const what :
         {page_fault, fault_while_saving, 0x80000300u, 0x80000b0au, 0x80000b0bu, 0x80000b0cu}) {
        EXPECT_EQ(on_a_core_frame(what), outcome::resumed);
        EXPECT_EQ(vm.delivered(0), double_fault) << std::hex << what;
    }
}

TEST_F(event, a_fault_in_a_double_fault_resets_the_machine) {
    EXPECT_EQ(on_a_core_frame(0x80000b08), outcome::reset);
    auto const all = vm.records(0);
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[1].kind, HV_RECORD_TRIPLE_FAULT);
}

TEST_F(event, an_invalid_opcode_in_a_double_fault_is_only_that) {
    EXPECT_EQ(vm.exit(0, {.reason = 27, .vectoring = 0x80000b08}), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), invalid_opcode);
}

TEST_F(event, has_no_error_code_in_real_mode) {
    vm.exit(0, {.reason = 3});
    vm.exit(0, {.reason = 4, .qualification = 0x99});
    EXPECT_EQ(vm.wrmsr(0, 0x600, 1), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), 0x8000030du);
    EXPECT_EQ(vm.exit(0, {.reason = 9, .qualification = 0x40}), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), 0x8000030au);
}

TEST_F(event, combines_as_the_manual_says) {    // SDM 3A 6.15, table 6-5
    using hv::vector;
    auto const gp = hv::general_protection;
    hv::exception const pf{vector::page_fault, true, 7};
    vector const contributory[] = {vector::divide_error, vector::invalid_tss,
                                   vector::segment_not_present, vector::stack_fault,
                                   vector::general_protection};
    vector const benign[] = {vector::debug, vector::nmi, vector::invalid_opcode,
                             vector::machine_check};
    for (auto const first : benign)
        for (auto const& second : {gp, pf, hv::invalid_opcode})
            EXPECT_EQ(hv::combine(first, second), second);
    for (auto const first : contributory) {
        EXPECT_EQ(hv::combine(first, gp), hv::double_fault);
        EXPECT_EQ(hv::combine(first, pf), pf);
        EXPECT_EQ(hv::combine(first, hv::invalid_opcode), hv::invalid_opcode);
    }
    EXPECT_EQ(hv::combine(vector::page_fault, gp), hv::double_fault);
    EXPECT_EQ(hv::combine(vector::page_fault, pf), hv::double_fault);
    EXPECT_EQ(hv::combine(vector::page_fault, hv::debug_trap), hv::debug_trap);
    EXPECT_EQ(hv::combine(vector::double_fault, gp), std::nullopt);
    EXPECT_EQ(hv::combine(vector::double_fault, pf), std::nullopt);
    EXPECT_EQ(hv::combine(vector::double_fault, hv::invalid_opcode), hv::invalid_opcode);
}
