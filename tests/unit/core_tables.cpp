// SPDX-License-Identifier: MIT
// Rules that hold GDTR, IDTR, LDTR and TR: what loading one comes to, on both backends.
#include "core_hoist.hpp"

using namespace fake;

namespace {

constexpr unsigned gdt = HV_TABLE_GDT, idt = HV_TABLE_IDT, ldt = HV_TABLE_LDT, tr = HV_TABLE_TR;
constexpr hv::table_register foreign{0x7f, 0xffffc90000123000};

class tables : public hoist_both {
protected:
    void hold(std::uint16_t action = HV_ACTION_DENY) {
        ASSERT_EQ(vm.load({table_rule(4, gdt, idt, action)}), 0);
        forget_records();
    }
    void expect_taken(unsigned which, hv::table_register to, std::uint32_t n = 0) {
        auto const rip = vm.rip(n);
        EXPECT_EQ(vm.load_table(n, which, to), outcome::resumed);
        EXPECT_EQ(vm.delivered(n), std::nullopt);
        EXPECT_TRUE(vm.table(n, which) == to);
        EXPECT_EQ(vm.rip(n), rip + 3);
    }
    void expect_denied(unsigned which, hv::table_register to, std::uint32_t n = 0) {
        auto const before = vm.table(n, which);
        auto const rip = vm.rip(n);
        EXPECT_EQ(vm.load_table(n, which, to), outcome::resumed);
        EXPECT_EQ(vm.delivered(n), general_protection);
        EXPECT_TRUE(vm.table(n, which) == before);
        EXPECT_EQ(vm.rip(n), rip) << "back in front of the instruction";
        auto const r = one_record(n, HV_RECORD_DTR_DENIED);
        EXPECT_EQ(r.rule, 4u);
        EXPECT_EQ(r.address, which);
        EXPECT_EQ(r.value, std::uint64_t{to.base});
        EXPECT_EQ(r.old_value, std::uint64_t{before.base});
        EXPECT_EQ(r.rip, rip);
        constexpr std::uint16_t codes[] = {0x6b, 0x6a, 0x6c, 0x6d};
        EXPECT_EQ(r.reason, on_svm() ? codes[which] : which < ldt ? 46 : 47);
    }
    std::uint64_t exits(std::uint32_t n) { return hv::exits_of(vm.shared(n)); }
};

}    // namespace

INSTANTIATE_TEST_SUITE_P(on, tables, both_backends(), backend_name);

TEST_P(tables, no_rule_no_exit) {
    auto const before = exits(0);
    expect_taken(gdt, foreign);
    expect_taken(idt, foreign);
    EXPECT_EQ(exits(0), before);
    ASSERT_EQ(vm.load({table_rule(1, gdt, idt)}), 0);
    ASSERT_EQ(vm.load({}), 0);
    auto const after = exits(0);
    expect_taken(gdt, vm.table(0, idt));
    EXPECT_EQ(exits(0), after);
}

TEST_P(tables, another_base_or_limit_is_denied_on_every_cpu) {
    hold();
    for (std::uint32_t const n : {0u, 1u})
        for (unsigned const which : {gdt, idt}) {
            expect_denied(which, foreign, n);
            auto other = vm.table(n, which);
            --other.limit;
            expect_denied(which, other, n);
            expect_denied(which, {vm.table(n, which).limit, foreign.base}, n);
        }
}

TEST_P(tables, ldtr_and_tr_stay_on_every_cpu) {
    ASSERT_EQ(vm.load({table_rule(4, ldt, tr)}), 0);
    forget_records();
    for (std::uint32_t const n : {0u, 1u})
        for (unsigned const which : {ldt, tr}) {
            expect_denied(which, {vm.table(n, which).limit, foreign.base}, n);
            expect_taken(which, vm.table(n, which), n);
        }
    expect_taken(gdt, foreign);
    expect_no_record(0);
}

