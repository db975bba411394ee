// SPDX-License-Identifier: MIT
// Launch of CPU 0 and 1: what it builds, what each step says when it fails, what it leaves behind.
#include "core_hoist.hpp"

using namespace fake;

namespace {

/// Everything of a CPU that a failed launch must leave as it was.
struct cpu_image {
    explicit cpu_image(cpu const& c)
        : cr0{c.cr0}, cr3{c.cr3}, cr4{c.cr4}, dr7{c.dr7}, msrs{c.msrs.value}, vmx_on{c.vmx_on} {}
    std::uint64_t cr0, cr3, cr4, dr7;
    std::map<std::uint32_t, std::uint64_t> msrs;
    bool vmx_on;
    friend bool operator==(cpu_image const&, cpu_image const&) = default;
};

class launch : public testing::Test {
protected:
    void TearDown() override {
        for (auto const& problem : vm.problems) ADD_FAILURE() << problem;
    }
    /// Launch CPU `n`, which must fail at `step` and leave the CPU as it was.
    hv_launch refused(std::uint32_t n, std::uint32_t step, std::int64_t error) {
        auto args = vm.machine.arguments(n);
        return refused(n, step, error, args);
    }
    hv_launch refused(std::uint32_t n, std::uint32_t step, std::int64_t error, hv_launch args) {
        cpu_image const before{vm.hw(n)};
        EXPECT_EQ(vm.machine.launch(n, args), error);
        EXPECT_EQ(args.step, step);
        EXPECT_EQ(args.root_state, 0u);
        EXPECT_FALSE(vm.hw(n).in_guest);
        EXPECT_TRUE(before == cpu_image{vm.hw(n)}) << "the CPU has changed";
        return args;
    }
    /// Whether a shoot-down would wait for the CPU.
    bool runs(std::uint32_t n) {
        auto const* c = vm.machine.machine().cpus[n];
        return c != nullptr && c->state.load() == hv::cpu_state::running;
    }
    std::int64_t start(std::uint32_t n) {
        auto args = vm.machine.arguments(n);
        return vm.machine.launch(n, args);
    }

    hoisted vm{2, hoisted::not_launched};
};

}    // namespace

TEST_F(launch, puts_both_cpus_under_the_core) {
    ASSERT_EQ(start(0), 0);
    ASSERT_EQ(start(1), 0);
    for (std::uint32_t n : {0u, 1u}) {
        EXPECT_TRUE(vm.hw(n).in_guest);
        EXPECT_EQ(vm.shared(n).launched, 1u);
        EXPECT_EQ(vm.shared(n).cpu_id, 10 + n);
        EXPECT_EQ(vm.shared(n).version, HV_ABI_VERSION);
        auto const records = vm.records(n);
        ASSERT_EQ(records.size(), 1u);
        EXPECT_EQ(records[0].kind, HV_RECORD_LAUNCHED);
        EXPECT_EQ(records[0].cpu, 10 + n);
    }
    EXPECT_EQ(vm.findings(), 0u);
}

TEST_F(launch, goes_on_as_a_guest_with_linux_state) {
    cpu_image const linux_has{vm.hw(0)};
    auto const gdt = vm.hw(0).gdtr;
    ASSERT_EQ(start(0), 0);
    auto const args = vm.machine.arguments(0);
    auto const& v = vm.v(0);
    EXPECT_EQ(v[field::rip], args.guest_rip);
    EXPECT_EQ(v[field::rsp], args.guest_rsp);
    EXPECT_EQ(v[field::cr3], args.guest_cr3);
    EXPECT_EQ(v[field::rflags], 2u);
    EXPECT_EQ(v[field::gdtr_base], std::uint64_t{gdt.base});
    EXPECT_EQ(v[field::gdtr_limit], std::uint32_t{gdt.limit});
    EXPECT_EQ(v[field::idtr_limit], 0xfffu);
    EXPECT_EQ(vm.seen(0, 0), linux_has.cr0);
    EXPECT_EQ(vm.seen(0, 4), linux_has.cr4);
    EXPECT_TRUE(vm.hw(0).msrs.value == linux_has.msrs);
}

