// SPDX-License-Identifier: MIT
// Rules about ports, instructions, CPUID and XCR0: what each comes to, on both backends.
#include "core_hoist.hpp"

using namespace fake;

namespace {

constexpr auto deny = HV_ACTION_DENY, log = HV_ACTION_LOG;

class watched : public hoist_both {
protected:
    void load(std::vector<hv_rule> const& rules) {
        ASSERT_EQ(vm.load(rules), 0);
        forget_records();
    }
    std::uint64_t exits(std::uint32_t n = 0) {
        std::uint64_t sum = 0;
        for (auto const each : vm.shared(n).counter) sum += each;
        return sum;
    }
    /// Executed by the root VM itself, and nothing of a step stays behind.
    void expect_done(instruction const& i, std::uint32_t n = 0) {
        auto const rip = vm.rip(n);
        EXPECT_EQ(vm.execute(n, i), outcome::resumed);
        EXPECT_EQ(vm.delivered(n), std::nullopt);
        EXPECT_GT(vm.rip(n), rip);
    }
    void expect_fault(instruction const& i, std::uint64_t event, std::uint32_t n = 0) {
        auto const rip = vm.rip(n);
        EXPECT_EQ(vm.execute(n, i), outcome::resumed);
        EXPECT_EQ(vm.delivered(n), event);
        EXPECT_EQ(vm.rip(n), rip);
    }
};

}    // namespace

INSTANTIATE_TEST_SUITE_P(on, watched, both_backends(), backend_name);

TEST_P(watched, nothing_exits_that_no_rule_names) {
    load({io_rule(1, 0x70, 0x71), instruction_rule(2, 0x7f), cpuid_rule(3, 7, 1, 0)});
    load({msr_rule(4, 0x10, 0x10)});
    auto const before = exits();
    expect_done(io_instruction(0x70, 1, false));
    for (std::uint32_t which = 0; which < HV_INSTRUCTION_COUNT; ++which)
        expect_done(watched_instruction(which));
    EXPECT_EQ(exits(), before);
    EXPECT_EQ(vm.exits_on(0, cpuid_instruction), !on_svm());
    EXPECT_EQ(vm.exits_on(0, xsetbv_instruction), !on_svm());
}

TEST_P(watched, ports_are_denied_on_every_cpu) {
    load({io_rule(5, 0x70, 0x71)});
    for (std::uint32_t const n : {0u, 1u}) {
        vm.gpr(n).rax = 0xffffffff12345678;
        expect_fault(io_instruction(0x70, 2, false), general_protection, n);
        auto const r = one_record(n, HV_RECORD_IO_DENIED);
        EXPECT_EQ(r.rule, 5u);
        EXPECT_EQ(r.address, 0x70u);
        EXPECT_EQ(r.value, 0x5678u);
        EXPECT_EQ(r.old_value, 2u);
        EXPECT_EQ(r.access, std::uint32_t(HV_ACCESS_WRITE));
        EXPECT_EQ(r.rip, vm.rip(n));
        EXPECT_EQ(r.reason, on_svm() ? 0x7bu : 30u);
        expect_fault(io_instruction(0x71, 1, true), general_protection, n);
        EXPECT_EQ(one_record(n, HV_RECORD_IO_DENIED).value, 0u);
        expect_fault(io_instruction(0x71, 1, true, true), general_protection, n);
        one_record(n, HV_RECORD_IO_DENIED);
    }
}

// An access of four bytes is to four ports.
TEST_P(watched, every_port_of_an_access_counts) {
    load({io_rule(5, 0xcff, 0xcff)});
    expect_fault(io_instruction(0xcfc, 4, false), general_protection);
    one_record(0, HV_RECORD_IO_DENIED);
    expect_done(io_instruction(0xcfc, 2, false));
    expect_done(io_instruction(0xd00, 4, false));
    expect_no_record(0);
    load({io_rule(5, 0xffff, 0xffff), io_rule(6, 0, 0)});
    expect_fault(io_instruction(0xffff, 1, false), general_protection);
    expect_fault(io_instruction(0, 1, false), general_protection);
    expect_done(io_instruction(0xfffe, 1, false));
}

