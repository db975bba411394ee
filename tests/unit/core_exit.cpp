// SPDX-License-Identifier: MIT
// Exits on instructions, and exits that nobody asked for: each answered on purpose, each counted.
#include "core_hoist.hpp"

using namespace fake;

namespace {

class exit_reasons : public hoist {
protected:
    void SetUp() override {
        forget_records();
        rip_ = vm.v(0)[field::rip];
    }
    void expect_event(std::uint64_t event) {
        EXPECT_EQ(vm.delivered(0), event);
        EXPECT_EQ(vm.v(0)[field::rip], rip_) << "the instruction is not skipped";
    }
    void expect_advanced(std::uint64_t length) {
        EXPECT_EQ(vm.delivered(0), std::nullopt);
        EXPECT_EQ(vm.v(0)[field::rip], rip_ + length);
    }
    outcome xsetbv(std::uint32_t index, std::uint64_t value) {
        vm.gpr(0).rcx = index;
        vm.gpr(0).rax = value & 0xffffffff;
        vm.gpr(0).rdx = value >> 32;
        return vm.exit(0, {.reason = 55});
    }
    void expect_xcr0(std::uint64_t value) {
        rip_ = vm.v(0)[field::rip];
        EXPECT_EQ(xsetbv(0, value), outcome::resumed);
        expect_advanced(3);
        EXPECT_EQ(vm.hw(0).xcr0, value);
    }
    void expect_no_xcr0(std::uint64_t value, std::uint32_t index = 0) {
        rip_ = vm.v(0)[field::rip];
        auto const before = vm.hw(0).xcr0;
        EXPECT_EQ(xsetbv(index, value), outcome::resumed);
        expect_event(general_protection);
        EXPECT_EQ(vm.hw(0).xcr0, before) << std::hex << value;
    }
    std::uint64_t rip_{};
};

bool is_vmx_instruction(std::uint32_t reason) {
    return reason == 11 || (reason >= 19 && reason <= 27) || reason == 50 || reason == 53 ||
           reason == 59;
}

/// Reasons with an answer of their own, tested below or elsewhere.
bool is_handled(std::uint32_t reason) {
    for (auto const r : {0u,  2u,  3u,  4u,  7u,  8u,  9u,  10u, 13u, 18u, 28u, 29u,
                         31u, 32u, 33u, 34u, 41u, 46u, 47u, 48u, 49u, 52u, 55u})
        if (r == reason) return true;
    return is_vmx_instruction(reason);
}

}    // namespace

TEST_F(exit_reasons, nobody_expects_get_a_fault_and_a_record) {
    for (std::uint32_t reason = 0; reason < 80; ++reason) {
        if (is_handled(reason)) continue;
        auto const before = vm.shared(0).counter[reason];
        EXPECT_EQ(vm.exit(0, {.reason = reason, .qualification = 0x55}), outcome::resumed);
        expect_event(general_protection);
        auto const r = one_record(0, HV_RECORD_UNEXPECTED_EXIT);
        EXPECT_EQ(r.reason, reason);
        EXPECT_EQ(r.address, 0x55u);
        EXPECT_EQ(vm.shared(0).counter[reason], before + 1);
    }
}

TEST_F(exit_reasons, vmx_instructions_do_not_exist) {
    for (std::uint32_t reason = 0; reason < 64; ++reason) {
        if (!is_vmx_instruction(reason)) continue;
        EXPECT_EQ(vm.exit(0, {.reason = reason}), outcome::resumed);
        expect_event(invalid_opcode);
        auto const r = one_record(0, HV_RECORD_INSTRUCTION_DENIED);
        EXPECT_EQ(r.reason, reason);
        EXPECT_EQ(r.rip, rip_);
    }
}

TEST_F(exit_reasons, invd_writes_back_instead) {
    EXPECT_EQ(vm.exit(0, {.reason = 13, .length = 2}), outcome::resumed);
    expect_advanced(2);
    EXPECT_EQ(vm.hw(0).count(op::wbinvd), 1u);
}

TEST_F(exit_reasons, a_triple_fault_resets_the_machine) {
    EXPECT_EQ(vm.exit(0, {.reason = 2}), outcome::reset);
    EXPECT_EQ(one_record(0, HV_RECORD_TRIPLE_FAULT).reason, 2u);
    auto const& s = vm.hw(0).steps;
    EXPECT_EQ(std::count(s.begin(), s.end(), step{op::outb, 0xcf9, 6}), 1);
    EXPECT_EQ(std::count(s.begin(), s.end(), step{op::outb, 0x64, 0xfe}), 1);
}

