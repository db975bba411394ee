// SPDX-License-Identifier: MIT
// The checker of VM entries itself: a hoisted Linux passes, and each condition can fail.
#include "core_hoist.hpp"

using namespace fake;

namespace {

struct breach {
    std::uint32_t field;
    std::uint64_t value;
    char const* rule;
};

class entry_check : public hoist {
protected:
    std::vector<std::string> all() {
        auto const limits = vm.hw(0).limits();
        auto found = check_controls(vm.v(0), limits);
        for (auto const part : {check_host, check_guest})
            for (auto const& rule : part(vm.v(0), limits)) found.push_back(rule);
        return found;
    }
    void expect(breach const& b) {
        auto const before = vm.v(0)[b.field];
        vm.v(0).set(b.field, b.value);
        auto const found = all();
        bool named = false;
        for (auto const& rule : found) named = named || rule.find(b.rule) != std::string::npos;
        EXPECT_TRUE(named) << std::hex << b.field << " = " << b.value << ": " << b.rule;
        vm.v(0).set(b.field, before);
    }
    void expect_each(std::initializer_list<breach> breaches) {
        ASSERT_TRUE(all().empty()) << all().front();
        for (auto const& b : breaches) expect(b);
    }
};

}    // namespace

TEST_F(entry_check, of_controls) {
    vm.hw(0).msrs.value[0x48c] &= ~(1ull << 21);    // no accessed and dirty flags
    auto const secondary = vm.v(0)[field::secondary];
    auto const processor = vm.v(0)[field::processor];
    expect_each({{field::pin, 0, "reserved pin"},
                 {field::pin, 0x16 | 1u << 5, "virtual NMIs without"},
                 {field::processor, 0, "reserved processor"},
                 {field::processor, processor | 1, "reserved processor"},
                 {field::secondary, secondary | 1u << 31, "reserved secondary"},
                 {field::secondary, secondary | 1u << 4, "TPR shadow"},
                 {field::secondary, secondary & ~2u, "unrestricted guest without EPT"},
                 {field::exit, 0, "reserved exit"},
                 {field::exit, vm.v(0)[field::exit] | 1u << 22, "timer saved"},
                 {field::entry, vm.v(0)[field::entry] | 1u << 10, "entry to SMM"},
                 {field::entry, 0, "reserved entry"},
                 {field::vpid, 0, "VPID 0"},
                 {field::msr_bitmap, 0x123, "MSR bitmap"},
                 {field::msr_bitmap, 1ull << 40, "MSR bitmap"},
                 {field::cr3_targets, 5, "CR3-target"},
                 {field::ept_pointer, 0x5018, "EPTP memory type"},
                 {field::ept_pointer, 0x5006, "EPTP walk length"},
                 {field::ept_pointer, 0x505e, "EPTP accessed"},
                 {field::ept_pointer, 0x509e, "EPTP reserved"}});
    vm.v(0).set_bits(field::processor, 1u << 22);
    expect_each({{field::pin, 0x16 | 8, "NMI window"}});
}

TEST_F(entry_check, of_host_state) {
    constexpr std::uint64_t odd = 0x8000000000000000;
    expect_each({{field::host_cr0, 0x80000001, "host CR0"},
                 {field::host_cr4, 0x20, "host CR4"},
                 {field::host_cr4, 0x2000, "host CR4.PAE"},
                 {field::host_cr3, 1ull << 40, "host CR3"},
                 {field::host_pat, 2, "host PAT"},
                 {field::host_efer, 0x900, "host EFER mode"},
                 {field::host_efer, 0xd01 | 1 << 12, "host EFER reserved"},
                 {field::host_cs_selector, 0, "host CS 0"},
                 {field::host_cs_selector, 0xb, "RPL or TI"},
                 {field::host_es_selector, 4, "RPL or TI"},
                 {field::host_tr_selector, 0, "host TR 0"},
                 {field::host_fs_base, odd, "host base"},
                 {field::host_idtr_base, odd, "host base"},
                 {field::host_sysenter_esp, odd, "host SYSENTER_ESP"},
                 {field::host_rip, odd, "host RIP"},
                 {field::exit, vm.v(0)[field::exit] & ~0x200u, "exit to 32 bits"}});
}

TEST_F(entry_check, of_guest_registers) {
    constexpr std::uint64_t odd = 0x8000000000000000;
    expect_each({{field::cr0, 0x80050013, "27.3.1.1 CR0"},
                 {field::cr0, 0x80050032, "CR0.PG without PE"},
                 {field::cr0, 0x00050033, "IA-32e without PG"},
                 {field::cr4, 0x1726b0 | 1u << 31, "27.3.1.1 CR4"},
                 {field::cr4, 0x1706b0, "27.3.1.1 CR4"},
                 {field::cr4, 0x372690, "IA-32e without PG or PAE"},
                 {field::cr3, 1ull << 40, "27.3.1.1 CR3"},
                 {field::dr7, 1ull << 32, "DR7"},
                 {field::debugctl, 4, "DEBUGCTL"},
                 {field::sysenter_eip, odd, "SYSENTER_EIP"},
                 {field::pat, 3, "27.3.1.1 PAT"},
                 {field::efer, 0x900, "EFER.LMA"},
                 {field::efer, 0x400, "EFER.LME"},
                 {field::efer, 0xd03, "EFER reserved"},
                 {field::entry, vm.v(0)[field::entry] & ~0x200u, "EFER.LMA"},
                 {field::rip, odd, "RIP"},
                 {field::rflags, 0, "RFLAGS reserved"},
                 {field::rflags, 0x8002, "RFLAGS reserved"},
                 {field::rflags, 0x20002, "RFLAGS.VM"},
                 {field::link_pointer, 0, "link pointer"}});
}

