// SPDX-License-Identifier: MIT
// CR0 and CR4 of the root VM: VMX hidden, and the bits that rules hold.
#include "core_hoist.hpp"

using namespace fake;

namespace {

constexpr std::uint64_t pe = 1, ts = 8, ne = 32, wp = 1 << 16, nw = 1 << 29, cd = 1 << 30,
                        pg = 1u << 31;
constexpr std::uint64_t vmxe = 1 << 13, umip = 1 << 11, smep = 1 << 20, smap = 1 << 21,
                        pcide = 1 << 17;

class control_register : public hoist {
protected:
    void SetUp() override { forget_records(); }
    void expect_taken(unsigned number, std::uint64_t value, std::uint32_t n = 0) {
        EXPECT_EQ(vm.move_to_cr(n, number, value), outcome::resumed);
        EXPECT_EQ(vm.delivered(n), std::nullopt);
        EXPECT_EQ(vm.seen(n, number), value);
    }
    void expect_fault(unsigned number, std::uint64_t value, std::uint32_t n = 0) {
        auto const before = vm.seen(n, number);
        EXPECT_EQ(vm.move_to_cr(n, number, value), outcome::resumed);
        EXPECT_EQ(vm.delivered(n), general_protection) << std::hex << value;
        EXPECT_EQ(vm.seen(n, number), before);
    }
    void expect_denied(unsigned number, std::uint64_t value, std::uint32_t rule,
                       std::uint32_t n = 0) {
        forget_records();
        auto const before = vm.seen(n, number);
        expect_fault(number, value, n);
        auto const r = one_record(n, HV_RECORD_CR_DENIED);
        EXPECT_EQ(r.rule, rule);
        EXPECT_EQ(r.address, number);
        EXPECT_EQ(r.value, value);
        EXPECT_EQ(r.old_value, before);
    }
    std::uint64_t cr0() { return vm.seen(0, 0); }
    std::uint64_t cr4() { return vm.seen(0, 4); }
};

}    // namespace

TEST_F(control_register, looks_as_before_the_hoist) {
    EXPECT_EQ(cr0(), 0x80050033u);
    EXPECT_EQ(cr4(), 0x3706b0u) << "no VMXE";
    EXPECT_NE(vm.v(0)[field::cr4] & vmxe, 0u);
}

TEST_F(control_register, has_no_vmxe) {
    expect_fault(4, cr4() | vmxe);
    expect_no_record(0);
    expect_taken(4, cr4() & ~smep);
}

TEST_F(control_register, writes_without_a_kept_bit_do_not_exit) {
    auto const exits = vm.shared(0).counter[28];
    expect_taken(0, cr0() | ts);
    expect_taken(0, cr0() & ~ts);
    expect_taken(4, cr4() & ~(smap | umip));
    EXPECT_EQ(vm.shared(0).counter[28], exits);
}

TEST_F(control_register, ne_is_what_the_root_vm_wrote_and_set_in_the_cpu) {
    expect_taken(0, cr0() & ~ne);
    EXPECT_NE(vm.v(0)[field::cr0] & ne, 0u);
    expect_taken(0, cr0() | ne);
}

TEST_F(control_register, caches_stay_coherent) {
    expect_taken(0, cr0() | cd);    // Linux does so while it writes MTRRs
    expect_taken(0, cr0() | nw | cd);
    EXPECT_EQ(vm.v(0)[field::cr0] & nw, 0u) << "never in the CPU";
    expect_taken(0, cr0() & ~(nw | cd));
    expect_fault(0, cr0() | nw);    // NW without CD
}

TEST_F(control_register, a_rule_keeps_smep_on_every_cpu) {
    ASSERT_EQ(vm.load({cr_rule(5, 4, smep | smap)}), 0);
    for (std::uint32_t const n : {0u, 1u}) {
        expect_denied(4, cr4() & ~smep, 5, n);
        expect_denied(4, cr4() & ~smap, 5, n);
        expect_denied(4, cr4() & ~(smep | smap | umip), 5, n);
    }
    expect_taken(4, cr4() & ~pcide);    // another bit
    EXPECT_EQ(vm.load({}), 0);
    expect_taken(4, cr4() & ~smep);
    EXPECT_EQ(vm.v(0)[field::cr4] & smep, 0u);
}

TEST_F(control_register, a_rule_only_stops_what_leads_away_from_the_value_it_met) {
    expect_taken(4, cr4() & ~smep);
    ASSERT_EQ(vm.load({cr_rule(5, 4, smep)}), 0);
    expect_denied(4, cr4() | smep, 5);    // it was clear when the rule came
}

