// SPDX-License-Identifier: MIT
// Into a guest VM and out again: registers, and what the core answers itself.
#include "guest_vm.hpp"

using namespace fake;

INSTANTIATE_TEST_SUITE_P(on, guest_both, both_backends(), backend_name);

TEST_P(guest_both, runs_until_it_halts) {
    x().gpr[3] = 0xb0b0;
    enter();
    EXPECT_EQ(vm.gpr(0).rbx, 0xb0b0u) << "the guest's registers are in the CPU";
    vm.gpr(0).rbx = 0xcafe;
    vm.guest_does(0, deed::halt);
    expect_exit(HV_GUEST_HLT);
    EXPECT_EQ(vm.gpr(0).rax, 0u) << "the hypercall's answer";
    EXPECT_EQ(x().gpr[3], 0xcafeu);
    EXPECT_EQ(x().rip, 0x1000u) << "not executed";
    EXPECT_EQ(x().length, 1u);
    EXPECT_EQ(x().state, 0u);
}

TEST_P(guest_both, keeps_the_root_vms_registers) {
    auto& r = vm.gpr(0);
    r.rbx = 1, r.rcx = 2, r.rbp = 3, r.r9 = 4, r.r15 = 5;
    enter();
    for (unsigned i = 0; i < 16; ++i)
        if (auto* g = r.numbered(i)) *g = 0x6e57ull << 32 | i;
    vm.guest_does(0, deed::halt);
    EXPECT_EQ(r.rbx, 1u);
    EXPECT_EQ(r.rcx, 2u);
    EXPECT_EQ(r.rbp, 3u);
    EXPECT_EQ(r.r9, 4u);
    EXPECT_EQ(r.r15, 5u);
}

TEST_P(guest_both, has_registers_of_its_own_outside_the_control_block) {
    auto& p = vm.hw(0);
    auto const lstar = p.msrs(0xc0000082), aux = p.msrs(0xc0000103), xcr0 = p.xcr0;
    p.dr[2] = 0x1234;
    auto& s = x().system;
    s.lstar = 0xffff800000001000;
    s.tsc_aux = 7;
    s.dr[2] = 0x5678;
    enter();
    EXPECT_EQ(p.msrs(0xc0000082), 0xffff800000001000u);
    EXPECT_EQ(p.msrs(0xc0000103), 7u);
    EXPECT_EQ(p.dr[2], 0x5678u);
    EXPECT_EQ(p.xcr0, 1u);
    p.dr[2] = 0x9abc;
    vm.guest_does(0, deed::halt);
    EXPECT_EQ(p.msrs(0xc0000082), lstar);
    EXPECT_EQ(p.msrs(0xc0000103), aux);
    EXPECT_EQ(p.dr[2], 0x1234u);
    EXPECT_EQ(p.xcr0, xcr0);
    ASSERT_EQ(vm.call(0, HV_CALL_VCPU_READ, number(vcpu)), 0);
    EXPECT_EQ(x().system.dr[2], 0x9abcu);
    EXPECT_EQ(x().system.lstar, 0xffff800000001000u);
}

TEST_P(guest_both, never_takes_registers_that_fault_in_root_mode) {
    auto const refused = [&](auto spoil) {
        x().system = fake::reset_state();
        spoil(x().system);
        x().flags = HV_RUN_SYSTEM;
        EXPECT_EQ(run(), einval);
        EXPECT_FALSE(vm.in_guest_vm(0));
    };
    refused([](auto& s) { s.lstar = 1ull << 47; });
    refused([](auto& s) { s.kernel_gs_base = 1ull << 63; });
    refused([](auto& s) { s.fs.base = 1ull << 47; });
    refused([](auto& s) { s.sysenter_eip = 1ull << 47; });
    refused([](auto& s) { s.dr[3] = 1ull << 47; });
    refused([](auto& s) { s.dr7 = 1ull << 32; });
    refused([](auto& s) { s.dr6 = 1ull << 32; });
    refused([](auto& s) { s.tsc_aux = 1ull << 32; });
    refused([](auto& s) { s.fmask = 1ull << 32; });
    refused([](auto& s) { s.cr8 = 16; });
    refused([](auto& s) { s.xcr0 = 0; });
    refused([](auto& s) { s.xcr0 = 5; });
    refused([](auto& s) { s.xcr0 = 1ull << 9 | 1; });
    x().system = fake::reset_state();
    x().flags = HV_RUN_SYSTEM;
    enter();
}

