// SPDX-License-Identifier: MIT
#include "daemon/log/exit_names.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "abi/record.h"

namespace hv {
namespace {

TEST(exit_name, of_vmx_is_the_manuals_in_lower_case) {
    EXPECT_EQ(exit_name("vmx", 10), "cpuid");
    EXPECT_EQ(exit_name("vmx", 32), "msr_write");
    EXPECT_EQ(exit_name("vmx", 48), "ept_violation");
    EXPECT_EQ(exit_name("vmx", 55), "xsetbv");
    EXPECT_EQ(exit_name("vmx", 63), "xsaves");
    EXPECT_EQ(exit_name("vmx", 35), "exit_35");
    EXPECT_EQ(exit_name("vmx", 127), "exit_127");
}

TEST(exit_name, of_svm_is_the_manuals_or_the_same_as_vmxs) {
    std::map<unsigned, char const*> const names{{0x00, "cr0_read"},
                                                {0x10, "cr0_write"},
                                                {0x14, "cr4_write"},
                                                {0x27, "dr7_read"},
                                                {0x36, "dr6_write"},
                                                {0x41, "debug_exception"},
                                                {0x46, "exception_6"},
                                                {0x52, "machine_check"},
                                                {0x5f, "exception_31"},
                                                {0x61, "nmi"},
                                                {0x63, "init"},
                                                {0x65, "cr0_selective_write"},
                                                {0x66, "idtr_read"},
                                                {0x6d, "tr_write"},
                                                {0x72, "cpuid"},
                                                {0x74, "iret"},
                                                {0x76, "invd"},
                                                {0x7a, "invlpga"},
                                                {0x7b, "io"},
                                                {0x7c, "msr_read"},
                                                {0x7d, "task_switch"},
                                                {0x7f, "shutdown"},
                                                {0x80, "vmrun"},
                                                {0x81, "vmmcall"},
                                                {0x86, "skinit"},
                                                {0x87, "rdtscp"},
                                                {0x89, "wbinvd"},
                                                {0x8d, "xsetbv"},
                                                {0x400, "nested_page_fault"},
                                                {0xffff, "entry_failed_guest_state"},
                                                {0x90, "exit_144"},
                                                {0x403, "exit_1027"}};
    for (auto const& [code, name] : names) {
        EXPECT_EQ(exit_name("svm", code), name) << code;
    }
    EXPECT_EQ(exit_name("svm", 0x7c, true), "msr_write");
}

TEST(counter_name, of_vmx_is_the_exit_reasons) {
    EXPECT_EQ(counter_name("vmx", 10), "cpuid");
    EXPECT_EQ(counter_name("vmx", 31), "msr_read");
    EXPECT_EQ(counter_name("vmx", 127), "exit_127");
}

TEST(counter_name, of_svm_knows_where_codes_without_a_slot_of_their_own_went) {
    EXPECT_EQ(counter_name("svm", 0x10), "cr0_write");
    EXPECT_EQ(counter_name("svm", 0x20), "vmrun");
    EXPECT_EQ(counter_name("svm", 0x21), "vmmcall");
    EXPECT_EQ(counter_name("svm", 0x2d), "xsetbv");
    EXPECT_EQ(counter_name("svm", 0x30), "nested_page_fault");
    EXPECT_EQ(counter_name("svm", 0x31), "entry_failed_guest_state");
    EXPECT_EQ(counter_name("svm", 0x32), "msr_write");
    EXPECT_EQ(counter_name("svm", 0x3f), "other");
    EXPECT_EQ(counter_name("svm", 0x33), "exit_51");
    EXPECT_EQ(counter_name("svm", 0x41), "debug_exception");
    EXPECT_EQ(counter_name("svm", 0x7c), "msr_read");
}

TEST(counter_name, is_not_given_twice) {
    for (auto const* const backend : {"vmx", "svm"}) {
        std::set<std::string> seen;
        for (unsigned slot = 0; slot < HV_COUNTERS; ++slot) {
            EXPECT_TRUE(seen.insert(counter_name(backend, slot)).second) << backend << slot;
        }
    }
}

}
}
