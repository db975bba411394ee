// SPDX-License-Identifier: MIT
// Second-stage violations of the root VM: the core's frames, memory rules, pages mapped on first
// use.
#include "core_hoist.hpp"

using namespace fake;

namespace {

constexpr std::uint32_t R = HV_ACCESS_READ, W = HV_ACCESS_WRITE, X = HV_ACCESS_EXECUTE;
constexpr std::uint64_t page = 0x1000, some = 0x1234000;    // a page of ordinary memory

class memory_exit : public hoist_both {
protected:
    void SetUp() override { forget_records(); }
    hv::rights rights(std::uint64_t at) {
        auto const leaf = vm.leaf(at);
        return leaf ? leaf->allowed : hv::rights::none;
    }
    void expect_fault(std::uint64_t at, std::uint32_t access, std::uint16_t kind,
                      std::uint32_t rule, std::uint32_t n = 0) {
        auto const rip = vm.rip(n);
        EXPECT_EQ(vm.touch(n, at, access), outcome::resumed);
        EXPECT_EQ(vm.delivered(n), general_protection);
        EXPECT_EQ(vm.rip(n), rip);
        auto const r = one_record(n, kind);
        EXPECT_EQ(r.address, at);
        EXPECT_EQ(r.access, told(access));
        EXPECT_EQ(r.rule, rule);
        EXPECT_EQ(r.reason, on_svm() ? 0x400u : 48u);
        EXPECT_EQ(r.rip, rip);
        if (!on_svm()) {
            EXPECT_EQ(r.value & 7, access);
        }
    }
    void expect_retry(std::uint64_t at, std::uint32_t access, std::uint32_t n = 0) {
        auto const rip = vm.rip(n);
        EXPECT_EQ(vm.touch(n, at, access), outcome::resumed);
        EXPECT_EQ(vm.delivered(n), std::nullopt);
        EXPECT_EQ(vm.rip(n), rip);
    }
    /// Of a read and write, a nested page fault tells the write.
    static std::uint32_t told(std::uint32_t access) {
        return on_svm() && access == (R | W) ? W : access;
    }
};

}    // namespace

INSTANTIATE_TEST_SUITE_P(on, memory_exit, both_backends(), backend_name);

TEST_P(memory_exit, a_write_to_the_core_faults_and_leaves_a_record) {
    auto const& l = vm.machine.layout();
    for (auto const n :
         {std::uint64_t{0}, l.pool_first(), l.cpu_first(), l.tables_first(), l.zero_page() - 1}) {
        auto const at = vm.machine.hpa_of_page(n).raw + 0x123;
        expect_fault(at, W, HV_RECORD_CORE_WRITE, 0);
        expect_fault(at, R | W, HV_RECORD_CORE_WRITE, 0);
        expect_fault(at, X, HV_RECORD_CORE_EXECUTE, 0, 1);
    }
}

