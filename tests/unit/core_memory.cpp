// SPDX-License-Identifier: MIT
// EPT violations of the root VM: the core's frames, memory rules, pages mapped on first use.
#include "core_hoist.hpp"

using namespace fake;

namespace {

constexpr std::uint32_t R = HV_ACCESS_READ, W = HV_ACCESS_WRITE, X = HV_ACCESS_EXECUTE;
constexpr std::uint64_t page = 0x1000, some = 0x1234000;    // a page of ordinary memory

class memory_exit : public hoist {
protected:
    void SetUp() override { forget_records(); }
    hv::rights rights(std::uint64_t at) {
        auto const leaf = vm.machine.machine().stage.translate(hv::gpa{at});
        return leaf ? leaf->allowed : hv::rights::none;
    }
    void expect_fault(std::uint64_t at, std::uint32_t access, std::uint16_t kind,
                      std::uint32_t rule, std::uint32_t n = 0) {
        auto const rip = vm.v(n)[field::rip];
        EXPECT_EQ(vm.touch(n, at, access), outcome::resumed);
        EXPECT_EQ(vm.delivered(n), general_protection);
        EXPECT_EQ(vm.v(n)[field::rip], rip);
        auto const r = one_record(n, kind);
        EXPECT_EQ(r.address, at);
        EXPECT_EQ(r.access, access);
        EXPECT_EQ(r.rule, rule);
        EXPECT_EQ(r.reason, 48u);
        EXPECT_EQ(r.rip, rip);
        EXPECT_EQ(r.value & 7, access);
    }
    void expect_retry(std::uint64_t at, std::uint32_t access, std::uint32_t n = 0) {
        auto const rip = vm.v(n)[field::rip];
        EXPECT_EQ(vm.touch(n, at, access), outcome::resumed);
        EXPECT_EQ(vm.delivered(n), std::nullopt);
        EXPECT_EQ(vm.v(n)[field::rip], rip);
    }
    bool timer_runs(std::uint32_t n) { return (vm.v(n)[field::pin] & 0x40) != 0; }
    outcome timer(std::uint32_t n) { return vm.exit(n, {.reason = 52}); }
};

}    // namespace

TEST_F(memory_exit, a_write_to_the_core_faults_and_leaves_a_record) {
    auto const& l = vm.machine.layout();
    for (auto const n :
         {std::uint64_t{0}, l.pool_first(), l.cpu_first(), l.tables_first(), l.zero_page() - 1}) {
        auto const at = vm.machine.hpa_of_page(n).raw + 0x123;
        expect_fault(at, W, HV_RECORD_CORE_WRITE, 0);
        expect_fault(at, R | W, HV_RECORD_CORE_WRITE, 0);
        expect_fault(at, X, HV_RECORD_CORE_EXECUTE, 0, 1);
    }
}

TEST_F(memory_exit, shared_pages_can_be_read_and_the_mailbox_written) {
    auto const& l = vm.machine.layout();
    auto const ring = vm.machine.hpa_of_page(l.shared_cpu_first()).raw;
    auto const mail = vm.machine.hpa_of_page(l.mailbox_first()).raw;
    auto const zero = vm.machine.hpa_of_page(l.zero_page()).raw;
    EXPECT_EQ(rights(ring), hv::rights::read);
    EXPECT_EQ(rights(zero), hv::rights::read);
    EXPECT_EQ(rights(mail), hv::read_write);
    expect_fault(ring, W, HV_RECORD_CORE_WRITE, 0);
    expect_fault(zero, W, HV_RECORD_CORE_WRITE, 0);
    expect_fault(mail, X, HV_RECORD_CORE_EXECUTE, 0);
}