TEST_P(watched, the_other_direction_passes_without_a_record) {
    load({io_rule(5, 0x70, 0x71, deny, HV_ACCESS_WRITE)});
    expect_done(io_instruction(0x71, 1, true));
    expect_no_record(0);
    expect_fault(io_instruction(0x70, 1, false), general_protection);
}

TEST_P(watched, a_logged_access_happens) {
    load({io_rule(5, 0x70, 0x71, log)});
    for (bool const string : {false, true}) {
        expect_done(io_instruction(0x70, 1, false, string));
        one_record(0, HV_RECORD_IO_LOGGED);
        EXPECT_TRUE(vm.exits_on(0, io_instruction(0x70, 1, false)));
    }
}

TEST_P(watched, of_two_rules_on_a_port_deny_wins) {
    load({io_rule(5, 0x60, 0x71, log), io_rule(6, 0x70, 0x70), io_rule(7, 0x71, 0x80, log)});
    expect_fault(io_instruction(0x70, 2, false), general_protection);
    EXPECT_EQ(one_record(0, HV_RECORD_IO_DENIED).rule, 6u);
}

TEST_P(watched, instructions_raise_what_their_cpu_would) {
    auto const known = on_svm() ? 0x7fu : 0x1ffu;
    load({instruction_rule(8, known)});
    for (std::uint32_t which = 0; known >> which != 0; ++which) {
        bool const undefined = which >= HV_INSTRUCTION_MONITOR;
        expect_fault(watched_instruction(which), undefined ? invalid_opcode : general_protection);
        auto const r = one_record(0, HV_RECORD_EXECUTION_DENIED);
        EXPECT_EQ(r.address, which);
        EXPECT_EQ(r.rule, 8u);
    }
}

TEST_P(watched, logged_instructions_happen) {
    auto const known = on_svm() ? 0x7fu : 0x1ffu;
    load({instruction_rule(8, known, log)});
    for (std::uint32_t which = 0; known >> which != 0; ++which) {
        expect_done(watched_instruction(which));
        EXPECT_EQ(one_record(0, HV_RECORD_EXECUTION_LOGGED).address, which);
        EXPECT_TRUE(vm.exits_on(0, watched_instruction(which)));
    }
}

TEST_P(watched, an_instruction_that_shares_a_control_passes) {
    load({instruction_rule(8, 1u << HV_INSTRUCTION_RDTSC)});
    expect_done(watched_instruction(HV_INSTRUCTION_RDTSCP));
    expect_no_record(0);
    expect_fault(watched_instruction(HV_INSTRUCTION_RDTSC), general_protection);
}

TEST_P(watched, what_the_cpus_cannot_exit_on_is_refused) {
    vm.set_exits(1u << HV_INSTRUCTION_WBINVD);
    EXPECT_EQ(vm.load({instruction_rule(1, 1u << HV_INSTRUCTION_WBINVD)}), 0);
    EXPECT_EQ(vm.load({instruction_rule(1, 1u << HV_INSTRUCTION_RDTSC)}), -22);
    EXPECT_EQ(vm.load({io_rule(1, 0, 0)}), -22);
    EXPECT_EQ(vm.load({table_rule(1, 0, 1)}), -22);
}

TEST_P(watched, svm_knows_no_random_numbers) {
    EXPECT_EQ(vm.load({instruction_rule(1, 1u << HV_INSTRUCTION_RDRAND)}), on_svm() ? -22 : 0);
    EXPECT_EQ(vm.load({instruction_rule(1, 1u << HV_INSTRUCTION_RDSEED)}), on_svm() ? -22 : 0);
}