TEST_P(memory_exit, shared_pages_can_be_read_and_the_mailbox_written) {
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

TEST_P(memory_exit, memory_beyond_ram_is_mapped_on_first_use) {
    constexpr std::uint64_t mmio = 0x2000000000 + 0x5678;
    EXPECT_EQ(rights(mmio), hv::rights::none);
    expect_retry(mmio, R);
    EXPECT_EQ(rights(mmio), hv::all_rights);
    expect_no_record(0);
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_P(memory_exit, addresses_that_the_cpu_does_not_have_fault) {
    expect_fault(1ull << 40, R, HV_RECORD_UNEXPECTED_EXIT, 0);
    expect_fault(1ull << 47, W, HV_RECORD_UNEXPECTED_EXIT, 0);
}

TEST_P(memory_exit, without_a_table_left_the_access_faults) {
    auto& pool = vm.pool();
    while (pool.available() != 0) ASSERT_TRUE(pool.take());
    // 512 GiB further up nothing is there yet, and this takes no table but one of the third level.
    vm.hw(0).leaves[0x80000008ull << 32].eax = 0x3028;
    expect_retry(0x2000000000, R);
    auto const free = pool.available();
    EXPECT_EQ(free, 0u);
}

TEST_P(memory_exit, a_stale_translation_is_tried_again) {
    expect_retry(some, W);
    expect_retry(0xfee00000, R);
    expect_no_record(0);
}

TEST_P(memory_exit, a_deny_rule_faults_with_its_number) {
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

TEST_P(memory_exit, what_is_closed_to_reading_is_out_of_reach) {
    ASSERT_EQ(vm.load({memory_rule(4, some, some + page - 1, HV_ACTION_DENY, R | W | X)}), 0);
    forget_records();
    EXPECT_EQ(vm.leaf(some)->allowed, hv::rights::none);
    for (auto const access : {R, W, X, R | W})
        expect_fault(some + 8, access, HV_RECORD_MEMORY_DENIED, 4, access == X ? 1 : 0);
    EXPECT_EQ(rights(some + page), hv::all_rights);
    EXPECT_EQ(vm.findings(), 0u);
    ASSERT_EQ(vm.load({memory_rule(4, some, some + page - 1, HV_ACTION_DENY, R | W | X),
                       memory_rule(5, some, some + 2 * page - 1, HV_ACTION_LOG, W)},
                      2, 1),
              0)
        << "a closed page is there, and can have other rules";
    ASSERT_EQ(vm.load({}, 3), 0);
    EXPECT_EQ(rights(some), hv::all_rights);
    expect_retry(some, R);
}

TEST_P(memory_exit, a_logged_read_happens_and_so_does_what_no_rule_names) {
    ASSERT_EQ(vm.load({memory_rule(4, some, some + page - 1, HV_ACTION_LOG, R)}), 0);
    forget_records();
    EXPECT_EQ(vm.leaf(some)->allowed, hv::rights::none);
    expect_retry(some, R);
    EXPECT_EQ(rights(some), hv::all_rights);
    EXPECT_EQ(one_record(0, HV_RECORD_MEMORY_LOGGED).access, R);
    vm.end_slice(0);
    EXPECT_EQ(vm.leaf(some)->allowed, hv::rights::none);
    forget_records();
    for (auto const access : {W, X}) {
        expect_retry(some, access, access == X ? 1 : 0);
        EXPECT_EQ(rights(some), hv::all_rights);
        expect_no_record(0);
        expect_no_record(1);
        ASSERT_EQ(vm.load({}, 2, 1), 0);
        ASSERT_EQ(vm.load({memory_rule(4, some, some + page - 1, HV_ACTION_LOG, R)}, 3, 1), 0);
        forget_records();
    }
}

TEST_P(memory_exit, a_rule_reaches_every_cpu_before_the_call_returns) {
    std::uint64_t const flushes[] = {vm.flushes(0), vm.flushes(1)};
    ASSERT_EQ(vm.load({memory_rule(4, some, some + page - 1)}), 0);
    for (std::uint32_t const n : {0u, 1u}) EXPECT_EQ(vm.flushes(n), flushes[n] + 1);
    EXPECT_EQ(vm.common(1).synchronise_requested.load(), 0u);
    EXPECT_EQ(vm.delivered(1), std::nullopt) << "the NMI of the shoot-down is not Linux's";
}

TEST_P(memory_exit, an_open_page_is_closed_on_the_other_cpu_too) {
    ASSERT_EQ(vm.load({memory_rule(6, some, some + page - 1, HV_ACTION_LOG, W)}), 0);
    expect_retry(some, W);
    auto const before = vm.flushes(1);
    vm.end_slice(0);
    EXPECT_EQ(vm.flushes(1), before + 1);
}

TEST_P(memory_exit, what_one_rule_denies_no_other_opens) {
    struct {
        std::uint32_t logged, denied;
        hv::rights open;
    } const pairs[] = {{W, X, hv::read_write}, {R, W, hv::read_execute}, {R, X, hv::read_write}};
    std::uint64_t generation = 0;
    for (auto const& each : pairs) {
        ASSERT_EQ(vm.load({memory_rule(1, some, some + page - 1, HV_ACTION_LOG, each.logged),
                           memory_rule(2, some, some + page - 1, HV_ACTION_DENY, each.denied)},
                          ++generation),
                  0);
        forget_records();
        expect_retry(some, each.logged);
        EXPECT_EQ(rights(some), each.open);
        forget_records();
        expect_fault(some, each.denied, HV_RECORD_MEMORY_DENIED, 2);
        vm.end_slice(0);
    }
}

TEST_P(memory_exit, more_open_pages_than_slots_close_the_others) {
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
    vm.end_slice(1);
    EXPECT_EQ(opened(), 1u) << "each CPU closes its own";
    vm.end_slice(0);
    EXPECT_EQ(opened(), 0u);
}

TEST_P(memory_exit, a_new_policy_closes_what_is_open) {
    ASSERT_EQ(vm.load({memory_rule(1, some, some + page - 1, HV_ACTION_LOG, W)}), 0);
    expect_retry(some, W);
    ASSERT_EQ(vm.load({memory_rule(2, some, some + page - 1, HV_ACTION_DENY, W)}, 2, 1), 0);
    EXPECT_EQ(rights(some), hv::read_execute);
    vm.end_slice(0);
    EXPECT_EQ(rights(some), hv::read_execute);
    forget_records();
    expect_fault(some, W, HV_RECORD_MEMORY_DENIED, 2);
}

TEST_P(memory_exit, unhoisting_closes_what_the_cpu_has_open) {
    ASSERT_EQ(vm.load({memory_rule(1, some, some + page - 1, HV_ACTION_LOG, W)}), 0);
    expect_retry(some, W, 1);
    vm.call(1, HV_CALL_UNHOIST, 0xffffffffc0002000, 0x3456000);
    EXPECT_EQ(rights(some), hv::read_execute) << "CPU 0 goes on under the rule";
}

// Changing MTRRs merges what has become alike; an open page may then be part of a large leaf, and
// closing it would need a table that nobody has.
TEST_P(memory_exit, an_open_page_survives_mtrr_writes_with_an_empty_pool) {
    ASSERT_EQ(vm.load({memory_rule(1, some, some + page - 1, HV_ACTION_LOG, W)}), 0);
    expect_retry(some, W);
    EXPECT_EQ(vm.wrmsr(0, 0x2ff, 0xc06), outcome::resumed);
    auto& pool = vm.pool();
    while (pool.available() != 0) ASSERT_TRUE(pool.take());
    EXPECT_EQ(vm.end_slice(0), outcome::resumed);
    EXPECT_EQ(rights(some), hv::read_execute);
}

TEST_P(memory_exit, no_mtrr_can_make_the_core_uncached) {
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

TEST_P(memory_exit, mtrrs_can_be_off_while_linux_changes_them) {
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

TEST_P(memory_exit, reserved_mtrr_values_fault) {
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
