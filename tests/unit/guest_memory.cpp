// SPDX-License-Identifier: MIT
// What memory a guest VM may have, and that it has it no longer than that; objects and the pool.
#include "guest_vm.hpp"

using namespace fake;

namespace {

class guest_memory : public guest_both {
protected:
    std::uint64_t free_pages() { return vm.pool().available(); }
};

}    // namespace

INSTANTIATE_TEST_SUITE_P(on, guest_memory, both_backends(), backend_name);

TEST_P(guest_memory, is_never_the_cores_nor_anything_but_ram) {
    auto const free = free_pages();
    auto const core = board::first_hpa;
    EXPECT_EQ(map(0, core), eperm);
    EXPECT_EQ(map(0, core - page, 2), eperm);
    EXPECT_EQ(map(0, core & ~0x1fffffull, 512), eperm);
    EXPECT_EQ(map(0, area), eperm) << "an exchange area";
    EXPECT_EQ(map(0, 0xa0000), einval) << "uncached";
    EXPECT_EQ(map(0, board::top_of_ram), einval);
    EXPECT_EQ(map(0, board::top_of_ram - page, 2), einval);
    EXPECT_EQ(map(0, memory + 1), einval);
    EXPECT_EQ(map(1, memory), einval);
    EXPECT_EQ(map(0, memory, 0), einval);
    EXPECT_EQ(map(0, memory, 513), einval);
    EXPECT_EQ(map(1ull << 52, memory), einval);
    EXPECT_EQ(map(~0xfffull, memory, 2), einval);
    EXPECT_EQ(map(0, ~0xfffull, 2), einval);
    EXPECT_EQ(free_pages(), free);
    EXPECT_EQ(map(0, memory, 512), 0);
    EXPECT_EQ(map(0, memory + page), eexist) << "something else is there";
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_P(guest_memory, is_no_way_around_a_rule) {
    ASSERT_EQ(vm.load({memory_rule(1, memory, memory + page - 1)}), 0);
    EXPECT_EQ(map(0, memory), eperm);
    EXPECT_EQ(map(0, memory - page, 2), eperm);
    EXPECT_EQ(map(0, memory + page), 0);
    EXPECT_EQ(vm.load({memory_rule(1, memory + page, memory + 2 * page - 1)}, 2), ebusy);
    EXPECT_EQ(vm.call(0, HV_CALL_DONATE, memory, 4), einval) << "watched";
    EXPECT_EQ(vm.call(0, HV_CALL_DONATE, memory + page, 1), ebusy);
    EXPECT_EQ(vm.call(0, HV_CALL_SHARE, memory + page, 1), ebusy);
    EXPECT_EQ(unmap(0), 0);
    EXPECT_EQ(vm.call(0, HV_CALL_DONATE, memory + page, 1), 0);
}

TEST_P(guest_memory, is_gone_on_all_cpus_when_the_call_returns) {
    ASSERT_EQ(map(0, memory, 512), 0);
    enter();
    auto const flushes = vm.flushes(0);
    ASSERT_EQ(unmap(0x3000), 0);
    expect_exit(HV_GUEST_INTERRUPTED);
    EXPECT_GT(vm.flushes(0), flushes);
    ASSERT_EQ(unmap(0, 512), 0) << "what is not mapped stays so";
    ASSERT_EQ(unmap(1ull << 40), einval);
}

TEST_P(guest_memory, that_nothing_is_left_for_is_told_and_changes_nothing) {
    while (free_pages() > 2) ASSERT_TRUE(vm.pool().take());
    EXPECT_EQ(create_vcpu(1), enomem);
    EXPECT_EQ(map(0, memory), enomem);
    EXPECT_EQ(free_pages(), 2u);
    ASSERT_TRUE(vm.pool().take());
    EXPECT_EQ(vm.call(0, HV_CALL_VM_CREATE), enomem);
    EXPECT_EQ(free_pages(), 1u);
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_P(guest_memory, ends_with_its_vm) {
    auto const before = free_pages();
    auto const other = vm.call(0, HV_CALL_VM_CREATE);
    ASSERT_GT(other, 0);
    ASSERT_EQ(vm.call(0, HV_CALL_VM_MAP, number(other), 0, memory, 3 | all_access), 0);
    auto const second = vm.call(0, HV_CALL_VCPU_CREATE, number(other), area + 2 * page);
    ASSERT_GT(second, 0);
    EXPECT_EQ(vm.call(0, HV_CALL_DONATE, memory, 1), ebusy);
    EXPECT_EQ(vm.call(0, HV_CALL_RECLAIM, area), ebusy);
    ASSERT_EQ(vm.call(0, HV_CALL_VM_DESTROY, number(other)), 0);
    EXPECT_EQ(free_pages(), before);
    EXPECT_EQ(vm.call(0, HV_CALL_DONATE, memory, 1), 0);
    for (auto const call :
         {HV_CALL_VM_DESTROY, HV_CALL_VM_MAP, HV_CALL_VM_UNMAP, HV_CALL_VCPU_CREATE})
        EXPECT_EQ(vm.call(0, call, number(other), 0, page, 1), ebadf) << call;
    EXPECT_EQ(vm.call(0, HV_CALL_VCPU_RUN, number(second)), ebadf);
    EXPECT_GT(vm.call(0, HV_CALL_VM_CREATE), other) << "numbers are never used twice";
}

TEST_P(guest_memory, numbers_out_of_nowhere_are_refused) {
    for (auto const wild : {0ull, 1ull, ~0ull, 1ull << 63, 0x100ull})
        for (auto const call : {HV_CALL_VM_DESTROY, HV_CALL_VCPU_CREATE, HV_CALL_VCPU_DESTROY,
                                HV_CALL_VCPU_RUN, HV_CALL_VCPU_READ})
            EXPECT_EQ(vm.call(0, call, wild, area + 2 * page), ebadf) << wild;
}

TEST_P(guest_memory, an_exchange_area_is_shared_memory_and_one_vcpus) {
    auto const with = [&](std::uint64_t at) {
        return vm.call(0, HV_CALL_VCPU_CREATE, number(owner), at);
    };
    EXPECT_EQ(with(memory), einval);
    EXPECT_EQ(with(area), einval) << "another's";
    EXPECT_EQ(with(area + page), einval) << "overlaps another's";
    EXPECT_EQ(with(area + 2 * page + 8), einval);
    EXPECT_EQ(with(area + 7 * page), einval) << "ends behind it";
    EXPECT_EQ(with(board::first_hpa), einval);
    EXPECT_EQ(with(vm.machine.hpa_of_page(vm.machine.layout().mailbox_first()).raw), einval);
    EXPECT_GT(with(area + 2 * page), 0);
}

// Whatever Linux writes to an exchange area, and whatever the guest does.
TEST_P(guest_memory, anything_at_all_harms_nobody) {
    std::mt19937_64 any{20261129};
    ASSERT_EQ(map(0, memory, 512), 0);
    for (unsigned round = 0; round < 20000; ++round) {
        if (round % 4 == 0) {
            auto* const words = reinterpret_cast<std::uint64_t*>(&x());
            for (unsigned i = 0; i < 8; ++i) words[any() % (sizeof(hv_vcpu_exchange) / 8)] = any();
            x().flags &= 31;
        } else if (round % 4 == 1) {
            x().system = fake::reset_state();
            x().flags = HV_RUN_SYSTEM;
        }
        run();
        for (unsigned i = 0; i < 6 && vm.in_guest_vm(0); ++i) {
            for (auto* r : {&vm.gpr(0).rax, &vm.gpr(0).rcx, &vm.gpr(0).rdx})
                *r = any() >> any() % 64;
            ASSERT_NE(vm.guest_does(0, static_cast<deed>(any() % 12), any()), outcome::parked);
        }
        if (vm.in_guest_vm(0)) vm.guest_does(0, deed::interrupted);
        ASSERT_FALSE(vm.in_guest_vm(0));
    }
    EXPECT_EQ(vm.findings(), 0u);
}