TEST_F(memory_exit, memory_beyond_ram_is_mapped_on_first_use) {
    constexpr std::uint64_t mmio = 0x2000000000 + 0x5678;
    EXPECT_EQ(rights(mmio), hv::rights::none);
    expect_retry(mmio, R);
    EXPECT_EQ(rights(mmio), hv::all_rights);
    expect_no_record(0);
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_F(memory_exit, addresses_that_the_cpu_does_not_have_fault) {
    expect_fault(1ull << 40, R, HV_RECORD_UNEXPECTED_EXIT, 0);
    expect_fault(1ull << 47, W, HV_RECORD_UNEXPECTED_EXIT, 0);
}

TEST_F(memory_exit, without_a_table_left_the_access_faults) {
    auto& m = vm.machine.machine();
    while (m.pool.available() != 0) ASSERT_TRUE(m.pool.take());
    // 512 GiB further up nothing is there yet, and this takes no table but one of the third level.
    vm.hw(0).leaves[0x80000008ull << 32].eax = 0x3028;
    expect_retry(0x2000000000, R);
    auto const free = m.pool.available();
    EXPECT_EQ(free, 0u);
}

TEST_F(memory_exit, a_stale_translation_is_tried_again) {
    expect_retry(some, W);
    expect_retry(0xfee00000, R);
    expect_no_record(0);
}

TEST_F(memory_exit, a_deny_rule_faults_with_its_number) {
    ASSERT_EQ(
        vm.load({memory_rule(4, some, some + 2 * page - 1, HV_ACTION_DENY, W),
                 memory_rule(5, some + 8 * page, some + 9 * page - 1, HV_ACTION_DENY, W | X)}),
        0);
    forget_records();
    EXPECT_EQ(rights(some), hv::read_execute);
    EXPECT_EQ(rights(some - page), hv::all_rights);
    EXPECT_EQ(rights(some + 2 * page), hv::all_rights);
    EXPECT_EQ(rights(some + 8 * page), hv::rights::read);
    expect_fault(some, W, HV_RECORD_MEMORY_DENIED, 4);
    expect_fault(some + 2 * page - 1, R | W, HV_RECORD_MEMORY_DENIED, 4, 1);
    expect_fault(some + 8 * page, X, HV_RECORD_MEMORY_DENIED, 5);
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_F(memory_exit, a_rule_reaches_every_cpu_before_the_call_returns) {
    for (std::uint32_t const n : {0u, 1u}) vm.hw(n).steps.clear();
    ASSERT_EQ(vm.load({memory_rule(4, some, some + page - 1)}), 0);
    for (std::uint32_t const n : {0u, 1u}) EXPECT_EQ(vm.hw(n).count(op::invept), 1u);
    EXPECT_EQ(vm.hw(1).count(op::unblock_nmi), 1u);
    EXPECT_EQ(vm.core(1).base.synchronise_requested.load(), 0u);
    EXPECT_EQ(vm.delivered(1), std::nullopt) << "the NMI of the shoot-down is not Linux's";
}

TEST_F(memory_exit, a_logged_write_happens_and_the_page_closes_again) {
    ASSERT_EQ(vm.load({memory_rule(6, some, some + page - 1, HV_ACTION_LOG, W)}), 0);
    forget_records();
    expect_retry(some + 8, W);
    auto const r = one_record(0, HV_RECORD_MEMORY_LOGGED);
    EXPECT_EQ(r.rule, 6u);
    EXPECT_EQ(r.address, some + 8);
    EXPECT_EQ(rights(some), hv::all_rights);
    EXPECT_TRUE(timer_runs(0));
    EXPECT_GT(vm.v(0)[field::timer], 0u);
    EXPECT_EQ(timer(0), outcome::resumed);
    EXPECT_FALSE(timer_runs(0));
    EXPECT_EQ(rights(some), hv::read_execute);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    expect_no_record(0);
}

// The timer starts anew at each entry unless exits save it: a guest that exits often would keep the
// page open.
TEST_F(memory_exit, exits_do_not_make_the_time_slice_longer) {
    ASSERT_EQ(vm.load({memory_rule(6, some, some + page - 1, HV_ACTION_LOG, W)}), 0);
    expect_retry(some, W);
    EXPECT_NE(vm.v(0)[field::exit] & 1u << 22, 0u) << "VM exits save the timer";
    timer(0);
    EXPECT_EQ(vm.v(0)[field::exit] & 1u << 22, 0u);
}

TEST_F(memory_exit, an_open_page_is_closed_on_the_other_cpu_too) {
    ASSERT_EQ(vm.load({memory_rule(6, some, some + page - 1, HV_ACTION_LOG, W)}), 0);
    expect_retry(some, W);
    auto const before = vm.hw(1).count(op::invept);
    timer(0);
    EXPECT_EQ(vm.hw(1).count(op::invept), before + 1);
}

TEST_F(memory_exit, what_one_rule_denies_no_other_opens) {
    ASSERT_EQ(vm.load({memory_rule(1, some, some + page - 1, HV_ACTION_LOG, W),
                       memory_rule(2, some, some + page - 1, HV_ACTION_DENY, X)}),
              0);
    forget_records();
    expect_retry(some, W);
    EXPECT_EQ(rights(some), hv::read_write);
    forget_records();
    expect_fault(some, X, HV_RECORD_MEMORY_DENIED, 2);
}

TEST_F(memory_exit, more_open_pages_than_slots_close_the_others) {
    std::vector<hv_rule> rules{memory_rule(1, some, some + 20 * page - 1, HV_ACTION_LOG, W)};
    ASSERT_EQ(vm.load(rules), 0);
    auto opened = [&] {
        unsigned count = 0;
        for (std::uint64_t i = 0; i < 20; ++i) count += rights(some + i * page) == hv::all_rights;
        return count;
    };
    for (std::uint64_t i = 0; i < 8; ++i) expect_retry(some + i * page, W, i % 2 == 0 ? 0 : 1);
    EXPECT_EQ(opened(), 8u);
    expect_retry(some + 8 * page, W);
    EXPECT_EQ(opened(), 1u);
    timer(1);
    EXPECT_EQ(opened(), 1u) << "each CPU closes its own";
    timer(0);
    EXPECT_EQ(opened(), 0u);
}

TEST_F(memory_exit, a_new_policy_closes_what_is_open) {
    ASSERT_EQ(vm.load({memory_rule(1, some, some + page - 1, HV_ACTION_LOG, W)}), 0);
    expect_retry(some, W);
    ASSERT_EQ(vm.load({memory_rule(2, some, some + page - 1, HV_ACTION_DENY, W)}, 2, 1), 0);
    EXPECT_EQ(rights(some), hv::read_execute);
    timer(0);
    EXPECT_EQ(rights(some), hv::read_execute);
    forget_records();
    expect_fault(some, W, HV_RECORD_MEMORY_DENIED, 2);
}

TEST_F(memory_exit, init_closes_what_the_cpu_has_open) {
    ASSERT_EQ(vm.load({memory_rule(1, some, some + page - 1, HV_ACTION_LOG, W)}), 0);
    expect_retry(some, W, 1);
    vm.exit(1, {.reason = 3});
    EXPECT_EQ(rights(some), hv::read_execute);
    EXPECT_FALSE(timer_runs(1));
}

TEST_F(memory_exit, unhoisting_closes_what_the_cpu_has_open) {
    ASSERT_EQ(vm.load({memory_rule(1, some, some + page - 1, HV_ACTION_LOG, W)}), 0);
    expect_retry(some, W, 1);
    vm.call(1, HV_CALL_UNHOIST, 0xffffffffc0002000);
    EXPECT_EQ(rights(some), hv::read_execute) << "CPU 0 goes on under the rule";
}

// Changing MTRRs merges what has become alike; an open page may then be part of a large leaf, and
// closing it would need a table that nobody has.
TEST_F(memory_exit, an_open_page_survives_mtrr_writes_with_an_empty_pool) {
    ASSERT_EQ(vm.load({memory_rule(1, some, some + page - 1, HV_ACTION_LOG, W)}), 0);
    expect_retry(some, W);
    EXPECT_EQ(vm.wrmsr(0, 0x2ff, 0xc06), outcome::resumed);
    auto& m = vm.machine.machine();
    while (m.pool.available() != 0) ASSERT_TRUE(m.pool.take());
    EXPECT_EQ(timer(0), outcome::resumed);
    EXPECT_EQ(rights(some), hv::read_execute);
}

TEST_F(memory_exit, an_iret_that_is_tried_again_finds_nmis_blocked) {
    vm.v(0).set(field::interruptibility, 0);
    EXPECT_EQ(vm.exit(0, {.reason = 48,
                          .qualification = R | 0x180 | 1u << 12,
                          .guest_physical = 0x2000000000}),
              outcome::resumed);
    EXPECT_EQ(vm.v(0)[field::interruptibility], 8u);
    vm.v(0).set(field::interruptibility, 0);
    vm.exit(0, {.reason = 48, .qualification = R | 0x180, .guest_physical = 0x2000000000});
    EXPECT_EQ(vm.v(0)[field::interruptibility], 0u);
}

TEST_F(memory_exit, mtrrs_of_the_root_vm_reach_the_second_stage) {
    auto type = [&](std::uint64_t at) {
        return vm.machine.machine().stage.translate(hv::gpa{at})->type;
    };
    EXPECT_EQ(type(0x20000000), hv::memory_type::wb);
    vm.hw(1).steps.clear();
    EXPECT_EQ(vm.wrmsr(0, 0x202, 0x20000001), outcome::resumed);    // WC
    EXPECT_EQ(vm.wrmsr(0, 0x203, 0xffff000800), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    EXPECT_EQ(type(0x20000000), hv::memory_type::wc);
    EXPECT_EQ(type(0x20ffffff), hv::memory_type::wc);
    EXPECT_EQ(type(0x21000000), hv::memory_type::wb);
    EXPECT_EQ(vm.hw(0).msrs(0x203), 0xffff000800u);
    EXPECT_GE(vm.hw(1).count(op::invept), 1u) << "on the other CPU too";
    expect_no_record(0);
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_F(memory_exit, no_mtrr_can_make_the_core_uncached) {
    auto const at = vm.machine.hpa_of_page(0).raw;
    EXPECT_EQ(vm.wrmsr(0, 0x202, at & ~0xfffffull), outcome::resumed);
    forget_records();
    EXPECT_EQ(vm.wrmsr(0, 0x203, 0xfffff00800), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), general_protection);
    EXPECT_EQ(one_record(0, HV_RECORD_MTRR_DENIED).address, 0x203u);
    EXPECT_EQ(vm.hw(0).msrs(0x203), 0u);
    EXPECT_EQ(vm.wrmsr(0, 0x2ff, 0xc00), outcome::resumed);    // the default type
    EXPECT_EQ(vm.delivered(0), general_protection);
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_F(memory_exit, mtrrs_can_be_off_while_linux_changes_them) {
    EXPECT_EQ(vm.wrmsr(0, 0x2ff, 0x406), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    auto const at = vm.machine.hpa_of_page(0).raw;
    EXPECT_EQ(vm.wrmsr(0, 0x202, at & ~0xfffffull), outcome::resumed);
    EXPECT_EQ(vm.wrmsr(0, 0x203, 0xfffff00800), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), std::nullopt);
    EXPECT_EQ(vm.wrmsr(0, 0x2ff, 0xc06), outcome::resumed);
    EXPECT_EQ(vm.delivered(0), general_protection) << "not on again with an uncached core";
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_F(memory_exit, reserved_mtrr_values_fault) {
    for (auto const& [index, value] :
         std::initializer_list<std::pair<std::uint32_t, std::uint64_t>>{{0x202, 2},
                                                                        {0x250, 0x0606060606060603},
                                                                        {0x2ff, 0xc03},
                                                                        {0x203, 0xffff005800},
                                                                        {0x230, 0}}) {
        EXPECT_EQ(vm.wrmsr(0, index, value), outcome::resumed);
        EXPECT_EQ(vm.delivered(0), general_protection) << std::hex << index;
    }
    EXPECT_EQ(vm.findings(), 0u);
}
