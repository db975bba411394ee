// SPDX-License-Identifier: MIT
// What CPUID answers to the root VM.
#include "core_hoist.hpp"

using namespace fake;

namespace {

class cpuid_exit : public hoist {
protected:
    hv::cpuid_leaf ask(std::uint32_t leaf, std::uint32_t subleaf = 0) {
        auto& r = vm.gpr(0);
        r.rax = 0xffffffff00000000 | leaf;
        r.rcx = 0xffffffff00000000 | subleaf;
        r.rbx = r.rdx = ~0ull;
        auto const from = vm.v(0)[field::rip];
        EXPECT_EQ(vm.exit(0, {.reason = 10, .length = 2}), outcome::resumed);
        EXPECT_EQ(vm.v(0)[field::rip], from + 2);
        for (auto const value : {r.rax, r.rbx, r.rcx, r.rdx}) EXPECT_EQ(value >> 32, 0u);
        auto low = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
        return {low(r.rax), low(r.rbx), low(r.rcx), low(r.rdx)};
    }
    hv::cpuid_leaf native(std::uint32_t leaf, std::uint32_t subleaf = 0) {
        return vm.hw(0).leaves[std::uint64_t{leaf} << 32 | subleaf];
    }
    void expect_hidden(std::uint32_t offered, std::uint32_t told,
                       std::initializer_list<unsigned> bits) {
        std::uint32_t mask = 0;
        for (auto const n : bits) {
            EXPECT_NE(offered >> n & 1, 0u) << "the CPU has nothing to hide in bit " << n;
            mask |= 1u << n;
        }
        EXPECT_EQ(told, offered & ~mask);
    }
};

}    // namespace

TEST_F(cpuid_exit, hides_vmx_smx_and_debug_store) {
    auto const told = ask(1);
    auto const offered = native(1);
    EXPECT_EQ(told.eax, offered.eax);
    EXPECT_EQ(told.ebx, offered.ebx);
    // OSXSAVE is on in Linux; bit 31 tells of a hypervisor.
    expect_hidden(offered.ecx | 1u << 27 | 1u << 31, told.ecx, {2, 4, 5, 6});
    expect_hidden(offered.edx, told.edx, {21});
}

TEST_F(cpuid_exit, shows_vmx_to_programs_while_there_is_a_node) {
    constexpr auto vmx = 1u << 5;
    ASSERT_EQ(vm.call(0, HV_CALL_OFFER, 1), 0);
    auto const in_ring_0 = ask(1);
    EXPECT_EQ(in_ring_0.ecx & vmx, 0u);
    auto const of_linux = vm.v(0);
    vm.enter_ring_3(0);
    EXPECT_EQ(ask(1).ecx, in_ring_0.ecx | vmx) << "nothing else is shown";
    vm.hw(0).leaves[1ull << 32].ecx &= ~vmx;
    EXPECT_EQ(ask(1).ecx & vmx, 0u) << "what the CPU lacks";
    vm.hw(0).leaves[1ull << 32].ecx |= vmx;
    for (auto const each :
         {field::cs_selector, field::cs_access, field::ss_selector, field::ss_access})
        vm.v(0).set(each, of_linux[each]);
    ASSERT_EQ(vm.call(0, HV_CALL_OFFER, 0), 0);
    vm.enter_ring_3(0);
    EXPECT_EQ(ask(1).ecx & vmx, 0u);
}

TEST_F(cpuid_exit, mirrors_osxsave_and_ospke_of_the_guest) {
    for (std::uint64_t const on : {0ull, 1ull, 0ull}) {
        vm.v(0).clear_bits(field::cr4, 1ull << 18);
        vm.v(0).set_bits(field::cr4, on << 18);
        EXPECT_EQ(ask(1).ecx >> 27 & 1, on);
    }
    vm.hw(0).msrs.value[0x489] |= 1ull << 22;
    vm.v(0).set_bits(field::cr4, 1ull << 22);
    EXPECT_EQ(ask(7).ecx >> 4 & 1, 1u);
    vm.v(0).clear_bits(field::cr4, 1ull << 22);
    EXPECT_EQ(ask(7).ecx >> 4 & 1, 0u);
}