TEST_P(guest_both, in_a_state_that_no_cpu_enters_ends_its_run) {
    x().flags = 0;    // its registers were never said
    EXPECT_EQ(run(), 0);
    expect_exit(HV_GUEST_INVALID);
    x().flags = HV_RUN_SYSTEM;
    enter();
    vm.guest_does(0, deed::halt);
    x().flags = HV_RUN_SYSTEM;
    x().system.efer = 2;    // reserved
    EXPECT_EQ(run(), 0);
    expect_exit(HV_GUEST_INVALID);
}

TEST_P(guest_both, gets_cpuid_from_its_list) {
    leaves().count = 2;
    leaves().entry[0] = {0x40000000, 0, 0, 1, 2, 3, 4, 0};
    leaves().entry[1] = {4, 1, 1, 5, 6, 7, 8, 0};
    x().flags |= HV_RUN_CPUID;
    enter();
    auto& r = vm.gpr(0);
    auto const ask = [&](std::uint64_t leaf, std::uint64_t subleaf) {
        r.rax = leaf, r.rcx = subleaf;
        vm.guest_does(0, deed::cpuid);
        EXPECT_TRUE(vm.in_guest_vm(0));
        return r.rax;
    };
    EXPECT_EQ(ask(0x40000000, 9), 1u);
    EXPECT_EQ(r.rdx, 4u);
    EXPECT_EQ(ask(4, 1), 5u);
    EXPECT_EQ(ask(4, 0), 0u) << "not listed";
    EXPECT_EQ(ask(1, 0), 0u);
    vm.guest_does(0, deed::halt);
    EXPECT_EQ(x().exits, 4u);
    EXPECT_EQ(x().rip, 0x1000u + 8);
}

TEST_P(guest_both, takes_no_more_of_the_list_than_there_is_room_for) {
    leaves().count = ~0u;
    x().flags |= HV_RUN_CPUID;
    enter();
    vm.gpr(0).rax = 0x12345678;
    vm.guest_does(0, deed::cpuid);
    EXPECT_EQ(vm.gpr(0).rax, 0u);
}

TEST_P(guest_both, has_no_hypercalls_and_no_virtualization) {
    enter();
    vm.gpr(0).rax = HV_CALL_POLICY_LOCK;
    vm.gpr(0).rdi = board::secret;
    vm.guest_does(0, deed::hypercall);
    EXPECT_EQ(static_cast<std::int64_t>(vm.gpr(0).rax), -1000);
    EXPECT_FALSE(vm.locked());
    vm.guest_does(0, deed::vendor_call);
    EXPECT_EQ(vm.delivered(0), invalid_opcode);
    EXPECT_TRUE(vm.in_guest_vm(0));
}

TEST_P(guest_both, hands_over_the_hypercalls_that_kvm_answers) {
    enter();
    vm.gpr(0).rax = 11;
    vm.guest_does(0, deed::hypercall);
    expect_exit(HV_GUEST_HYPERCALL);
    EXPECT_EQ(x().gpr[0], 11u);
    EXPECT_EQ(x().rip, 0x1000u) << "not executed";
    EXPECT_EQ(x().length, 3u);
}

TEST_P(guest_both, may_turn_on_only_states_that_the_root_vm_has_on) {
    enter();
    auto const set = [&](std::uint64_t value) {
        vm.gpr(0).rcx = 0;
        vm.gpr(0).rax = value & 0xffffffff;
        vm.gpr(0).rdx = value >> 32;
        vm.guest_does(0, deed::set_xcr0);
        return vm.hw(0).xcr0;
    };
    EXPECT_EQ(set(7), 7u);
    EXPECT_EQ(set(1ull << 9 | 3), 7u);
    EXPECT_EQ(*vm.delivered(0) & 0xff, 13u);
    EXPECT_EQ(set(5), 7u);
    vm.guest_does(0, deed::halt);
    ASSERT_EQ(vm.call(0, HV_CALL_VCPU_READ, number(vcpu)), 0);
    EXPECT_EQ(x().system.xcr0, 7u);
}

