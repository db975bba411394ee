// SPDX-License-Identifier: MIT
// The checker of VMRUNs itself: a hoisted Linux passes, and each condition can fail; and the layout
// of the VMCB by the manual's numbers.
#include "core_hoist.hpp"
#include <cstring>

using namespace fake;

namespace {

class svm_check : public hoist_svm {
protected:
    using vmcb = hv::svm::vmcb;
    std::vector<std::string> all(vmcb const& v) { return check_vmcb(v, vm.hw(0).limits_of_svm()); }
    void expect(char const* rule, void (*change)(vmcb&)) {
        ASSERT_TRUE(all(vm.v(0)).empty()) << all(vm.v(0)).front();
        vmcb copy;
        std::memcpy(&copy, &vm.v(0), sizeof copy);
        change(copy);
        bool named = false;
        for (auto const& r : all(copy)) named = named || r.find(rule) != std::string::npos;
        EXPECT_TRUE(named) << rule;
    }
};

/// The field of `T` at `offset` of the VMCB.
template <typename T> T& at(hv::svm::vmcb& v, std::size_t offset) {
    return *reinterpret_cast<T*>(reinterpret_cast<char*>(&v) + offset);
}

}    // namespace

TEST_F(svm_check, of_registers) {
    expect("15.5.1 EFER.SVME", [](vmcb& v) { v.save.efer &= ~0x1000ull; });
    expect("EFER reserved", [](vmcb& v) { v.save.efer |= 1ull << 40; });
    expect("CR0.NW without CD", [](vmcb& v) { v.save.cr0 |= 1u << 29; });
    expect("CR0 upper half", [](vmcb& v) { v.save.cr0 |= 1ull << 32; });
    expect("CR3 reserved", [](vmcb& v) { v.save.cr3 = 1ull << 40; });
    expect("CR4 reserved", [](vmcb& v) { v.save.cr4 |= 1u << 13; });
    expect("DR6 upper half", [](vmcb& v) { v.save.dr6 |= 1ull << 32; });
    expect("DR7 upper half", [](vmcb& v) { v.save.dr7 |= 1ull << 32; });
    expect("CET without", [](vmcb& v) { v.save.cr4 |= 1u << 23, v.save.cr0 &= ~(1ull << 16); });
    expect("without PAE", [](vmcb& v) { v.save.cr4 &= ~0x20ull; });
    expect("without PE", [](vmcb& v) { v.save.cr0 &= ~1ull; });
    expect("CS.L and CS.D", [](vmcb& v) { v.save.cs.attributes |= 1u << 10; });
    expect("EFER.LMA", [](vmcb& v) { v.save.efer &= ~0x400ull; });
    expect("RIP", [](vmcb& v) { v.save.rip = 1ull << 47; });
    expect("RFLAGS reserved", [](vmcb& v) { v.save.rflags = 0; });
    expect("base not canonical", [](vmcb& v) { v.save.gs.base = 1ull << 63; });
    expect("CPL", [](vmcb& v) { v.save.cpl = 4; });
}

TEST_F(svm_check, of_controls) {
    expect("VMRUN not intercepted", [](vmcb& v) { v.control.intercepts_2 = 0; });
    expect("ASID 0", [](vmcb& v) { v.control.asid = 0; });
    expect("ASID beyond", [](vmcb& v) { v.control.asid = 16; });
    expect("MSR permission map", [](vmcb& v) { v.control.msr_map = (1ull << 40) - 0x1000; });
    expect("map unaligned", [](vmcb& v) { v.control.msr_map |= 0x10; });
    expect("I/O permission map", [](vmcb& v) {
        v.control.intercepts_1 |= 1u << 27;
        v.control.io_map = (1ull << 40) - 0x1000;
    });
    expect("TLB_CONTROL", [](vmcb& v) { v.control.tlb = hv::svm::tlb_control{3}; });
    expect("nested paging", [](vmcb& v) { v.control.nested_paging = 0; });
    expect("nested CR3", [](vmcb& v) { v.control.nested_cr3 |= 1; });
    expect("guest PAT", [](vmcb& v) { v.save.pat = 2; });
    expect("interrupt shadow", [](vmcb& v) { v.control.interrupt_shadow = 4; });
}