TEST_F(cpuid_exit, hides_what_writes_to_physical_memory) {
    expect_hidden(native(6).eax, ask(6).eax, {19, 23});
    expect_hidden(native(7).ebx, ask(7).ebx, {2, 25});
    expect_hidden(native(7).ecx, ask(7).ecx, {4, 23, 30});    // PKE is off
    expect_hidden(native(7).edx, ask(7).edx, {5, 18});
    EXPECT_EQ(ask(7, 1).eax, native(7, 1).eax);
    for (std::uint32_t const leaf : {0x12u, 0x14u, 0x19u, 0x1bu}) {
        auto const told = ask(leaf);
        EXPECT_EQ(told.eax | told.ebx | told.ecx | told.edx, 0u) << std::hex << leaf;
    }
}

TEST_F(cpuid_exit, answers_on_the_hypervisor_leaves) {
    auto const first = ask(0x40000000);
    EXPECT_EQ(first.eax, 0x40000001u);
    char name[13]{};
    for (unsigned i = 0; i < 4; ++i) {
        name[i] = static_cast<char>(first.ebx >> 8 * i);
        name[4 + i] = static_cast<char>(first.ecx >> 8 * i);
        name[8 + i] = static_cast<char>(first.edx >> 8 * i);
    }
    EXPECT_STREQ(name, "HoistHoistHv");
    EXPECT_EQ(ask(0x40000001).eax, HV_ABI_VERSION);
    for (std::uint32_t const leaf : {0x40000002u, 0x400000ffu}) EXPECT_EQ(ask(leaf).eax, 0u);
    EXPECT_EQ(ask(0x40000100).eax, native(0x40000100).eax);
}

TEST_F(cpuid_exit, passes_all_other_leaves) {
    for (std::uint32_t const leaf : {0u, 0x16u, 0x80000001u, 0x80000008u}) {
        auto const told = ask(leaf);
        EXPECT_EQ(told.eax, native(leaf).eax);
        EXPECT_EQ(told.ebx, native(leaf).ebx);
        EXPECT_EQ(told.ecx, native(leaf).ecx);
        EXPECT_EQ(told.edx, native(leaf).edx);
    }
    EXPECT_EQ(ask(0xd, 1).ecx, native(0xd, 1).ecx);
}

TEST_F(cpuid_exit, keeps_the_registers_that_cpuid_does_not_write) {
    auto& r = vm.gpr(0);
    r = {.r15 = 15,
         .r14 = 14,
         .r13 = 13,
         .r12 = 12,
         .rbp = 5,
         .r11 = 11,
         .r10 = 10,
         .r9 = 9,
         .r8 = 8,
         .rdi = 7,
         .rsi = 6};
    for (std::uint32_t const leaf : {0u, 1u}) {    // the frequent way, and the rare one
        ask(leaf);
        EXPECT_EQ(r.r15 + r.r14 + r.r13 + r.r12 + r.rbp, 59u);
        EXPECT_EQ(r.r11 + r.r10 + r.r9 + r.r8 + r.rdi + r.rsi, 51u);
    }
}

TEST_F(cpuid_exit, counts_each_exit_and_leaves_no_record) {
    forget_records();
    auto const before = vm.shared(0).counter[10];
    for (unsigned i = 0; i < 5; ++i) ask(i);
    EXPECT_EQ(vm.shared(0).counter[10], before + 5);
    EXPECT_EQ(vm.shared(1).counter[10], 0u);
    expect_no_record(0);
}

TEST_F(cpuid_exit, ends_the_shadow_of_sti_and_steps) {
    vm.v(0).set(field::rflags, 0x202);
    vm.v(0).set(field::interruptibility, 1);
    ask(0);
    EXPECT_EQ(vm.v(0)[field::interruptibility], 0u);
    EXPECT_EQ(vm.v(0)[field::pending_debug], 0u);
    vm.v(0).set(field::rflags, 0x102);
    ask(0);
    EXPECT_EQ(vm.v(0)[field::pending_debug], 1u << 14) << "the trap flag wants its trap";
}