TEST_F(launch, takes_segments_from_linux_descriptors) {
    ASSERT_EQ(start(0), 0);
    auto const& v = vm.v(0);
    EXPECT_EQ(v[field::cs_selector], 0x10u);
    EXPECT_EQ(v[field::cs_access], 0xa09bu);
    EXPECT_EQ(v[field::ss_access], 0xc093u);
    EXPECT_EQ(v[field::ds_access], 0x10000u) << "a null selector is unusable";
    EXPECT_EQ(v[field::ldtr_access], 0x10000u);
    EXPECT_EQ(v[field::tr_base], 0xfffffe0000003000u);
    EXPECT_EQ(v[field::tr_limit], 0x4087u);
    EXPECT_EQ(v[field::tr_access], 0x8bu);
    EXPECT_EQ(v[field::gs_base], 0xffff88807dc00000u);
}

TEST_F(launch, reads_segments_of_a_local_table) {
    alignas(8) std::uint64_t local[] = {0, 0x00cff3000000ffff};
    auto const at = reinterpret_cast<std::uint64_t>(local);
    vm.hw(0).gdt[10] = 0x0000820000000000 | (at & 0xffffff) << 16 | (at >> 24 & 0xff) << 56 | 15;
    vm.hw(0).gdt[11] = at >> 32;
    vm.hw(0).ldtr = 0x50;
    vm.hw(0).ds = 0x0f;    // entry 1, local, RPL 3
    ASSERT_EQ(start(0), 0);
    EXPECT_EQ(vm.v(0)[field::ldtr_base], at);
    EXPECT_EQ(vm.v(0)[field::ldtr_access], 0x82u);
    EXPECT_EQ(vm.v(0)[field::ds_access], 0xc0f3u);
}

TEST_F(launch, drops_translations_of_an_earlier_hoist) {
    ASSERT_EQ(start(0), 0);
    auto const& steps = vm.hw(0).steps;
    auto const entry = std::find_if(steps.begin(), steps.end(),
                                    [](step const& s) { return s.what == op::vmentry; });
    EXPECT_EQ(std::count(steps.begin(), entry, step{op::invept, 2, 0}), 1);
    EXPECT_EQ(std::count(steps.begin(), entry, step{op::invvpid, 2, 0}), 1);
}

TEST_F(launch, leaves_no_leaf_into_the_core) {
    ASSERT_EQ(start(0), 0);
    auto& m = vm.machine.machine();
    for (std::uint64_t page = 0; page < vm.machine.core_pages(); ++page) {
        auto const at = vm.machine.hpa_of_page(page);
        auto const leaf = m.stage.translate(hv::gpa{at.raw});
        ASSERT_TRUE(leaf);
        if (page >= vm.machine.layout().zero_page()) continue;
        EXPECT_EQ(leaf->to, m.all.zero_page()) << "page " << page;
        EXPECT_EQ(leaf->allowed, hv::rights::read);
    }
}

TEST_F(launch, takes_the_guard_page_out_of_the_mapping) {
    ASSERT_EQ(start(0), 0);
    auto const guard = vm.machine.layout().cpu_first() + hv::vmx::area::guard;
    EXPECT_FALSE(vm.machine.mapped(vm.machine.hva_of_page(guard)));
    EXPECT_TRUE(vm.machine.mapped(vm.machine.hva_of_page(guard + 1)));
    EXPECT_EQ(vm.hw(0).count(op::invlpg), 1u);
}

