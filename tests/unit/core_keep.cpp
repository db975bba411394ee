// SPDX-License-Identifier: MIT
// Rules that keep: the instruction is done without a fault, the object has its old value.
#include "core_hoist.hpp"

using namespace fake;

namespace {

constexpr auto keep = HV_ACTION_KEEP;
constexpr std::uint64_t pe = 1, wp = 1 << 16, am = 1 << 18, pg = 1u << 31;
constexpr std::uint64_t smep = 1 << 20, smap = 1 << 21, umip = 1 << 11, pcide = 1 << 17;
constexpr std::uint32_t lstar = 0xc0000082;
constexpr std::uint64_t elsewhere = 0xffffffff81002000;

class keeping : public hoist_both {
protected:
    void load(std::vector<hv_rule> const& rules) {
        ASSERT_EQ(vm.load(rules), 0);
        forget_records();
    }
    /// A write of `value` that comes to `result`, told of by a record of rule `rule`.
    void expect_kept(unsigned number, std::uint64_t value, std::uint64_t result, std::uint32_t rule,
                     std::uint32_t n = 0) {
        auto const before = vm.seen(n, number);
        EXPECT_EQ(vm.move_to_cr(n, number, value), outcome::resumed);
        EXPECT_EQ(vm.delivered(n), std::nullopt) << std::hex << value;
        EXPECT_EQ(vm.seen(n, number), result);
        auto const r = one_record(n, HV_RECORD_CR_KEPT);
        EXPECT_EQ(r.rule, rule);
        EXPECT_EQ(r.address, number);
        EXPECT_EQ(r.value, value);
        EXPECT_EQ(r.old_value, before);
    }
    std::uint64_t real(unsigned number) { return on_svm() ? vm.seen(0, number) : real_vmx(number); }
    std::uint64_t cr0() { return vm.seen(0, 0); }
    std::uint64_t cr4() { return vm.seen(0, 4); }

private:
    std::uint64_t real_vmx(unsigned number) {
        return static_cast<hoisted&>(vm).v(0)[number == 0 ? field::cr0 : field::cr4];
    }
};

}    // namespace

INSTANTIATE_TEST_SUITE_P(on, keeping, both_backends(), backend_name);

TEST_P(keeping, a_bit_stays_and_the_others_change) {
    load({cr_rule(5, 4, smep | smap, keep)});
    for (std::uint32_t const n : {0u, 1u}) {
        auto const before = vm.seen(n, 4);
        expect_kept(4, before & ~smep, before, 5, n);
        expect_kept(4, before & ~(smep | umip | pcide), before & ~(umip | pcide), 5, n);
        expect_kept(4, before & ~(smep | smap), before, 5, n);
        EXPECT_EQ(vm.seen(n, 4), before);
    }
    EXPECT_NE(real(4) & smep, 0u);
}

TEST_P(keeping, what_is_asked_twice_is_kept_twice) {
    load({cr_rule(5, 0, wp, keep)});
    auto const before = cr0();
    expect_kept(0, before & ~wp, before, 5);
    expect_kept(0, before & ~wp, before, 5);
    expect_kept(0, (before & ~wp) | am, before | am, 5);
    EXPECT_NE(real(0) & wp, 0u);
    EXPECT_EQ(vm.move_to_cr(0, 0, before), outcome::resumed);
    EXPECT_EQ(cr0(), before);
    expect_no_record(0);
}

TEST_P(keeping, deny_wins_over_it_and_it_over_log) {
    load({cr_rule(1, 4, smep), cr_rule(2, 4, smap, keep), cr_rule(3, 4, umip, HV_ACTION_LOG)});
    auto const before = cr4();
    EXPECT_EQ(vm.move_to_cr(0, 4, before & ~(smep | smap)), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), general_protection);
    EXPECT_EQ(one_record(0, HV_RECORD_CR_DENIED).rule, 1u);
    EXPECT_EQ(cr4(), before);
    expect_kept(4, before & ~(smap | umip), before & ~umip, 2);
    EXPECT_EQ(real(4) & umip, 0u) << "what is logged happens";
}

TEST_P(keeping, an_exception_passes) {
    auto const rip = vm.rip(0);
    load({passing(cr_rule(1, 4, smep, keep), rip, rip + 8)});
    auto const before = cr4();
    EXPECT_EQ(vm.move_to_cr(0, 4, before & ~smep), outcome::resumed);
    EXPECT_EQ(cr4(), before & ~smep);
    expect_no_record(0);
}

// PG and PE: a mode that no CPU has is not made of two halves.
TEST_P(keeping, a_value_that_no_cpu_takes_faults) {
    load({cr_rule(1, 0, pg, keep)});
    if (!on_svm())
        static_cast<hoisted&>(vm).v(0).set(field::cs_access, 0xc09b);    // 32 bits
    else
        static_cast<hoisted_svm&>(vm).v(0).save.cs.attributes = 0xc9b;
    vm.set_rip(0, 0x1000);
    auto const before = cr0();
    ASSERT_EQ(vm.move_to_cr(0, 4, cr4() & ~pcide), outcome::resumed);
    forget_records();
    EXPECT_EQ(vm.move_to_cr(0, 0, before & ~(pg | pe)), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), general_protection);
    EXPECT_EQ(cr0(), before);
    one_record(0, HV_RECORD_CR_KEPT);
}

