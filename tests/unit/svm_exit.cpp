// SPDX-License-Identifier: MIT
// Exits on instructions under SVM, and exits that nobody asked for.
#include "core_hoist.hpp"

using namespace fake;

namespace {

class svm_exits : public hoist_svm {
protected:
    void SetUp() override {
        forget_records();
        rip_ = vm.rip(0);
    }
    void expect_event(std::uint64_t event) {
        EXPECT_EQ(vm.delivered(0), event);
        EXPECT_EQ(vm.rip(0), rip_) << "the instruction is not skipped";
    }
    void expect_advanced(std::uint64_t length) {
        EXPECT_EQ(vm.delivered(0), std::nullopt);
        EXPECT_EQ(vm.rip(0), rip_ + length);
    }
    outcome nop() {
        vm.gpr(0).rax = HV_CALL_NOP;
        return vm.hypercall(0);
    }
    hv::svm::control_area& control() { return vm.v(0).control; }
    hv::svm::save_area& save() { return vm.v(0).save; }
    std::uint64_t counted(unsigned slot) { return vm.shared(0).counter[slot]; }
    std::uint64_t rip_{};
};

// What the core handles, tested below or elsewhere. 3 and 5: no CPU reports them of this core.
bool is_handled(std::uint64_t code) {
    for (auto const c : {0x10u, 0x14u, 0x60u, 0x61u, 0x63u, 0x6au, 0x6bu, 0x6cu, 0x6du, 0x74u,
                         0x76u, 0x7au, 0x7cu, 0x7fu, 0x8du, 0x400u})
        if (c == code) return true;
    return (code >= 0x30 && code < 0x40) || (code >= 0x40 && code <= 0x5f) ||
           (code >= 0x80 && code <= 0x86);
}

constexpr std::uint64_t step_trap = 1 << 14;

}    // namespace

TEST_F(svm_exits, the_no_op_is_answered_at_once) {
    save().rflags = 0x202;
    control().interrupt_shadow = 1;
    vm.hw(0).steps.clear();
    vm.gpr(0) = {.r15 = 15, .r12 = 12, .rbp = 5, .r8 = 8, .rdi = 7, .rbx = 3, .rcx = 1};
    EXPECT_EQ(nop(), outcome::resumed);
    expect_advanced(3);
    EXPECT_EQ(control().interrupt_shadow, 0u) << "the instruction behind STI is done";
    auto const& r = vm.gpr(0);
    EXPECT_EQ(r.rax, 0u);
    EXPECT_EQ(r.r15 + r.r12 + r.rbp + r.r8 + r.rdi + r.rbx + r.rcx, 51u);
    EXPECT_EQ(vm.hw(0).count(op::vmload) + vm.hw(0).count(op::vmsave), 0u);
    EXPECT_EQ(counted(0x21), 1u);
    expect_no_record(0);
}

TEST_F(svm_exits, the_no_op_leaves_no_event_and_no_flush_behind) {
    EXPECT_EQ(vm.unexpected(0), outcome::resumed);
    EXPECT_EQ(vm.load({}), 0);
    auto const flushes = vm.flushes(0);
    EXPECT_EQ(nop(), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    EXPECT_EQ(vm.flushes(0), flushes);
}

TEST_F(svm_exits, the_no_op_steps_where_the_root_vm_does) {
    save().rflags = 0x102;
    EXPECT_EQ(nop(), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), debug_trap);
    EXPECT_EQ(vm.rip(0), rip_ + 3);
    EXPECT_NE(save().dr6 & step_trap, 0u);
    EXPECT_EQ(vm.gpr(0).rax, 0u);
}

TEST_F(svm_exits, the_no_op_needs_ring_0) {
    vm.enter_ring_3(0);
    EXPECT_EQ(nop(), outcome::resumed);
    expect_event(invalid_opcode);
    EXPECT_EQ(one_record(0, HV_RECORD_CALL_DENIED).address, 0u);
}

TEST_F(svm_exits, the_next_instruction_is_where_the_cpu_says) {
    vm.hw(0).leaves[0x8000000aull << 32].edx |= 8;    // NRIP
    vm.hw(0).leave_guest(svm_exit{.code = 0x76, .length = 2});
    vm.core(0).has_next_rip = true;
    vm.hw(0).in_guest = true;
    EXPECT_EQ(vm.exit(0, {.code = 0x76, .length = 5}), outcome::resumed);
    expect_advanced(5);
    EXPECT_EQ(vm.exit(0, {.code = 0x7c, .info_1 = 0, .length = 4}), outcome::resumed);
}

TEST_F(svm_exits, without_next_rip_lengths_are_those_of_the_instructions) {
    EXPECT_EQ(vm.invd(0), outcome::resumed);
    expect_advanced(2);
    rip_ = vm.rip(0);
    EXPECT_EQ(vm.rdmsr(0, 0x10), outcome::resumed);
    expect_advanced(2);
    rip_ = vm.rip(0);
    EXPECT_EQ(vm.call(0, HV_CALL_AUDIT), 0);
    expect_advanced(3);
}

TEST_F(svm_exits, nobody_expects_get_a_fault_and_a_record) {
    for (std::uint64_t code = 0; code < 0x410; ++code) {
        if (is_handled(code)) continue;
        EXPECT_EQ(vm.exit(0, {.code = code, .info_1 = 0x55}), outcome::resumed);
        expect_event(general_protection);
        auto const r = one_record(0, HV_RECORD_UNEXPECTED_EXIT);
        EXPECT_EQ(r.reason, code);
        EXPECT_EQ(r.address, 0x55u);
    }
}