TEST_F(launch, gives_exceptions_their_own_stacks) {
    ASSERT_EQ(start(0), 0);
    auto const& tss = vm.core(0).base.tss;
    std::uint64_t const top[] = {tss.ist[0], tss.ist[1], tss.ist[2]};
    auto const area = vm.machine.hva_of_page(vm.machine.layout().cpu_first()).raw;
    for (unsigned i = 0; i < 3; ++i) EXPECT_EQ(top[i], area + (3 + i) * 4096);
    auto const& idt = vm.machine.machine().idt;
    for (unsigned vector = 0; vector < 32; ++vector)
        EXPECT_EQ(idt[vector].low >> 32 & 7, vector == 8    ? 1u
                                             : vector == 18 ? 2u
                                             : vector == 2  ? 3u
                                                            : 0u);
}

// Each step of abi/launch.h, made to fail on each CPU by the test hook.
class launch_step : public launch,
                    public testing::WithParamInterface<std::tuple<std::uint32_t, std::uint32_t>> {};

TEST_P(launch_step, fails_alone_and_the_next_launch_works) {
    auto const [step, n] = GetParam();
    if (n == 1) {
        ASSERT_EQ(start(0), 0);
    }
    auto const steps_of_cpu_0 = {HV_STEP_MEMORY_TYPES, HV_STEP_SECOND_STAGE, HV_STEP_HIDE};
    bool const skipped = n == 1 && std::count(steps_of_cpu_0.begin(), steps_of_cpu_0.end(),
                                              hv_launch_step(step)) != 0;
    if (skipped || step == HV_STEP_SVME) return;    // SVM only
    if (step == HV_STEP_ENTRY) return;              // below
    auto args = vm.machine.arguments(n);
    args.fail_step = step;
    auto const told = refused(n, step, -5, args);
    EXPECT_EQ(told.detail, 0u);
    EXPECT_EQ(vm.hw(n).count(op::vmxon), vm.hw(n).count(op::vmxoff));
    if (n == 1) {
        EXPECT_FALSE(runs(1));
        EXPECT_EQ(vm.exit(0, {.reason = 10}), outcome::resumed) << "the other CPU is unharmed";
        EXPECT_EQ(vm.findings(), 0u);
    }
    EXPECT_EQ(start(n), 0);
}

INSTANTIATE_TEST_SUITE_P(of, launch_step,
                         testing::Combine(testing::Range<std::uint32_t>(HV_STEP_ARGUMENTS,
                                                                        HV_STEP_COUNT),
                                          testing::Values(0u, 1u)));

TEST_F(launch, comes_back_from_an_entry_that_fails) {
    ASSERT_EQ(start(0), 0);
    for (std::uint32_t const n : {1u}) {
        cpu_image const before{vm.hw(n)};
        auto args = vm.machine.arguments(n);
        args.fail_step = HV_STEP_ENTRY;
        EXPECT_EQ(vm.machine.launch(n, args), -5);
        EXPECT_EQ(args.step, std::uint32_t(HV_STEP_ENTRY));
        EXPECT_EQ(args.root_state, 1u);
        EXPECT_EQ(args.detail, 0x80000021u);
        EXPECT_FALSE(vm.hw(n).vmx_on);
        EXPECT_EQ(vm.hw(n).cr3, before.cr3) << "the loader's page tables";
        EXPECT_EQ(vm.hw(n).cr4 & 1u << 13, 0u);
        EXPECT_EQ(vm.shared(n).launched, 0u);
        EXPECT_FALSE(runs(n));
    }
}

TEST_F(launch, leaves_control_registers_as_they_were_after_a_failed_entry) {
    cpu_image const before{vm.hw(0)};
    auto args = vm.machine.arguments(0);
    args.fail_step = HV_STEP_ENTRY;
    EXPECT_EQ(vm.machine.launch(0, args), -5);
    EXPECT_EQ(vm.hw(0).cr0, before.cr0);
    EXPECT_EQ(vm.hw(0).cr4, before.cr4);
    EXPECT_EQ(vm.hw(0).cr3, before.cr3);
    for (auto const index : {0xc0000080u, 0x277u, 0x174u, 0x175u, 0x176u})
        EXPECT_EQ(vm.hw(0).msrs(index), before.msrs.at(index)) << std::hex << index;
}