TEST_P(keeping, an_msr_is_not_written) {
    load({msr_rule(7, lstar, lstar, keep)});
    ASSERT_EQ(vm.rdmsr(0, lstar), outcome::resumed);
    auto const before = vm.gpr(0).rax | vm.gpr(0).rdx << 32;
    auto const rip = vm.rip(0);
    EXPECT_EQ(vm.wrmsr(0, lstar, elsewhere), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    EXPECT_EQ(vm.rip(0), rip + 2) << "the instruction is done";
    auto const r = one_record(0, HV_RECORD_MSR_KEPT);
    EXPECT_EQ(r.rule, 7u);
    EXPECT_EQ(r.address, lstar);
    EXPECT_EQ(r.value, elsewhere);
    ASSERT_EQ(vm.rdmsr(0, lstar), outcome::resumed);
    EXPECT_EQ(vm.gpr(0).rax | vm.gpr(0).rdx << 32, before);
    expect_no_record(0);
}

TEST_P(keeping, a_table_is_loaded_and_taken_back) {
    load({table_rule(4, HV_TABLE_GDT, HV_TABLE_IDT, keep)});
    for (unsigned const which : {HV_TABLE_GDT, HV_TABLE_IDT}) {
        auto const before = vm.table(0, which);
        auto const rip = vm.rip(0);
        EXPECT_EQ(vm.load_table(0, which, {0x7f, 0xffffc90000123000}), outcome::resumed);
        EXPECT_EQ(vm.delivered(0), std::nullopt);
        EXPECT_TRUE(vm.table(0, which) == before);
        EXPECT_EQ(vm.rip(0), rip + 3);
        EXPECT_EQ(one_record(0, HV_RECORD_DTR_KEPT).address, which);
    }
}

TEST_P(keeping, bits_of_xcr0_stay) {
    auto const now = vm.hw(0).xcr0;
    load({xcr_rule(4, 2, keep)});
    vm.gpr(0).rax = 1;
    vm.gpr(0).rdx = vm.gpr(0).rcx = 0;
    EXPECT_EQ(vm.execute(0, xsetbv_instruction), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    EXPECT_EQ(vm.hw(0).xcr0, 1u | (now & 2));
    auto const r = one_record(0, HV_RECORD_XCR_KEPT);
    EXPECT_EQ(r.value, 1u);
    EXPECT_EQ(r.old_value, now);
}

// SSE must not be without x87, nor AVX without SSE.
TEST_P(keeping, a_value_of_xcr0_that_no_cpu_takes_faults) {
    auto const now = vm.hw(0).xcr0;
    ASSERT_EQ(now & 6, 6u) << "AVX is on";
    load({xcr_rule(4, 4, keep)});
    vm.gpr(0).rax = 1;
    vm.gpr(0).rdx = vm.gpr(0).rcx = 0;
    EXPECT_EQ(vm.execute(0, xsetbv_instruction), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), general_protection);
    EXPECT_EQ(vm.hw(0).xcr0, now);
}

TEST(keeping_vmx, lmsw_and_clts_too) {
    hoisted vm;
    ASSERT_EQ(vm.load({cr_rule(9, 0, 8, keep)}), 0);    // TS
    auto const before = vm.seen(0, 0);
    ASSERT_EQ(before & 8, 0u);
    // LMSW of 0xb: TS and MP, PE; executed again it sets MP, which is set.
    EXPECT_EQ(vm.exit(0, {.reason = 28, .qualification = 3u << 4 | 0x000bull << 16}),
              outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    EXPECT_TRUE(vm.steps(0));
    EXPECT_EQ(vm.end_step(0), outcome::resumed);
    EXPECT_EQ(vm.seen(0, 0) & 8, 0u);
    EXPECT_FALSE(vm.steps(0));
}

// The shoot-down of another CPU meets the step: the instruction still gets through.
TEST(keeping_vmx, a_shoot_down_in_the_middle_changes_nothing) {
    hoisted vm;
    ASSERT_EQ(vm.load({cr_rule(5, 4, smep, keep)}), 0);
    auto const before = vm.seen(0, 4);
    vm.gpr(0).rbx = before & ~smep;
    EXPECT_EQ(vm.exit(0, {.reason = 28, .qualification = 4 | 3u << 8}), outcome::resumed);
    ASSERT_TRUE(vm.steps(0));
    EXPECT_EQ(vm.load({cr_rule(5, 4, smep, keep), msr_rule(2, 1, 1)}, 2, 1), 0);
    EXPECT_EQ(vm.move_to_cr(0, 4, before & ~smep), outcome::resumed);
    EXPECT_EQ(vm.seen(0, 4), before);
    EXPECT_NE(vm.v(0)[field::cr4] & smep, 0u);
}