TEST_P(guest_both, tells_ports_msrs_and_memory) {
    enter();
    vm.gpr(0).rax = 0xabcd;
    vm.guest_does(0, deed::out, 0x3f8);
    expect_exit(HV_GUEST_IO);
    EXPECT_EQ(x().address, 0x3f8u);
    EXPECT_EQ(x().detail, 1u << HV_GUEST_IO_BYTES_SHIFT);
    EXPECT_EQ(x().value, 0xcdu);
    EXPECT_EQ(x().length, 1u);
    enter();
    vm.gpr(0).rcx = 0x1b;
    vm.guest_does(0, deed::read_msr);
    expect_exit(HV_GUEST_MSR_READ);
    EXPECT_EQ(x().address, 0x1bu);
    enter();
    vm.gpr(0).rax = 5, vm.gpr(0).rdx = 6, vm.gpr(0).rcx = 0x277f;
    vm.guest_does(0, deed::write_msr);
    expect_exit(HV_GUEST_MSR_WRITE);
    EXPECT_EQ(x().value, 6ull << 32 | 5);
    enter();
    vm.guest_does(0, deed::touch, 0xfee00020);
    expect_exit(HV_GUEST_MEMORY);
    EXPECT_EQ(x().address, 0xfee00020u);
    EXPECT_EQ(x().detail, std::uint32_t{HV_ACCESS_READ});
    enter();
    vm.guest_does(0, deed::shut_down);
    expect_exit(HV_GUEST_SHUTDOWN);
    enter();
    vm.guest_does(0, deed::unexpected);
    expect_exit(HV_GUEST_UNEXPECTED);
    enter();
    vm.guest_does(0, deed::interrupted);
    expect_exit(HV_GUEST_INTERRUPTED);
}

TEST_P(guest_both, has_its_blocking_of_nmis_and_the_end_of_a_shadow_from_the_root_vm) {
    x().rflags = 0x202;
    x().state = HV_VCPU_NMI_BLOCKED;
    enter();
    if (!on_svm()) vm.hw(0).current().set(field::interruptibility, 8 | 1);
    vm.guest_does(0, deed::halt);
    EXPECT_EQ(x().state & HV_VCPU_NMI_BLOCKED, std::uint32_t{HV_VCPU_NMI_BLOCKED});
    EXPECT_EQ((x().state & HV_VCPU_SHADOW) != 0, !on_svm());
    x().state = 0;    // Linux has done the instruction
    x().event = {0x80000000 | 0x30, 0};
    x().flags |= HV_RUN_EVENT;
    enter();
    vm.guest_does(0, deed::halt);
    EXPECT_EQ(x().state, std::uint32_t{HV_VCPU_INTERRUPTIBLE});
}

TEST_P(guest_both, is_not_told_of_events_that_no_cpu_delivers) {
    for (auto const event : {0x80000130u, 0x80000503u, 0x80000203u, 0x80000328u, 0x80001030u,
                             0x80000830u, 0x80000230u}) {
        x().event = {event, 0};
        x().flags = HV_RUN_SYSTEM | HV_RUN_EVENT;
        EXPECT_EQ(run(), einval) << std::hex << event;
        EXPECT_FALSE(vm.in_guest_vm(0));
    }
}

TEST_P(guest_both, that_runs_is_nobody_elses) {
    enter();
    EXPECT_EQ(run(1), ebusy);
    EXPECT_EQ(vm.call(1, HV_CALL_VCPU_READ, number(vcpu)), ebusy);
    EXPECT_EQ(vm.call(1, HV_CALL_VCPU_DESTROY, number(vcpu)), ebusy);
    EXPECT_EQ(vm.call(1, HV_CALL_VM_DESTROY, number(owner)), ebusy);
    vm.guest_does(0, deed::halt);
    enter(1);
    vm.guest_does(1, deed::halt);
    expect_exit(HV_GUEST_HLT, 1);
    EXPECT_EQ(vm.call(0, HV_CALL_VM_DESTROY, number(owner)), 0);
    EXPECT_EQ(run(), ebadf);
}

TEST_P(guest_both, of_two_vcpus_keeps_both_while_one_runs) {
    auto const first = vcpu;
    vcpu = create_vcpu(1);
    ASSERT_GT(vcpu, 0);
    x(1) = x();
    enter();
    EXPECT_EQ(vm.call(1, HV_CALL_VM_DESTROY, number(owner)), ebusy);
    EXPECT_EQ(vm.call(1, HV_CALL_VCPU_READ, number(first)), 0) << "it was let go again";
    vm.guest_does(0, deed::halt);
    EXPECT_EQ(vm.call(1, HV_CALL_VM_DESTROY, number(owner)), 0);
}

TEST_P(guest_both, makes_way_for_an_nmi_of_the_root_vm) {
    enter();
    vm.nmi(0);
    expect_exit(HV_GUEST_INTERRUPTED);
    EXPECT_EQ(vm.hw(0).injected.back(), nmi_event);
}
