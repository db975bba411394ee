// SPDX-License-Identifier: MIT
// Rules about guest VMs: what they do with ports and MSRs, and how much they may have.
#include "guest_vm.hpp"

using namespace fake;

namespace {

constexpr std::int64_t eio = -5;
constexpr std::uint32_t tsc_deadline = 0x6e0;

class guest_rules : public guest_both {
protected:
    void load(std::vector<hv_rule> const& rules) {
        ASSERT_EQ(vm.load(rules), 0);
        forget_records();
    }
    std::int64_t create_for(std::uint64_t user) { return vm.call(0, HV_CALL_VM_CREATE, user); }
    /// A second VM, with a vcpu that is ready to run, which takes the place of the first.
    void start_for(std::uint64_t user) {
        owner = create_for(user);
        ASSERT_GT(owner, 0);
        vcpu = create_vcpu(1);
        ASSERT_GT(vcpu, 0);
        x(1).system = fake::reset_state();
        x(1).flags = HV_RUN_SYSTEM;
        x(1).rip = 0x1000;
        x(1).rflags = 2;
        run();
        ASSERT_TRUE(vm.in_guest_vm(0));
    }
    void expect_went_on(std::uint64_t event) {
        EXPECT_TRUE(vm.in_guest_vm(0));
        EXPECT_EQ(vm.hw(0).injected.empty() ? 0 : vm.hw(0).injected.back() & 0x80000fff, event);
    }
};

}    // namespace

INSTANTIATE_TEST_SUITE_P(on, guest_rules, both_backends(), backend_name);

TEST_P(guest_rules, a_port_is_denied_with_the_fault_of_real_hardware) {
    load({of_guests(io_rule(5, 0x70, 0x71, HV_ACTION_DENY, HV_ACCESS_WRITE))});
    enter();
    vm.guest_does(0, deed::out, 0x70);
    expect_went_on(0x8000030d);    // real mode: no error code
    auto const r = one_record(0, HV_RECORD_GUEST_DENIED);
    EXPECT_EQ(r.rule, 5u);
    EXPECT_EQ(r.address, 0x70u);
    EXPECT_EQ(r.old_value, 1u) << "a byte, user 0";
    EXPECT_EQ(r.access, std::uint32_t(HV_ACCESS_WRITE));
    vm.guest_does(0, deed::out, 0x72);
    expect_exit(HV_GUEST_IO);
    expect_no_record(0);
}

TEST_P(guest_rules, are_no_matter_of_other_exits) {
    load({of_guests(io_rule(5, 0, 0xffff))});
    enter();
    vm.guest_does(0, deed::halt);
    expect_exit(HV_GUEST_HLT);
    expect_no_record(0);
}

TEST_P(guest_rules, are_about_the_vms_of_their_users) {
    load({of_guests(io_rule(5, 0x70, 0x71, HV_ACTION_DENY, HV_ACCESS_WRITE), {1000, 1999})});
    enter();
    vm.guest_does(0, deed::out, 0x70);
    expect_exit(HV_GUEST_IO);
    for (std::uint32_t const user : {999u, 2000u}) {
        start_for(user);
        vm.guest_does(0, deed::out, 0x70);
        EXPECT_FALSE(vm.in_guest_vm(0));
        ASSERT_EQ(vm.call(0, HV_CALL_VM_DESTROY, number(owner)), 0);
    }
    start_for(1999);
    forget_records();
    vm.guest_does(0, deed::out, 0x70);
    EXPECT_TRUE(vm.in_guest_vm(0));
    EXPECT_EQ(one_record(0, HV_RECORD_GUEST_DENIED).old_value >> 32, 1999u);
}

