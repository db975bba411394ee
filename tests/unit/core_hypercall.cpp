// SPDX-License-Identifier: MIT
// VMCALL and VMMCALL: who may call, with what, and what comes back.
#include "core_hoist.hpp"
#include <random>

using namespace fake;

namespace {

class hypercall : public hoist_both {
protected:
    void SetUp() override { forget_records(); }
    std::int64_t raw(std::uint64_t number, std::uint64_t handle, std::uint64_t a = 0,
                     std::uint64_t b = 0) {
        auto& r = vm.gpr(0);
        r.rax = number;
        r.rdi = handle;
        r.rsi = a;
        r.rdx = b;
        EXPECT_EQ(vm.hypercall(0), outcome::resumed);
        return static_cast<std::int64_t>(r.rax);
    }
};

constexpr std::int64_t ebadf = -9, einval = -22, enosys = -38, eio = -5;

}    // namespace

INSTANTIATE_TEST_SUITE_P(on, hypercall, both_backends(), backend_name);

TEST_P(hypercall, nop_needs_no_handle_and_costs_no_record) {
    auto const rip = vm.rip(0);
    EXPECT_EQ(raw(HV_CALL_NOP, 0), 0);
    EXPECT_EQ(vm.rip(0), rip + 3);
    EXPECT_EQ(vm.shared(0).counter[on_svm() ? 0x21 : 18], 1u);
    expect_no_record(0);
}

TEST_P(hypercall, ring_3_meets_an_invalid_opcode) {
    vm.enter_ring_3(0);
    auto const rip = vm.rip(0);
    for (std::uint64_t const number : {0ull, 1ull, 7ull, 1000ull}) {
        raw(number, board::secret);
        EXPECT_EQ(vm.delivered(0), invalid_opcode);
        EXPECT_EQ(vm.rip(0), rip);
        EXPECT_EQ(one_record(0, HV_RECORD_CALL_DENIED).address, number);
    }
    EXPECT_FALSE(vm.locked());
}

TEST_P(hypercall, unknown_numbers_are_told_as_such) {
    for (std::uint64_t const number : {0ull + HV_CALL_COUNT, 1ull << 32, ~0ull, 1ull << 63}) {
        EXPECT_EQ(raw(number, board::secret), enosys);
        EXPECT_EQ(raw(number, 0), enosys);
        EXPECT_EQ(vm.delivered(0), std::nullopt);
    }
    expect_no_record(0);
}

TEST_P(hypercall, a_wrong_handle_is_refused_and_recorded) {
    for (std::uint64_t number = HV_CALL_UNHOIST; number < HV_CALL_COUNT; ++number)
        for (std::uint64_t const handle : {std::uint64_t{0}, board::secret + 1, ~board::secret}) {
            EXPECT_EQ(raw(number, handle), ebadf);
            auto const r = one_record(0, HV_RECORD_CALL_DENIED);
            EXPECT_EQ(r.address, number);
            EXPECT_EQ(r.rip + 3, vm.rip(0));
        }
    EXPECT_FALSE(vm.locked());
    EXPECT_EQ(vm.shared(0).launched, 1u);
}

TEST_P(hypercall, keeps_all_other_registers) {
    auto& r = vm.gpr(0);
    for (unsigned i = 0; i < 16; ++i)
        if (i != 4) *r.numbered(i) = 0x1000 + i;
    raw(HV_CALL_POLICY_LOCK, board::secret, 1, 2);
    for (unsigned i = 0; i < 16; ++i) {
        if (i == 0 || i == 2 || i == 4 || i == 6 || i == 7) continue;
        EXPECT_EQ(*r.numbered(i), 0x1000u + i);
    }
    EXPECT_EQ(r.rdx, 2u);
    EXPECT_EQ(r.rdi, board::secret);
    EXPECT_EQ(r.rsi, 1u);
}

TEST_P(hypercall, audit_finds_the_tables_clean) {
    EXPECT_EQ(raw(HV_CALL_AUDIT, board::secret), 0);
    auto const& a = vm.mailbox<hv_audit>();
    EXPECT_EQ(a.version, HV_ABI_VERSION);
    EXPECT_EQ(a.size, sizeof(hv_audit));
    EXPECT_EQ(a.findings, 0u);
    EXPECT_EQ(a.core_frames, vm.machine.core_pages());
    EXPECT_GT(a.leaves_4k, a.core_frames);
    EXPECT_EQ(a.pool_total, hv::spare_tables);
    EXPECT_EQ(a.pool_total - a.pool_free, a.tables + (on_svm() ? 2 : 1) + hv::io_map::pages)
        << "and the maps of MSRs and ports";
}