TEST_F(exit_reasons, a_task_switch_finds_an_invalid_task) {
    EXPECT_EQ(vm.exit(0, {.reason = 9, .qualification = 0x2bull << 32 | 0x40}), outcome::resumed);
    expect_event(0x80000b0a | 0x40ull << 32);
    EXPECT_EQ(one_record(0, HV_RECORD_UNEXPECTED_EXIT).address, 0x40u);
}

TEST_F(exit_reasons, a_misconfigured_entry_parks_the_cpu) {
    EXPECT_EQ(vm.exit(0, {.reason = 49, .guest_physical = 0x5000}), outcome::parked);
    EXPECT_EQ(one_record(0, HV_RECORD_UNEXPECTED_EXIT).address, 0x5000u);
    EXPECT_EQ(vm.shared(0).parked, 1u);
    EXPECT_EQ(vm.exit(1, {.reason = 10}), outcome::resumed) << "this CPU only";
}

TEST_F(exit_reasons, a_failed_entry_is_mended_once) {
    auto& v = vm.v(0);
    v.set(field::rflags, 0x202);
    v.set(field::interruptibility, 1);
    EXPECT_EQ(vm.exit(0, {.reason = 10, .length = 2}), outcome::resumed);
    forget_records();
    v.set(field::activity, 1);
    v.set(field::interruptibility, 1);
    rip_ = v[field::rip];
    EXPECT_EQ(vm.exit(0, {.reason = 0x80000021, .qualification = 4}), outcome::resumed);
    expect_event(general_protection);
    EXPECT_EQ(one_record(0, HV_RECORD_ENTRY_FAILED).address, 4u);
    EXPECT_EQ(v[field::interruptibility], 0u);
    EXPECT_EQ(vm.exit(0, {.reason = 0x80000021}), outcome::parked) << "twice in a row";
}

TEST_F(exit_reasons, an_exit_between_two_failed_entries_counts) {
    vm.exit(0, {.reason = 10});
    EXPECT_EQ(vm.exit(0, {.reason = 0x80000021}), outcome::resumed);
    EXPECT_EQ(vm.exit(0, {.reason = 13}), outcome::resumed);
    EXPECT_EQ(vm.exit(0, {.reason = 0x80000022}), outcome::resumed);
    EXPECT_EQ(vm.exit(0, {.reason = 0x80000029}), outcome::parked);
}

TEST_F(exit_reasons, a_broken_vmcs_parks_this_cpu_with_the_reason) {
    vm.v(0).set(field::host_cs_selector, 0);
    EXPECT_EQ(vm.exit(0, {.reason = 10}), outcome::parked);
    EXPECT_FALSE(vm.problems.empty());
    vm.problems.clear();
    EXPECT_EQ(one_record(0, HV_RECORD_ENTRY_FAILED).address, 8u) << "VM-instruction error";
    EXPECT_EQ(vm.shared(0).parked, 1u);
}

// SDM 1 13.3 "Enabling the XSAVE Feature Set and XSAVE-Enabled Features".
TEST_F(exit_reasons, xsetbv_takes_what_the_cpu_would_take) {
    for (std::uint64_t const value : {0x1ull, 0x3ull, 0x7ull, 0xe7ull}) expect_xcr0(value);
}

TEST_F(exit_reasons, xsetbv_faults_as_the_cpu_would) {
    for (std::uint64_t const value :
         {0x0ull, 0x2ull, 0x4ull, 0x5ull, 0x6ull, 0x8ull, 0x18ull, 0x1full, 0x20ull, 0x27ull,
          0x67ull, 0xe3ull, 0xe1ull, 0x100ull, 0x207ull, 0x60007ull, 1ull << 63 | 7})
        expect_no_xcr0(value);
    expect_no_xcr0(7, 1);
    expect_no_xcr0(7, ~0u);
}

TEST_F(exit_reasons, xsetbv_knows_states_that_come_in_groups) {
    vm.hw(0).leaves[0xdull << 32].eax = 0x602ff;    // and MPX, PKRU, AMX
    expect_xcr0(0x207);
    expect_xcr0(0x1f);
    expect_xcr0(0x60007);
    expect_xcr0(0x602ff);
    expect_no_xcr0(0xf);
    expect_no_xcr0(0x20007);
    expect_no_xcr0(0x40007);
}