TEST_P(guest_rules, of_linux_are_no_matter_of_guests_nor_the_other_way_round) {
    load({io_rule(5, 0x70, 0x71, HV_ACTION_DENY, HV_ACCESS_WRITE)});
    enter();
    vm.guest_does(0, deed::out, 0x70);
    expect_exit(HV_GUEST_IO);
    load({of_guests(io_rule(5, 0x70, 0x71))});
    EXPECT_FALSE(vm.rules().watches_io());
    EXPECT_FALSE(vm.exits_on(0, io_instruction(0x70, 1, false)));
}

TEST_P(guest_rules, log_lets_it_happen) {
    load({of_guests(io_rule(5, 0x70, 0x71, HV_ACTION_LOG))});
    enter();
    vm.guest_does(0, deed::out, 0x71);
    expect_exit(HV_GUEST_IO);
    EXPECT_EQ(one_record(0, HV_RECORD_GUEST_LOGGED).address, 0x71u);
}

TEST_P(guest_rules, an_msr_is_denied_by_its_access) {
    load({of_guests(msr_rule(6, tsc_deadline, tsc_deadline))});
    enter();
    vm.gpr(0).rcx = tsc_deadline;
    vm.guest_does(0, deed::read_msr);
    expect_exit(HV_GUEST_MSR_READ);
    enter();
    vm.gpr(0).rcx = tsc_deadline;
    vm.guest_does(0, deed::write_msr);
    expect_went_on(0x8000030d);
    auto const r = one_record(0, HV_RECORD_GUEST_DENIED);
    EXPECT_EQ(r.address, tsc_deadline);
    EXPECT_EQ(r.old_value, 0u) << "no bytes: an MSR";
}

TEST_P(guest_rules, those_outside_the_bitmaps_too) {
    load({of_guests(msr_rule(6, 0x4b564d00, 0x4b564dff))});
    enter();
    vm.gpr(0).rcx = 0x4b564d01;
    vm.guest_does(0, deed::write_msr);
    expect_went_on(0x8000030d);
    EXPECT_EQ(one_record(0, HV_RECORD_GUEST_DENIED).address, 0x4b564d01u);
}

TEST_P(guest_rules, pause_comes_back_each_time_until_the_rule_is_gone) {
    load({of_guests(io_rule(5, 0x70, 0x70, HV_ACTION_PAUSE))});
    for (unsigned i = 0; i < 2; ++i) {
        enter();
        vm.guest_does(0, deed::out, 0x70);
        expect_exit(HV_GUEST_PAUSED);
        EXPECT_EQ(x().address, 5u);
        EXPECT_EQ(one_record(0, HV_RECORD_GUEST_PAUSED).rule, 5u);
    }
    load({});
    enter();
    vm.guest_does(0, deed::out, 0x70);
    expect_exit(HV_GUEST_IO);
}

TEST_P(guest_rules, kill_ends_all_vcpus_of_the_vm_and_no_others) {
    load({of_guests(io_rule(5, 0x70, 0x70, HV_ACTION_KILL), {0, 0})});
    auto const second = create_vcpu(1);
    ASSERT_GT(second, 0);
    enter();
    vm.guest_does(0, deed::out, 0x70);
    expect_exit(HV_GUEST_KILLED);
    EXPECT_EQ(x().address, 5u);
    EXPECT_EQ(one_record(0, HV_RECORD_GUEST_KILLED).rule, 5u);
    load({});
    EXPECT_EQ(run(), eio) << "also when the rule is gone";
    EXPECT_EQ(vm.call(0, HV_CALL_VCPU_RUN, number(second)), eio);
    EXPECT_EQ(vm.call(0, HV_CALL_VCPU_DESTROY, number(second)), 0);
    EXPECT_EQ(vm.call(0, HV_CALL_VM_DESTROY, number(owner)), 0);
    start_for(1);
}

TEST_P(guest_rules, the_strictest_counts) {
    load({of_guests(io_rule(1, 0x70, 0x70, HV_ACTION_PAUSE)),
          of_guests(io_rule(2, 0x70, 0x7f, HV_ACTION_DENY)),
          of_guests(io_rule(3, 0, 0xffff, HV_ACTION_LOG))});
    enter();
    vm.guest_does(0, deed::out, 0x70);
    expect_exit(HV_GUEST_PAUSED);
    enter();
    forget_records();
    vm.guest_does(0, deed::out, 0x71);
    EXPECT_EQ(one_record(0, HV_RECORD_GUEST_DENIED).rule, 2u);
}