TEST_P(tables, ldtr_is_kept) {
    ASSERT_EQ(vm.load({table_rule(4, ldt, ldt, HV_ACTION_KEEP)}), 0);
    forget_records();
    auto const before = vm.table(0, ldt);
    EXPECT_EQ(vm.load_table(0, ldt, {before.limit, foreign.base}), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    EXPECT_TRUE(vm.table(0, ldt) == before);
    one_record(0, HV_RECORD_DTR_KEPT);
}

TEST_P(tables, the_same_table_may_be_loaded_again) {
    hold();
    for (unsigned const which : {gdt, idt}) expect_taken(which, vm.table(0, which));
    expect_no_record(0);
}

TEST_P(tables, a_rule_is_about_its_own_table) {
    ASSERT_EQ(vm.load({table_rule(4, idt, idt)}), 0);
    forget_records();
    expect_taken(gdt, foreign);
    expect_denied(idt, foreign);
}

TEST_P(tables, log_lets_it_happen) {
    hold(HV_ACTION_LOG);
    auto const before = vm.table(0, idt);
    expect_taken(idt, foreign);
    auto const r = one_record(0, HV_RECORD_DTR_LOGGED);
    EXPECT_EQ(r.value, std::uint64_t{foreign.base});
    EXPECT_EQ(r.old_value, std::uint64_t{before.base});
}

// What a CPU has when the rule comes is what stays, however it came there.
TEST_P(tables, what_is_pinned_is_what_the_rule_met) {
    expect_taken(gdt, foreign);
    ASSERT_EQ(vm.load({table_rule(4, idt, idt)}), 0);
    expect_taken(gdt, {0x3f, foreign.base});
    ASSERT_EQ(vm.load({table_rule(4, gdt, idt)}), 0);
    forget_records();
    expect_denied(gdt, foreign);
    expect_taken(gdt, {0x3f, foreign.base});
}

TEST_P(tables, rules_that_come_later_do_not_pin_anew) {
    hold();
    ASSERT_EQ(vm.load({table_rule(4, gdt, idt), msr_rule(5, 0x10, 0x10)}), 0);
    forget_records();
    expect_denied(gdt, foreign);
}

TEST_P(tables, an_nmi_in_the_middle_changes_nothing) {
    hold();
    auto const before = vm.table(0, idt);
    // The exit alone: the instruction comes after it.
    if (on_svm())
        static_cast<hoisted_svm&>(vm).exit(0, {.code = 0x6a, .length = 3});
    else
        static_cast<hoisted&>(vm).exit(0, {.reason = 46, .length = 3});
    vm.load({table_rule(4, gdt, idt), msr_rule(5, 0x10, 0x10)}, 2, 1);
    forget_records();
    EXPECT_EQ(vm.load_table(0, idt, foreign), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), general_protection);
    EXPECT_TRUE(vm.table(0, idt) == before);
}

// INIT takes the tables away; the way back leads over others.
TEST(tables_vmx, a_cpu_that_comes_back_gets_to_its_tables) {
    hoisted vm;
    ASSERT_EQ(vm.load({table_rule(4, gdt, idt)}), 0);
    auto const pinned = vm.table(1, gdt);
    ASSERT_EQ(vm.exit(1, {.reason = 3}), outcome::resumed);
    EXPECT_TRUE(vm.table(1, gdt) == (hv::table_register{0xffff, 0}));
    ASSERT_EQ(vm.exit(1, {.reason = 4, .qualification = 0x9a}), outcome::resumed);
    vm.records(1);
    for (auto const to : {hv::table_register{0x1f, 0x9a200}, foreign, pinned}) {
        EXPECT_EQ(vm.load_table(1, gdt, to), outcome::resumed);
        EXPECT_EQ(vm.delivered(1), std::nullopt);
        EXPECT_TRUE(vm.table(1, gdt) == to);
    }
    EXPECT_TRUE(vm.records(1).empty());
    EXPECT_EQ(vm.load_table(1, gdt, foreign), outcome::resumed);
    EXPECT_TRUE(vm.delivered(1).has_value()) << "from there on nothing else";
    EXPECT_TRUE(vm.table(1, gdt) == pinned);
    for (auto const& problem : vm.problems) ADD_FAILURE() << problem;
}

// LIDT that faults: the fault is the root VM's, with its own flags.
TEST(tables_vmx, a_fault_in_a_step_is_the_root_vms_own) {
    hoisted vm;
    ASSERT_EQ(vm.load({table_rule(4, gdt, idt)}), 0);
    vm.v(0).set(field::rflags, 0x202);
    ASSERT_EQ(vm.exit(0, {.reason = 46, .length = 3}), outcome::resumed);
    EXPECT_TRUE(vm.steps(0));
    EXPECT_EQ(vm.v(0)[field::rflags] & 0x200, 0u) << "no interrupt comes first";
    ASSERT_EQ(vm.exit(0, {.reason = 0, .qualification = 0x1234, .event = 0x80000b0e}),
              outcome::resumed);
    EXPECT_EQ(vm.delivered(0).value_or(0) & 0xffffffff, 0x80000b0eu);
    EXPECT_EQ(vm.v(0)[field::rflags], 0x202u);
    EXPECT_EQ(vm.v(0)[field::exceptions], 0u);
    EXPECT_TRUE(vm.tables_exit(0));
    for (auto const& problem : vm.problems) ADD_FAILURE() << problem;
}

TEST(tables_vmx, a_step_in_a_shadow_and_with_the_root_vms_own_trap_flag) {
    hoisted vm;
    ASSERT_EQ(vm.load({table_rule(4, gdt, idt)}), 0);
    vm.v(0).set(field::rflags, 0x302);
    vm.v(0).set(field::interruptibility, 1);
    vm.v(0).set(field::pending_debug, 1u << 14);
    EXPECT_EQ(vm.load_table(0, gdt, vm.table(0, gdt)), outcome::resumed);
    EXPECT_EQ(vm.v(0)[field::rflags], 0x302u);
    EXPECT_EQ(vm.v(0)[field::pending_debug], 1u << 14) << "its trap is still due";
    EXPECT_EQ(vm.v(0)[field::interruptibility], 0u);
    for (auto const& problem : vm.problems) ADD_FAILURE() << problem;
}

TEST_P(tables, take_exits_that_not_every_cpu_has) {
    vm.set_exits(~(1u << 31));
    EXPECT_EQ(vm.load({table_rule(1, gdt, idt)}), -22);
}