TEST_F(svm_exits, are_counted_in_a_slot_each) {
    auto const expect = [&](svm_exit const& info, unsigned slot) {
        auto const before = counted(slot);
        auto const all = hv::exits_of(vm.shared(0));
        vm.gpr(0).rcx = 0x10;
        vm.exit(0, info);
        EXPECT_EQ(counted(slot), before + 1) << std::hex << info.code;
        EXPECT_EQ(hv::exits_of(vm.shared(0)), all + 1);
    };
    for (unsigned code = 0; code < 0x20; ++code)
        if (code != 0x10 && code != 0x14) expect({.code = code}, code);
    for (unsigned code = 0x20; code < 0x40; ++code) expect({.code = code}, 0x3f);
    for (unsigned code = 0x60; code < 0x80; ++code)
        if (code != 0x63 && code != 0x6a && code != 0x6b && code != 0x7f)
            expect({.code = code}, code);
    for (unsigned code = 0x80; code < 0x90; ++code) expect({.code = code}, code - 0x60);
    for (unsigned code = 0x90; code < 0xa0; ++code) expect({.code = code}, 0x3f);
    expect({.code = 0x400, .info_1 = 4, .info_2 = 0x2000000000}, 0x30);
    expect({.code = 0x401}, 0x3f);
    expect({.code = 0x7c, .info_1 = 0, .length = 2}, 0x7c);
    expect({.code = 0x7c, .info_1 = 1, .length = 2}, 0x32);
    expect({.code = ~0ull}, 0x31);
}

TEST_F(svm_exits, svm_instructions_do_not_exist) {
    for (std::uint64_t const code : {0x80u, 0x82u, 0x83u, 0x84u, 0x85u, 0x86u, 0x7au}) {
        EXPECT_EQ(vm.exit(0, {.code = code, .length = 3}), outcome::resumed);
        expect_event(invalid_opcode);
        auto const r = one_record(0, HV_RECORD_INSTRUCTION_DENIED);
        EXPECT_EQ(r.reason, code);
        EXPECT_EQ(r.rip, rip_);
    }
}

TEST_F(svm_exits, invd_writes_back_instead) {
    EXPECT_EQ(vm.invd(0), outcome::resumed);
    expect_advanced(2);
    EXPECT_EQ(vm.hw(0).count(op::wbinvd), 1u);
}

TEST_F(svm_exits, a_shutdown_resets_the_machine) {
    EXPECT_EQ(vm.exit(0, {.code = 0x7f}), outcome::reset);
    EXPECT_EQ(one_record(0, HV_RECORD_TRIPLE_FAULT).reason, 0x7fu);
    auto const& s = vm.hw(0).steps;
    EXPECT_EQ(std::count(s.begin(), s.end(), step{op::outb, 0xcf9, 6}), 1);
    EXPECT_EQ(std::count(s.begin(), s.end(), step{op::outb, 0x64, 0xfe}), 1);
}

TEST_F(svm_exits, a_failed_entry_is_mended_once) {
    vm.invd(0);    // or it would be the launch that fails
    rip_ = vm.rip(0);
    control().interrupt_shadow = 1;
    EXPECT_EQ(vm.exit(0, {.code = ~0ull, .info_1 = 4}), outcome::resumed);
    expect_event(general_protection);
    auto const r = one_record(0, HV_RECORD_ENTRY_FAILED);
    EXPECT_EQ(r.address, 4u);
    EXPECT_EQ(r.reason, 0xffffu);
    EXPECT_EQ(control().interrupt_shadow, 0u);
    EXPECT_EQ(vm.exit(0, {.code = ~0ull}), outcome::parked) << "twice in a row";
    EXPECT_EQ(vm.shared(0).parked, 1u);
    EXPECT_EQ(vm.invd(1), outcome::resumed) << "this CPU only";
}

TEST_F(svm_exits, an_exit_between_two_failed_entries_counts) {
    vm.invd(0);
    EXPECT_EQ(vm.exit(0, {.code = ~0ull}), outcome::resumed);
    EXPECT_EQ(vm.invd(0), outcome::resumed);
    EXPECT_EQ(vm.exit(0, {.code = ~0ull}), outcome::resumed);
}

TEST_F(svm_exits, an_entry_that_fails_in_a_step_ends_the_step) {
    ASSERT_EQ(vm.load({cr_rule(1, 4, 1 << 20)}), 0);
    EXPECT_EQ(vm.exit(0, {.code = 0x14}), outcome::resumed);
    EXPECT_EQ(vm.exit(0, {.code = ~0ull}), outcome::resumed);
    EXPECT_EQ(vm.core(0).step.reasons, 0u);
    EXPECT_EQ(save().rflags & 0x100, 0u);
}

TEST_F(svm_exits, a_vmcb_that_stays_broken_parks_this_cpu) {
    save().cr3 = 1ull << 50;
    EXPECT_EQ(vm.invd(0), outcome::parked);
    EXPECT_EQ(vm.problems.size(), 2u) << "one entry, and one more";
    vm.problems.clear();
    EXPECT_EQ(vm.shared(0).parked, 1u);
    for (auto const& r : vm.records(0)) EXPECT_EQ(r.kind, HV_RECORD_ENTRY_FAILED);
}