TEST_F(entry_check, of_guest_segments) {
    constexpr std::uint64_t odd = 0x8000000000000000;
    expect_each({{field::cs_access, 0xa091, "CS type"},
                 {field::cs_access, 0xe09b, "CS L and D"},
                 {field::cs_access, 0xa0fb, "CS DPL and SS DPL"},
                 {field::cs_access, 0xa08b, "S or P"},
                 {field::cs_access, 0xa01b, "S or P"},
                 {field::cs_access, 0xa19b, "reserved access"},
                 {field::cs_access, 0x1a09b, "CS unusable"},
                 {field::cs_access, 0x209b, "limit and granularity"},
                 {field::ss_access, 0xc09b, "SS type"},
                 {field::ss_access, 0xc0f3, "SS DPL"},
                 {field::ds_access, 0xc092, "data type"},
                 {field::cs_base, 1ull << 32, "above 4 GiB"},
                 {field::fs_base, odd, "not canonical"},
                 {field::tr_access, 0x89, "TR type"},
                 {field::tr_access, 0x1008b, "TR unusable"},
                 {field::tr_selector, 0x44, "TR in the LDT"},
                 {field::tr_base, odd, "not canonical"},
                 {field::ldtr_access, 0x83, "LDTR type"},
                 {field::gdtr_base, odd, "table base"},
                 {field::idtr_limit, 0x10000, "table limit"}});
}

TEST_F(entry_check, of_what_the_guest_is_doing) {
    expect_each({{field::activity, 4, "27.3.1.5 activity"},
                 {field::interruptibility, 4, "interruptibility reserved"},
                 {field::interruptibility, 1, "STI with IF clear"},
                 {field::pending_debug, 1u << 4, "pending debug"}});
    vm.v(0).set(field::rflags, 0x202);
    expect_each({{field::interruptibility, 3, "STI and MOV SS"}});
    vm.v(0).set(field::interruptibility, 1);
    expect_each({{field::activity, 1, "not active, but blocked"},
                 {field::entry_event, 0x80000030, "interrupt while blocked"},
                 {field::entry_event, 0x80000202, "NMI while blocked"},
                 {field::rflags, 0x302, "pending single step"}});
    vm.v(0).set(field::interruptibility, 8);
    expect_each({{field::entry_event, 0x80000202, "NMI while blocked by NMI"}});
    vm.v(0).set(field::interruptibility, 0);
    vm.v(0).set(field::activity, 1);
    expect_each({{field::entry_event, 0x80000b0d, "event while not active"},
                 {field::ss_access, 0xc0f3, "HLT outside"}});
    vm.v(0).set(field::activity, 3);
    expect_each({{field::entry_event, 0x80000202, "event while not active"}});
    vm.hw(0).msrs.value[0x485] = 0x1e0 & ~0x100;
    expect({field::activity, 3, "activity not supported"});
}

TEST_F(entry_check, of_injected_events) {
    vm.v(0).set(field::rflags, 0x202);
    vm.v(0).set(field::entry_length, 0);
    expect_each({{field::entry_event, 0x80000120, "event type"},
                 {field::entry_event, 0x80000203, "NMI with another vector"},
                 {field::entry_event, 0x80000320, "exception vector"},
                 {field::entry_event, 0x8000030d, "deliver error code"},
                 {field::entry_event, 0x80000b06, "deliver error code"},
                 {field::entry_event, 0x80001306, "reserved bits of the event"},
                 {field::entry_event, 0x80000480, "instruction length"}});
    vm.v(0).set(field::entry_length, 16);
    expect_each({{field::entry_event, 0x80000480, "instruction length"}});
    vm.v(0).set(field::entry_error, 0x10000);
    expect_each({{field::entry_event, 0x80000b0d, "error code"}});
    vm.v(0).set(field::rflags, 2);
    expect_each({{field::entry_event, 0x80000030, "RFLAGS.IF"}});
}

TEST_F(entry_check, real_mode_exceptions_have_no_error_code) {
    vm.exit(0, {.reason = 3});
    vm.exit(0, {.reason = 4, .qualification = 1});
    expect_each({{field::entry_event, 0x80000b0d, "deliver error code"}});
    vm.v(0).set(field::entry_event, 0x8000030d);
    EXPECT_TRUE(all().empty());
}

TEST_F(entry_check, a_broken_entry_is_seen_by_the_test_that_causes_it) {
    vm.v(0).set(field::cr3, 1ull << 50);
    EXPECT_EQ(vm.exit(0, {.reason = 10, .length = 2}), outcome::parked);
    ASSERT_FALSE(vm.problems.empty());
    EXPECT_EQ(vm.problems.front(), "entry: 27.3.1.1 CR3");
    vm.problems.clear();
}