TEST_P(guest_rules, so_many_vms_of_a_user) {
    load({limit_rule(8, {1000, 1000}, {.vms = 2})});
    ASSERT_GT(create_for(1000), 0);
    auto const second = create_for(1000);
    ASSERT_GT(second, 0);
    expect_no_record(0);
    EXPECT_EQ(create_for(1000), eperm);
    auto const r = one_record(0, HV_RECORD_VM_DENIED);
    EXPECT_EQ(r.rule, 8u);
    EXPECT_EQ(r.address, 1000u);
    EXPECT_EQ(r.value, std::uint64_t{HV_VM_COUNT});
    EXPECT_EQ(r.old_value, 3u);
    EXPECT_GT(create_for(1001), 0) << "others have as many as they like";
    ASSERT_EQ(vm.call(0, HV_CALL_VM_DESTROY, number(second)), 0);
    EXPECT_GT(create_for(1000), 0);
    EXPECT_EQ(create_for(1ull << 32), einval);
}

TEST_P(guest_rules, so_many_vcpus_of_all_their_vms) {
    load({limit_rule(8, {}, {.vcpus = 2})});
    auto const more = create_vcpu(1);
    ASSERT_GT(more, 0);
    owner = create_for(5);
    EXPECT_EQ(create_vcpu(2), eperm);
    EXPECT_EQ(one_record(0, HV_RECORD_VM_DENIED).value, std::uint64_t{HV_VM_VCPUS});
    ASSERT_EQ(vm.call(0, HV_CALL_VCPU_DESTROY, number(more)), 0);
    EXPECT_GT(create_vcpu(2), 0);
}

TEST_P(guest_rules, so_much_memory_and_what_is_given_back_counts_no_more) {
    load({limit_rule(8, {}, {.pages = 4})});
    ASSERT_EQ(map(0, memory, 3), 0);
    EXPECT_EQ(map(0x10 * page, memory, 2), eperm);
    auto const r = one_record(0, HV_RECORD_VM_DENIED);
    EXPECT_EQ(r.value, std::uint64_t{HV_VM_PAGES});
    EXPECT_EQ(r.old_value, 5u);
    EXPECT_EQ(map(0, memory, 3), 0) << "they are there already";
    ASSERT_EQ(map(0x10 * page, memory), 0);
    ASSERT_EQ(unmap(page), 0);
    ASSERT_EQ(map(0x20 * page, memory), 0);
    EXPECT_EQ(map(0x21 * page, memory), eperm);
    ASSERT_EQ(unmap(0, 1ull << 20), 0);
    EXPECT_EQ(map(0, memory, 4), 0);
}

TEST_P(guest_rules, a_large_page_counts_for_all_it_has) {
    load({limit_rule(8, {}, {.pages = 512})});
    ASSERT_EQ(map(0, memory, 512), 0);
    EXPECT_EQ(map(512 * page, memory), eperm);
    ASSERT_EQ(unmap(page, 2), 0);
    EXPECT_EQ(map(512 * page, memory, 2), 0);
    EXPECT_EQ(map(514 * page, memory), eperm);
}

TEST_P(guest_rules, no_vm_at_all_and_a_limit_that_only_tells) {
    load({limit_rule(8, {}, {.vms = 1}, HV_ACTION_LOG)});
    EXPECT_GT(create_for(7), 0);
    one_record(0, HV_RECORD_VM_LOGGED);
    load({limit_rule(8, {}, {.vms = 0}), limit_rule(9, {7, 7}, {.vms = 99})});
    EXPECT_EQ(create_for(7), eperm) << "each limit holds";
}
