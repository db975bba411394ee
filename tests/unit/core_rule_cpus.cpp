// SPDX-License-Identifier: MIT
// Rules that name CPUs: in force there, and on no other.
#include "core_hoist.hpp"

using namespace fake;

namespace {

constexpr std::uint64_t smep = 1 << 20, smap = 1 << 21;
constexpr std::uint32_t lstar = 0xc0000082;
constexpr std::uint64_t elsewhere = 0xffffffff81002000;

class rules_of_cpus : public hoist_both {
protected:
    void load(std::vector<hv_rule> const& rules) {
        ASSERT_EQ(vm.load(rules), 0);
        forget_records();
    }
    void expect(std::uint32_t n, std::optional<std::uint64_t> fault, std::uint32_t rule) {
        EXPECT_EQ(vm.delivered(n), fault) << "CPU " << n;
        auto const all = vm.records(n);
        EXPECT_EQ(all.size(), rule != 0 ? 1u : 0u);
        if (rule != 0 && !all.empty()) {
            EXPECT_EQ(all[0].rule, rule);
            EXPECT_EQ(all[0].cpu, first_cpu_id + n);
        }
    }
};

}    // namespace

INSTANTIATE_TEST_SUITE_P(on, rules_of_cpus, both_backends(), backend_name);

TEST_P(rules_of_cpus, an_msr_is_denied_there_alone) {
    load({on_cpus(msr_rule(7, lstar, lstar), {1})});
    vm.wrmsr(0, lstar, elsewhere);
    expect(0, std::nullopt, 0);
    vm.wrmsr(1, lstar, elsewhere);
    expect(1, general_protection, 7);
}

TEST_P(rules_of_cpus, two_rules_on_one_object_each_have_their_own) {
    load({on_cpus(msr_rule(1, lstar, lstar, HV_ACTION_LOG), {0}),
          on_cpus(passing(msr_rule(2, 0xc0000080, lstar), 5, 6), {1}),
          on_cpus(cr_rule(3, 4, smep, HV_ACTION_LOG), {0}), on_cpus(cr_rule(4, 4, smep), {1})});
    vm.wrmsr(0, lstar, elsewhere);
    expect(0, std::nullopt, 1);
    vm.wrmsr(1, lstar, elsewhere);
    expect(1, general_protection, 2);
    vm.wrmsr(1, lstar, 5);
    expect(1, std::nullopt, 0);
    vm.move_to_cr(0, 4, vm.seen(0, 4) & ~smep);
    expect(0, std::nullopt, 3);
    vm.move_to_cr(1, 4, vm.seen(1, 4) & ~smep);
    expect(1, general_protection, 4);
}

TEST_P(rules_of_cpus, the_strictest_of_all_counts) {
    load({msr_rule(1, lstar, lstar, HV_ACTION_LOG), on_cpus(msr_rule(2, lstar, lstar), {1}),
          cr_rule(3, 4, smep, HV_ACTION_LOG), on_cpus(cr_rule(4, 4, smep | smap), {1})});
    vm.wrmsr(0, lstar, elsewhere);
    expect(0, std::nullopt, 1);
    vm.wrmsr(1, lstar, elsewhere);
    expect(1, general_protection, 2);
    vm.move_to_cr(0, 4, vm.seen(0, 4) & ~(smep | smap));
    expect(0, std::nullopt, 3);
    vm.move_to_cr(1, 4, vm.seen(1, 4) & ~smap);
    expect(1, general_protection, 4);
}

TEST_P(rules_of_cpus, tables_xcr0_ports_leaves_and_instructions_too) {
    auto const out = io_instruction(0x70, 1, false);
    auto const monitor = watched_instruction(HV_INSTRUCTION_MONITOR);
    load({on_cpus(table_rule(1, 0, 1), {1}), on_cpus(xcr_rule(2, 2), {1}),
          on_cpus(io_rule(3, 0x70, 0x71), {1}), on_cpus(cpuid_rule(4, 7, ~0ull, ~0ull), {1}),
          on_cpus(instruction_rule(5, 1u << HV_INSTRUCTION_MONITOR), {1})});
    for (std::uint32_t const n : {0u, 1u}) {
        auto const fault = n == 0 ? std::nullopt : std::optional{general_protection};
        vm.load_table(n, HV_TABLE_IDT, {0x7f, 0xffffc90000123000});
        expect(n, fault, n * 1);
        vm.gpr(n).rax = 1, vm.gpr(n).rdx = vm.gpr(n).rcx = 0;
        vm.execute(n, xsetbv_instruction);
        expect(n, fault, n * 2);
        vm.execute(n, out);
        expect(n, fault, n * 3);
        vm.gpr(n).rax = 7, vm.gpr(n).rcx = 0;
        vm.execute(n, cpuid_instruction);
        EXPECT_EQ(vm.gpr(n).rbx == 0, n == 1);
        expect(n, std::nullopt, n * 4);
        vm.execute(n, monitor);
        expect(n, n == 0 ? std::nullopt : std::optional{invalid_opcode}, n * 5);
    }
}

TEST_P(rules_of_cpus, beyond_those_that_can_be_named_only_rules_for_all_count) {
    for (std::uint32_t const n : {0u, 1u}) vm.shared(n).cpu_id += 64;
    auto every = cr_rule(1, 4, smep);
    every.cpus = ~0ull;
    load({every, cr_rule(2, 4, smap)});
    vm.move_to_cr(0, 4, vm.seen(0, 4) & ~smep);
    expect(0, std::nullopt, 0);
    vm.move_to_cr(0, 4, vm.seen(0, 4) & ~smap);
    EXPECT_EQ(vm.delivered(0), general_protection);
}