TEST_P(hypercall, audit_tells_of_a_leaf_into_the_core) {
    auto const at = vm.machine.hpa_of_page(5).raw;
    vm.plant_leaf(at, vm.machine.hpa_of_page(20));
    EXPECT_EQ(raw(HV_CALL_AUDIT, board::secret), eio);
    auto const& a = vm.mailbox<hv_audit>();
    EXPECT_EQ(a.first_finding, at);
    EXPECT_EQ(a.finding_kind, std::uint64_t{HV_FINDING_CORE_FRAME});
}

TEST_P(hypercall, lock_is_recorded_once) {
    EXPECT_EQ(raw(HV_CALL_POLICY_LOCK, board::secret), 0);
    one_record(0, HV_RECORD_POLICY_LOCKED);
    EXPECT_EQ(raw(HV_CALL_POLICY_LOCK, board::secret), 0);
    expect_no_record(0);
}

TEST_P(hypercall, records_are_released_by_any_cpu) {
    for (unsigned i = 0; i < 3; ++i) vm.unexpected(1);
    auto const head = vm.shared(1).head;
    EXPECT_EQ(vm.shared(1).tail + 3, head);
    EXPECT_EQ(raw(HV_CALL_RECORDS_RELEASE, board::secret, 1, head + 1), einval);
    EXPECT_EQ(raw(HV_CALL_RECORDS_RELEASE, board::secret, 1, head), 0);
    EXPECT_EQ(vm.shared(1).tail, head);
    EXPECT_EQ(raw(HV_CALL_RECORDS_RELEASE, board::secret, 1, head - 1), einval) << "backwards";
    EXPECT_EQ(raw(HV_CALL_RECORDS_RELEASE, board::secret, 2, 0), einval);
    EXPECT_EQ(raw(HV_CALL_RECORDS_RELEASE, board::secret, 1ull << 40, 0), einval);
}

TEST_P(hypercall, a_full_ring_counts_what_it_drops) {
    auto const room = HV_RING_RECORDS - (vm.shared(0).head - vm.shared(0).tail);
    for (std::uint64_t i = 0; i < room + 7; ++i) vm.unexpected(0);
    EXPECT_EQ(vm.shared(0).dropped, 7u);
    auto const head = vm.shared(0).head;
    EXPECT_EQ(head - vm.shared(0).tail, HV_RING_RECORDS);
    EXPECT_EQ(raw(HV_CALL_RECORDS_RELEASE, board::secret, 0, head - 10), 0);
    vm.unexpected(0);
    EXPECT_EQ(vm.shared(0).head, head + 1);
    EXPECT_EQ(vm.shared(0).dropped, 7u);
}

TEST_P(hypercall, the_shared_counters_are_not_believed) {
    // The root VM cannot write them, but if it could: the core keeps its own.
    vm.shared(0).head = 0;
    vm.shared(0).tail = 1ull << 60;
    vm.unexpected(0);
    EXPECT_EQ(vm.shared(0).head, 2u);
    EXPECT_EQ(raw(HV_CALL_RECORDS_RELEASE, board::secret, 0, 1ull << 59), einval);
}

TEST_P(hypercall, test_hooks_answer) {
    EXPECT_EQ(raw(HV_CALL_TEST, board::secret, HV_TEST_GENERAL_PROTECTION), eio);
    EXPECT_EQ(raw(HV_CALL_TEST, board::secret, HV_TEST_SPIN, 1000), 0);
    EXPECT_EQ(raw(HV_CALL_TEST, board::secret, 99), einval);
}

TEST_P(hypercall, thousands_at_random_harm_nothing) {
    std::mt19937_64 random{20240607};
    auto odd = [&]() -> std::uint64_t {
        auto const n = random();
        switch (n % 8) {
        case 0:  return n >> 8 & 15;
        case 1:  return vm.machine.hpa_of_page(n % vm.machine.core_pages()).raw;
        case 2:  return (n >> 8) << 12;
        case 3:  return (n >> 8 & 0x3ffff) << 12;
        case 4:  return ~0ull - (n >> 8 & 0xfff);
        case 5:  return n >> 40;
        case 6:  return 0xffffffff80000000 | (n & 0xffffffff);
        default: return n;
        }
    };
    for (unsigned i = 0; i < 6000; ++i) {
        auto const number = random() % (HV_CALL_COUNT + 2);
        // Not with the right handle: those that end the hoist, lock it, or break the core.
        bool const ends = number == HV_CALL_UNHOIST || number == HV_CALL_POLICY_LOCK ||
                          number == HV_CALL_TEST;
        for (unsigned k = 0; k < 8; ++k) (&vm.mailbox<std::uint64_t>())[k] = odd();
        raw(number, ends || random() % 16 == 0 ? odd() : board::secret, odd(), odd());
        if (i % 1000 == 0) {
            ASSERT_EQ(vm.findings(), 0u);
        }
    }
    EXPECT_EQ(vm.findings(), 0u);
}