TEST_P(watched, a_leaf_loses_the_bits_that_rules_hide) {
    auto const ask = [&](std::uint64_t leaf) {
        vm.gpr(0).rax = leaf;
        vm.gpr(0).rcx = 0;
        EXPECT_EQ(vm.execute(0, cpuid_instruction), outcome::resumed);
        EXPECT_EQ(vm.delivered(0), std::nullopt);
        return vm.gpr(0);
    };
    load({cpuid_rule(9, 0, 0, 0xffffffff00000000, log)});
    auto const all = ask(0);
    EXPECT_NE(all.rdx, 0u);
    EXPECT_EQ(one_record(0, HV_RECORD_CPUID_LOGGED).rule, 9u);
    load({cpuid_rule(9, 0, 0xffff00000000, 0), cpuid_rule(10, 0, 0, 0xff)});
    auto const less = ask(0);
    EXPECT_EQ(less.rax, all.rax);
    EXPECT_EQ(less.rbx, all.rbx & ~0xffffull);
    EXPECT_EQ(less.rcx, all.rcx & ~0xffull);
    EXPECT_EQ(less.rdx, all.rdx);
    EXPECT_EQ(vm.records(0).size(), 2u);
    ask(0x80000008);
    expect_no_record(0);
}

TEST_P(watched, bits_of_xcr0_stay) {
    auto const now = vm.hw(0).xcr0;
    auto const set = [&](std::uint64_t value) {
        vm.gpr(0).rax = value;
        vm.gpr(0).rdx = 0;
        vm.gpr(0).rcx = 0;
        return vm.execute(0, xsetbv_instruction);
    };
    load({xcr_rule(4, 2)});
    EXPECT_EQ(set(now), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt) << "nothing changes";
    expect_no_record(0);
    EXPECT_EQ(set(1), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), general_protection);
    auto const r = one_record(0, HV_RECORD_XCR_DENIED);
    EXPECT_EQ(r.value, 1u);
    EXPECT_EQ(r.old_value, now);
    EXPECT_EQ(vm.hw(0).xcr0, now);
    load({xcr_rule(4, 2, log)});
    EXPECT_EQ(set(1), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    EXPECT_EQ(vm.hw(0).xcr0, 1u);
    one_record(0, HV_RECORD_XCR_LOGGED);
}

TEST_P(watched, the_lock_holds_them) {
    std::vector<hv_rule> const rules{io_rule(1, 0x70, 0x71), xcr_rule(2, 2), cpuid_rule(3, 7, 1, 0),
                                     instruction_rule(4, 8)};
    load(rules);
    ASSERT_EQ(vm.call(0, HV_CALL_POLICY_LOCK), 0);
    for (std::size_t i = 0; i < rules.size(); ++i) {
        auto fewer = rules;
        fewer.erase(fewer.begin() + std::ptrdiff_t(i));
        EXPECT_EQ(vm.load(fewer), -1);
        auto other = rules;
        other[i].action = HV_ACTION_LOG;
        EXPECT_EQ(vm.load(other), -1);
        other = rules;
        other[i].mask ^= 0x10;
        EXPECT_LT(vm.load(other), 0);
    }
    auto more = rules;
    more.push_back(io_rule(5, 0x70, 0x70, log));
    EXPECT_EQ(vm.load(more), 0);
    expect_fault(io_instruction(0x70, 1, false), general_protection);
}

TEST(rule_set_of_leaves, visits_each_rule_about_one) {
    auto const set = std::make_unique<hv::policy::rule_set>();
    std::vector<hv_rule> const rules{cpuid_rule(1, 7, 1, 0), cpuid_rule(2, 7, 2, 0),
                                     cpuid_rule(3, 6, 4, 0), cpuid_rule(4, 8, 8, 0),
                                     io_rule(5, 0, 0xffff)};
    std::uint32_t culprit = 0;
    ASSERT_TRUE(set->load({rules.data(), rules.size()}, culprit));
    std::uint64_t seen = 0;
    auto const where = 7ull << 32 | 3;
    set->each_about(HV_RULE_CPUID, where, where, [&](hv_rule const& r) { seen |= r.mask; });
    EXPECT_EQ(seen, 3u);
}
