// SPDX-License-Identifier: MIT
// Frames that the root VM gives to the core's pool, and gets back.
#include "core_hoist.hpp"

using namespace fake;

namespace {

constexpr std::uint64_t page = 0x1000, at = 0x2000000;
constexpr std::int64_t enoent = -2, ebusy = -16, einval = -22, enospc = -28, enomem = -12;

class donation : public hoist_both {
protected:
    void SetUp() override { forget_records(); }
    std::int64_t give(std::uint64_t first, std::uint64_t pages) {
        return vm.call(0, HV_CALL_DONATE, first, pages);
    }
    std::int64_t back(std::uint64_t first) { return vm.call(0, HV_CALL_RECLAIM, first); }
    std::optional<hv::translation> leaf(std::uint64_t a) { return vm.leaf(a); }
    void expect_refused(std::int64_t error, std::uint64_t first, std::uint64_t pages) {
        auto const total = pool().total();
        auto const free = pool().available();
        EXPECT_EQ(give(first, pages), error) << std::hex << first << " + " << pages;
        EXPECT_EQ(pool().total(), total);
        EXPECT_EQ(pool().available(), free);
        expect_no_record(0);
    }
    hv::page_pool& pool() { return vm.pool(); }
};

}    // namespace

INSTANTIATE_TEST_SUITE_P(on, donation, both_backends(), backend_name);

