// SPDX-License-Identifier: MIT
// Launch on SVM: what it builds, what each step leaves behind when it fails.
#include "svm_launch.hpp"

using namespace svm;

TEST_F(svm_launch, puts_both_cpus_under_the_core) {
    ASSERT_EQ(start(0), 0);
    ASSERT_EQ(start(1), 0);
    for (std::uint32_t n : {0u, 1u}) {
        EXPECT_TRUE(vm.hw(n).in_guest);
        EXPECT_TRUE(vm.hw(n).svm.gif);
        EXPECT_EQ(vm.shared(n).launched, 1u);
        EXPECT_EQ(vm.shared(n).cpu_id, 10 + n);
        auto const records = vm.records(n);
        ASSERT_EQ(records.size(), 1u);
        EXPECT_EQ(records[0].kind, HV_RECORD_LAUNCHED);
    }
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_F(svm_launch, goes_on_as_a_guest_with_linux_state) {
    auto const& hw = vm.hw(0);
    cpu_image const linux_has{hw};
    auto const gdt = hw.gdtr;
    ASSERT_EQ(start(0), 0);
    auto const args = vm.machine.arguments(0);
    auto const& s = vm.v(0).save;
    EXPECT_EQ(s.rip, args.guest_rip);
    EXPECT_EQ(s.rsp, args.guest_rsp);
    EXPECT_EQ(s.cr3, args.guest_cr3);
    EXPECT_EQ(s.rflags, 2u);
    EXPECT_EQ(hw.gpr.rax, 0u);
    EXPECT_EQ(s.gdtr.base, std::uint64_t{gdt.base});
    EXPECT_EQ(s.gdtr.limit, std::uint32_t{gdt.limit});
    EXPECT_EQ(s.idtr.limit, 0xfffu);
    EXPECT_EQ(s.cr0, linux_has.cr0);
    EXPECT_EQ(s.cr4, linux_has.cr4);
    EXPECT_EQ(s.dr6, 0xffff0ff0u);
    EXPECT_EQ(s.dr7, linux_has.dr7);
    auto msrs = hw.msrs.value;
    EXPECT_EQ(msrs[efer], linux_has.msrs.at(efer) | svme);
    for (auto const own : {efer, vm_cr, vm_hsave_pa}) msrs[own] = linux_has.msrs.at(own);
    EXPECT_TRUE(msrs == linux_has.msrs);
}

TEST_F(svm_launch, takes_segments_from_linux_descriptors) {
    ASSERT_EQ(start(0), 0);
    auto const& s = vm.v(0).save;
    EXPECT_EQ(s.cs.selector, 0x10u);
    EXPECT_EQ(s.cs.attributes, 0xa9bu);
    EXPECT_EQ(s.cs.limit, ~0u);
    EXPECT_EQ(s.ss.attributes, 0xc93u);
    EXPECT_EQ(s.ds.attributes, 0u) << "a null selector is not present";
    EXPECT_EQ(s.ldtr.attributes, 0u);
    EXPECT_EQ(s.tr.selector, 0x40u);
    EXPECT_EQ(s.tr.base, 0xfffffe0000003000u);
    EXPECT_EQ(s.tr.limit, 0x4087u);
    EXPECT_EQ(s.tr.attributes, 0x8bu);
    EXPECT_EQ(s.gs.base, 0xffff88807dc00000u);
    EXPECT_EQ(s.cpl, 0u);
}

// APM 2 15.9 "Instruction Intercepts": all that this backend lives on, and nothing that costs.
TEST_F(svm_launch, intercepts_what_it_must_and_no_more) {
    ASSERT_EQ(start(0), 0);
    auto const& v = vm.v(0).control;
    EXPECT_EQ(v.cr_intercepts, 0u);
    EXPECT_EQ(v.dr_intercepts, 0u);
    EXPECT_EQ(v.exception_intercepts, 0u);
    EXPECT_EQ(v.intercepts_1, 1u << 1 | 1u << 3 | 1u << 22 | 1u << 26 | 1u << 28 | 1u << 31)
        << "NMI, INIT, INVD, INVLPGA, MSR, shutdown";
    EXPECT_EQ(v.intercepts_2, 0x7fu) << "VMRUN VMMCALL VMLOAD VMSAVE STGI CLGI SKINIT";
    EXPECT_EQ(v.tsc_offset, 0u);
    EXPECT_EQ(v.virtual_interrupt, 0u) << "interrupts go to the guest as they are";
    EXPECT_EQ(v.nested_cr3, vm.core_machine().stage.root().raw);
    EXPECT_EQ(v.clean, 0u);
}

TEST_F(svm_launch, drops_translations_of_an_earlier_hoist) {
    ASSERT_EQ(start(0), 0);
    EXPECT_EQ(vm.hw(0).svm.flushes, 1u) << "the ASID is always the same";
    EXPECT_EQ(vm.exit(0, {.code = 0x76, .length = 2}), outcome::resumed);
    EXPECT_EQ(vm.hw(0).svm.flushes, 1u) << "once is enough";
}

TEST_F(svm_launch, gives_root_mode_its_own_state) {
    ASSERT_EQ(start(0), 0);
    auto& hw = vm.hw(0);
    auto const pages = vm.machine.layout().cpu_first();
    EXPECT_EQ(hw.msrs(vm_hsave_pa), vm.machine.hpa_of_page(pages).raw);
    hw.leave_guest(svm_exit{.code = 0x76});
    on_cpu const scope{hw};
    hw.vmload(vm.core(0).host_at);
    auto const core_at = reinterpret_cast<std::uint64_t>(&vm.core(0));
    EXPECT_EQ(hw.msrs(0xc0000101), core_at) << "for the trap handlers";
    EXPECT_EQ(hw.cr3, vm.machine.hpa_of_page(vm.machine.layout().tables_first()).raw);
    EXPECT_EQ(hw.cr0, 0x80010033u);
    EXPECT_EQ(hw.cr4, 0x40060u);
    EXPECT_EQ(hw.msrs(efer), 0x1d00u);
    EXPECT_EQ(hw.cs, 8u);
    EXPECT_EQ(hw.ss, 0x10u);
    EXPECT_EQ(hw.tr, 0x18u);
    EXPECT_EQ(hw.svm.tr.base, reinterpret_cast<std::uint64_t>(&vm.core(0).base.tss));
    EXPECT_EQ(std::uint64_t{hw.gdtr.base}, reinterpret_cast<std::uint64_t>(&vm.core(0).base.gdt));
    EXPECT_EQ(hw.idtr.limit, 32 * 16 - 1);
}

TEST_F(svm_launch, has_root_mode_without_xsave_too) {
    vm.hw(0).leaves[1ull << 32].ecx &= ~(1u << 26);
    ASSERT_EQ(start(0), 0);
    vm.hw(0).leave_guest(svm_exit{.code = 0x76});
    EXPECT_EQ(vm.hw(0).cr4, 0x60u);
}

TEST_F(svm_launch, leaves_no_leaf_into_the_core) {
    ASSERT_EQ(start(0), 0);
    for (std::uint64_t page = 0; page < vm.machine.layout().zero_page(); ++page) {
        auto const leaf = vm.leaf(vm.machine.hpa_of_page(page).raw);
        ASSERT_TRUE(leaf);
        EXPECT_EQ(leaf->to, vm.frames().zero_page()) << "page " << page;
        EXPECT_EQ(leaf->allowed, hv::rights::read);
    }
}

TEST_F(svm_launch, redirects_init_where_the_cpu_can) {
    ASSERT_EQ(start(0), 0);
    EXPECT_EQ(vm.hw(0).msrs(vm_cr), 2u);
    EXPECT_TRUE(vm.core(0).redirects_init);
    vm.hw(1).svm.ignores_redirect = true;
    ASSERT_EQ(start(1), 0);
    EXPECT_FALSE(vm.core(1).redirects_init);
}

TEST_F(svm_launch, without_vm_cr_that_can_be_written_works_too) {
    msr(vm_cr) = 8;    // locked by firmware, with SVM on
    ASSERT_EQ(start(0), 0);
    EXPECT_TRUE(vm.core(0).redirects_init) << "LOCK guards SVMDIS only";
}

// Each step of abi/launch.h, made to fail on each CPU by the test hook.
class svm_launch_step
    : public svm_launch,
      public testing::WithParamInterface<std::tuple<std::uint32_t, std::uint32_t>> {};

TEST_P(svm_launch_step, fails_alone_and_the_next_launch_works) {
    auto const [step, n] = GetParam();
    if (n == 1) {
        ASSERT_EQ(start(0), 0);
    }
    auto const shared = step == HV_STEP_MEMORY_TYPES || step == HV_STEP_SECOND_STAGE ||
                        step == HV_STEP_HIDE;
    bool const on_vmx = step >= HV_STEP_VMXON && step <= HV_STEP_VMPTRLD;
    if (on_vmx || step == HV_STEP_VMLAUNCH || (n == 1 && shared)) {
        auto args = vm.machine.arguments(n);
        args.fail_step = step;
        EXPECT_EQ(vm.machine.launch(n, args), 0) << "a step that does not happen here";
        return;
    }
    if (step == HV_STEP_ENTRY) return;    // below
    auto args = vm.machine.arguments(n);
    args.fail_step = step;
    EXPECT_EQ(refused(n, step, eio, args).detail, 0u);
    EXPECT_FALSE(vm.hw(n).in_guest);
    if (n == 1) {
        EXPECT_FALSE(runs(1));
        EXPECT_EQ(vm.invd(0), outcome::resumed) << "the other CPU is unharmed";
        EXPECT_EQ(vm.findings(), 0u);
    }
    EXPECT_EQ(start(n), 0);
}

INSTANTIATE_TEST_SUITE_P(of, svm_launch_step,
                         testing::Combine(testing::Range<std::uint32_t>(HV_STEP_ARGUMENTS,
                                                                        HV_STEP_COUNT),
                                          testing::Values(0u, 1u)));

TEST_F(svm_launch, comes_back_from_an_entry_that_fails) {
    ASSERT_EQ(start(0), 0);
    cpu_image const before{vm.hw(1)};
    auto const gs = vm.hw(1).msrs(0xc0000101);
    auto args = vm.machine.arguments(1);
    args.fail_step = HV_STEP_ENTRY;
    EXPECT_EQ(vm.machine.launch(1, args), eio);
    EXPECT_EQ(args.step, std::uint32_t(HV_STEP_ENTRY));
    EXPECT_EQ(args.root_state, 1u);
    EXPECT_EQ(args.detail, ~0ull);
    auto const& hw = vm.hw(1);
    EXPECT_EQ(hw.cr0, before.cr0);
    EXPECT_EQ(hw.cr3, before.cr3) << "the loader's page tables";
    EXPECT_EQ(hw.cr4, before.cr4);
    EXPECT_EQ(hw.msrs(efer), before.msrs.at(efer) | svme) << "until GIF is set";
    EXPECT_FALSE(hw.svm.gif);
    EXPECT_EQ(hw.msrs(vm_hsave_pa), 0u);
    EXPECT_EQ(hw.msrs(vm_cr), 0u);
    EXPECT_EQ(hw.msrs(0xc0000101), gs);
    EXPECT_EQ(hw.tr, 0x40u);
    for (auto const index : {0x277u, 0x174u, 0x175u, 0x176u, 0xc0000082u})
        EXPECT_EQ(hw.msrs(index), before.msrs.at(index)) << std::hex << index;
    EXPECT_EQ(vm.shared(1).launched, 0u);
    EXPECT_FALSE(runs(1));
}

TEST_F(svm_launch, an_entry_that_fails_can_be_tried_again) {
    for (unsigned round = 0; round < 3; ++round) {
        auto args = vm.machine.arguments(0);
        args.fail_step = HV_STEP_ENTRY;
        EXPECT_EQ(vm.machine.launch(0, args), eio);
        vm.hw(0).svm.gif = true;    // STGI, and SVME off: what the loader owes
        msr(efer) &= ~svme;
        vm.hw(0).gdtr = {127, reinterpret_cast<std::uint64_t>(vm.hw(0).gdt.data())};
        vm.hw(0).idtr = {0xfff, 0xfffffe0000000000};
        vm.hw(0).cs = 0x10;
        vm.hw(0).ss = 0x18;
    }
    EXPECT_EQ(start(0), 0);
}