TEST_F(svm_check, of_injected_events) {
    expect("reserved type", [](vmcb& v) { v.control.event = 0x80000120; });
    expect("reserved bits", [](vmcb& v) { v.control.event = 0x80001306; });
    expect("NMI with another", [](vmcb& v) { v.control.event = 0x80000203; });
    expect("in a shadow",
           [](vmcb& v) { v.control.event = 0x80000202, v.control.interrupt_shadow = 1; });
    expect("not an exception", [](vmcb& v) { v.control.event = 0x80000302; });
    expect("not an exception", [](vmcb& v) { v.control.event = 0x80000320; });
    expect("error code", [](vmcb& v) { v.control.event = 0x8000030d; });
    expect("error code", [](vmcb& v) { v.control.event = 0x80000b06; });
}

TEST_F(svm_check, a_broken_entry_is_seen_by_the_test_that_causes_it) {
    vm.invd(0);
    vm.v(0).control.asid = 0;
    EXPECT_EQ(vm.invd(0), outcome::parked);
    ASSERT_FALSE(vm.problems.empty());
    EXPECT_EQ(vm.problems.front(), "entry: 15.5.1 ASID 0");
    vm.problems.clear();
}

// APM 2 B, tables B-1 "VMCB Layout, Control Area" and B-2 "VMCB Layout, State Save Area".
TEST_F(svm_check, the_vmcb_has_the_manuals_layout) {
    vm.invd(0);
    auto& v = vm.v(0);
    EXPECT_EQ(at<std::uint32_t>(v, 0x0c), 0x9440000au);
    EXPECT_EQ(at<std::uint32_t>(v, 0x10), 0x7fu);
    EXPECT_EQ(at<std::uint64_t>(v, 0x48), vm.core_machine().msrs_at.raw);
    EXPECT_EQ(at<std::uint32_t>(v, 0x58), 1u);
    EXPECT_EQ(at<std::uint64_t>(v, 0x70), 0x76u);
    EXPECT_EQ(at<std::uint64_t>(v, 0x90), 1u);
    EXPECT_EQ(at<std::uint64_t>(v, 0xb0), vm.core_machine().stage.root().raw);
    EXPECT_EQ(at<std::uint16_t>(v, 0x410), 0x10u) << "CS";
    EXPECT_EQ(at<std::uint16_t>(v, 0x412), 0xa9bu);
    EXPECT_EQ(at<std::uint16_t>(v, 0x420), 0x18u) << "SS";
    EXPECT_EQ(at<std::uint64_t>(v, 0x458), 0xffff88807dc00000u) << "GS base";
    EXPECT_EQ(at<std::uint32_t>(v, 0x464), 127u) << "GDTR limit";
    EXPECT_EQ(at<std::uint64_t>(v, 0x488), 0xfffffe0000000000u) << "IDTR base";
    EXPECT_EQ(at<std::uint64_t>(v, 0x498), 0xfffffe0000003000u) << "TR base";
    EXPECT_EQ(at<std::uint64_t>(v, 0x4d0), 0x1d01u) << "EFER";
    EXPECT_EQ(at<std::uint64_t>(v, 0x548), 0x3706b0u) << "CR4";
    EXPECT_EQ(at<std::uint64_t>(v, 0x550), 0x2345000u) << "CR3";
    EXPECT_EQ(at<std::uint64_t>(v, 0x558), 0x80050033u) << "CR0";
    EXPECT_EQ(at<std::uint64_t>(v, 0x560), 0x400u) << "DR7";
    EXPECT_EQ(at<std::uint64_t>(v, 0x570), 2u) << "RFLAGS";
    EXPECT_EQ(at<std::uint64_t>(v, 0x578), vm.machine.arguments(0).guest_rip + 2);
    EXPECT_EQ(at<std::uint64_t>(v, 0x5d8), vm.machine.arguments(0).guest_rsp);
    EXPECT_EQ(at<std::uint64_t>(v, 0x608), 0xffffffff81a00080u) << "LSTAR";
    EXPECT_EQ(at<std::uint64_t>(v, 0x638), 0xffffffff81a01560u) << "SYSENTER_EIP";
    EXPECT_EQ(at<std::uint64_t>(v, 0x668), 0x0407050600070106u) << "PAT";
}