TEST_P(donation, leaves_the_root_vm_before_the_call_returns) {
    auto const flushes = vm.flushes(1);
    auto const total = pool().total();
    ASSERT_EQ(give(at, 16), 0);
    for (std::uint64_t i = 0; i < 16; ++i) {
        EXPECT_EQ(leaf(at + i * page)->to, vm.frames().zero_page());
        EXPECT_EQ(leaf(at + i * page)->allowed, hv::rights::read);
    }
    EXPECT_EQ(leaf(at - page)->allowed, hv::all_rights);
    EXPECT_EQ(leaf(at + 16 * page)->allowed, hv::all_rights);
    EXPECT_EQ(pool().total(), total + 16);
    EXPECT_EQ(vm.flushes(1), flushes + 1);
    auto const r = one_record(0, HV_RECORD_FRAMES_DONATED);
    EXPECT_EQ(r.address, at);
    EXPECT_EQ(r.value, 16u);
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_P(donation, comes_back_zeroed_and_whole) {
    ASSERT_EQ(give(at, 16), 0);
    auto const window = vm.frames().donation(hv::hpa{at}).value().at;
    auto* const words = reinterpret_cast<std::uint64_t*>(window.raw);
    EXPECT_TRUE(vm.machine.mapped(window));
    for (unsigned i = 0; i < 16 * 512; ++i) words[i] = 0x5ec7e7;
    forget_records();
    ASSERT_EQ(back(at), 0);
    for (unsigned i = 0; i < 16 * 512; ++i) ASSERT_EQ(words[i], 0u);
    EXPECT_FALSE(vm.machine.mapped(window));
    EXPECT_EQ(leaf(at)->to, hv::hpa{at});
    EXPECT_EQ(leaf(at)->allowed, hv::all_rights);
    EXPECT_EQ(leaf(at)->level, 2u) << "merged again";
    EXPECT_EQ(pool().total(), hv::spare_tables);
    one_record(0, HV_RECORD_FRAMES_RETURNED);
    EXPECT_EQ(vm.findings(), 0u);
    EXPECT_EQ(back(at), enoent);
}

TEST_P(donation, is_possible_whatever_guests_have_taken) {
    while (pool().available() != 40) ASSERT_TRUE(pool().take());
    auto const guest = vm.call(0, HV_CALL_VM_CREATE);
    ASSERT_GT(guest, 0);
    std::int64_t mapped = 0;
    for (std::uint64_t i = 1; mapped == 0; ++i) {
        mapped = vm.call(0, HV_CALL_VM_MAP, static_cast<std::uint64_t>(guest), i << 30, at / 2,
                         1 | std::uint64_t{HV_ACCESS_READ} << 56);
    }
    EXPECT_EQ(mapped, enomem);
    while (vm.call(0, HV_CALL_VM_CREATE) != enomem) {}
    EXPECT_EQ(give(at + 0x200000 - 4 * page, 8), 0) << "hiding takes two tables";
    EXPECT_GT(vm.call(0, HV_CALL_VM_CREATE), 0) << "the call goes on where it stopped";
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_P(donation, serves_as_tables_for_rules) {
    while (pool().available() != 2) ASSERT_TRUE(pool().take());
    hv_rule const rule = memory_rule(1, 0x10001000, 0x10001fff);
    ASSERT_EQ(give(at, 8), 0) << "hiding takes two tables";
    ASSERT_EQ(vm.load({rule, memory_rule(2, 0x18001000, 0x18001fff)}), 0);
    EXPECT_EQ(back(at), ebusy);
    EXPECT_EQ(leaf(at)->allowed, hv::rights::read);
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_P(donation, without_a_table_to_hide_it_is_refused) {
    while (pool().available() != 0) ASSERT_TRUE(pool().take());
    expect_refused(enomem, at, 1);
    EXPECT_EQ(leaf(at)->allowed, hv::all_rights);
    ASSERT_EQ(give(at & ~0x1fffffull, 512), enomem);
}

TEST_P(donation, of_what_is_not_ordinary_memory_is_refused) {
    expect_refused(einval, at + 1, 1);
    expect_refused(einval, at, 0);
    expect_refused(einval, at, 513);
    expect_refused(einval, at, ~0ull);
    expect_refused(einval, at, 1ull << 52);
    expect_refused(einval, ~0xfffull, 1);
    expect_refused(einval, 1ull << 40, 1);
    expect_refused(einval, (1ull << 40) - page, 2);
    expect_refused(einval, 0xa0000, 1);              // uncached
    expect_refused(einval, 0xc0000000 - page, 2);    // half of it
    expect_refused(einval, board::top_of_ram, 1);    // no RAM
    expect_refused(einval, board::top_of_ram - page, 2);
    expect_refused(einval, 0x2000000000, 1);
    auto const core = vm.machine.hpa_of_page(0).raw;
    expect_refused(einval, core, 1);
    expect_refused(einval, core - page, 2);
    expect_refused(einval, core - 511 * page, 512);
    auto const mail = vm.machine.hpa_of_page(vm.machine.layout().mailbox_first()).raw;
    expect_refused(einval, mail, 1);
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_P(donation, twice_is_refused) {
    ASSERT_EQ(give(at, 4), 0);
    forget_records();
    expect_refused(einval, at, 4);
    expect_refused(einval, at + 3 * page, 1);
    expect_refused(einval, at - page, 2);
    EXPECT_EQ(back(at + page), enoent);
    EXPECT_EQ(back(vm.machine.hpa_of_page(0).raw), enoent) << "what the loader gave stays";
}

TEST_P(donation, of_watched_memory_is_refused) {
    ASSERT_EQ(vm.load({memory_rule(1, at + 2 * page, at + 3 * page - 1)}), 0);
    forget_records();
    expect_refused(einval, at + 2 * page, 1);
    expect_refused(einval, at, 8);
    EXPECT_EQ(give(at, 2), 0);
}

TEST_P(donation, has_an_end_and_changes_nothing_then) {
    unsigned given = 0;
    std::int64_t error = 0;
    for (; given < 80 && error == 0; ++given) error = give(at + given * 2 * page, 1);
    EXPECT_EQ(error, enospc);
    EXPECT_EQ(given - 1, HV_MAX_CHUNKS - 3) << "the loader's three chunks, and one each";
    auto const last = at + (given - 1) * 2 * page;
    EXPECT_EQ(leaf(last)->allowed, hv::all_rights);
    EXPECT_EQ(leaf(last)->to, hv::hpa{last});
    EXPECT_EQ(vm.findings(), 0u);
    for (unsigned i = 0; i + 1 < given; ++i) ASSERT_EQ(back(at + i * 2 * page), 0);
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_P(donation, frees_its_window_when_it_goes_back) {
    for (unsigned round = 0; round < 2 * HV_SPARE_PAGES / 512; ++round) {
        ASSERT_EQ(give(at, 512), 0) << round;
        ASSERT_EQ(back(at), 0);
    }
    EXPECT_EQ(pool().total(), hv::spare_tables);
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_P(donation, uses_up_the_windows_of_the_core) {
    auto const most = HV_SPARE_PAGES / 512 - 1;    // one spare page is for the APIC
    for (unsigned i = 0; i < most; ++i) ASSERT_EQ(give(at + i * 0x200000, 512), 0) << i;
    EXPECT_EQ(give(at + most * 0x200000, 512), enospc);
    EXPECT_EQ(leaf(at + most * 0x200000)->allowed, hv::all_rights);
    EXPECT_EQ(give(at + most * 0x200000, 511), 0);
    EXPECT_EQ(give(at + (most + 1) * 0x200000, 1), enospc);
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_P(donation, beside_an_open_page_lets_it_close) {
    ASSERT_EQ(vm.load({memory_rule(1, at, at + page - 1, HV_ACTION_LOG)}), 0);
    ASSERT_EQ(give(at + 8 * page, 1), 0);
    vm.touch(0, at, HV_ACCESS_WRITE);
    ASSERT_EQ(back(at + 8 * page), 0);
    while (pool().available() != 0) ASSERT_TRUE(pool().take());
    EXPECT_EQ(vm.end_slice(0), outcome::resumed);
    EXPECT_EQ(leaf(at)->allowed, hv::read_execute);
}