TEST_F(control_register, log_lets_it_happen) {
    ASSERT_EQ(vm.load({cr_rule(6, 4, smep, HV_ACTION_LOG)}), 0);
    forget_records();
    auto const before = cr4();
    expect_taken(4, before & ~smep);
    EXPECT_EQ(vm.v(0)[field::cr4] & smep, 0u) << "in the CPU too";
    auto const r = one_record(0, HV_RECORD_CR_LOGGED);
    EXPECT_EQ(r.rule, 6u);
    EXPECT_EQ(r.value, before & ~smep);
    EXPECT_EQ(r.old_value, before);
    expect_taken(4, before);
    EXPECT_NE(vm.v(0)[field::cr4] & smep, 0u);
}

TEST_F(control_register, deny_wins_over_log) {
    ASSERT_EQ(vm.load({cr_rule(1, 4, smep, HV_ACTION_LOG), cr_rule(2, 4, smep | smap)}), 0);
    expect_denied(4, cr4() & ~smep, 2);
}

TEST_F(control_register, a_rule_on_wp_stops_lmsw_and_mov_alike) {
    ASSERT_EQ(vm.load({cr_rule(9, 0, wp | ts)}), 0);
    expect_denied(0, cr0() & ~wp, 9);
    // LMSW: TS is clear now, its operand sets it.
    forget_records();
    EXPECT_EQ(vm.exit(0, {.reason = 28, .qualification = 3u << 4 | 0x000bull << 16}),
              outcome::resumed);
    EXPECT_EQ(vm.delivered(0), general_protection);
    auto const r = one_record(0, HV_RECORD_CR_DENIED);
    EXPECT_EQ(r.value, (cr0() & ~0xfull) | 0xb);
}

TEST_F(control_register, lmsw_cannot_clear_pe) {
    ASSERT_EQ(vm.load({cr_rule(9, 0, ts, HV_ACTION_LOG)}), 0);
    forget_records();
    auto const before = cr0();
    EXPECT_EQ(vm.exit(0, {.reason = 28, .qualification = 3u << 4 | 0x0008ull << 16}),
              outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    EXPECT_EQ(one_record(0, HV_RECORD_CR_LOGGED).value, (before & ~0xfull) | ts | pe);
}

TEST_F(control_register, a_rule_stops_clts) {
    expect_taken(0, cr0() | ts);
    ASSERT_EQ(vm.load({cr_rule(9, 0, ts)}), 0);
    forget_records();
    EXPECT_EQ(vm.exit(0, {.reason = 28, .qualification = 2u << 4}), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), general_protection);
    EXPECT_EQ(one_record(0, HV_RECORD_CR_DENIED).value, cr0() & ~ts);
    EXPECT_NE(cr0() & ts, 0u);
}

TEST_F(control_register, the_source_can_be_any_register) {
    ASSERT_EQ(vm.load({cr_rule(9, 4, smep)}), 0);
    auto const wanted = cr4() & ~smep;
    for (std::uint32_t source = 0; source < 16; ++source) {
        vm.gpr(0) = {};
        if (source == 4)
            vm.v(0).set(field::rsp, wanted);
        else
            *vm.gpr(0).numbered(source) = wanted;
        forget_records();
        vm.exit(0, {.reason = 28, .qualification = 4 | source << 8});
        EXPECT_EQ(one_record(0, HV_RECORD_CR_DENIED).value, wanted) << "register " << source;
    }
}

TEST_F(control_register, no_other_control_register_is_expected) {
    for (std::uint64_t const q : {3ull, 8ull, 3ull | 1 << 4, 8ull | 1 << 4, 2ull}) {
        EXPECT_EQ(vm.exit(0, {.reason = 28, .qualification = q}), outcome::resumed);
        EXPECT_EQ(vm.delivered(0), general_protection);
        one_record(0, HV_RECORD_UNEXPECTED_EXIT);
    }
}

// A rule may name any bit. What it lets through must still be what a CPU takes: each of these was
// once written to the VMCS as it came, and the next entry failed.
TEST_F(control_register, a_logged_write_faults_where_the_cpus_does) {
    ASSERT_EQ(vm.load({cr_rule(1, 0, 0xffffffff, HV_ACTION_LOG),
                       cr_rule(2, 4, 0xffffffff & ~vmxe, HV_ACTION_LOG)}),
              0);
    expect_fault(4, cr4() | 1u << 31);
    expect_fault(4, cr4() | 1u << 23);
    expect_fault(4, cr4() & ~0x20ull);    // PAE in IA-32e mode
    expect_fault(0, cr0() & ~pe);         // PG without PE
    expect_fault(0, cr0() & ~pg);         // in 64-bit code
    expect_taken(0, cr0() & ~wp);
    expect_taken(4, cr4() & ~smep);
}
