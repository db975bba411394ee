// SPDX-License-Identifier: MIT
#include "daemon/views/views.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/render.hpp"

namespace hv {
namespace {

using nlohmann::ordered_json;

hv_cpu_dump make_dump() {
    hv_cpu_dump dump{};
    dump.launched = 1;
    dump.gpr[7] = 0x5ec2e7;
    dump.cr4_mask = 0x2000;
    dump.pin_controls = 1;
    dump.processor_controls = 2;
    dump.secondary_controls = 3;
    dump.exit_controls = 4;
    dump.entry_controls = 5;
    dump.ept_pointer = 0x1000;
    dump.exit_qualification = 6;
    dump.guest_physical_address = 7;
    return dump;
}

ordered_json dumped(std::string const& backend, hv_cpu_dump const& dump) {
    return dump_json(backend, {&dump, 1})["cpus"][0];
}

ordered_json status_of(std::string const& backend) {
    machine_state state;
    state.hoisted = !backend.empty();
    state.backend = backend;
    return status_json(state, {}, {}, std::nullopt);
}

TEST(dump_json, of_vmx_has_the_vmcs_controls) {
    auto dump = make_dump();
    dump.exit_reason = 0x80000000 | 33;
    auto const json = dumped("vmx", dump);
    EXPECT_EQ(json["exit_reason"], "entry_failed_guest_state");
    EXPECT_EQ(json["pin_controls"], "0x1");
    EXPECT_EQ(json["ept_pointer"], "0x1000");
    EXPECT_EQ(json["exit_qualification"], "0x6");
    EXPECT_EQ(json["cr4_mask"], "0x2000");
    EXPECT_EQ(json["rdi"], "0x5ec2e7");
    EXPECT_FALSE(json.contains("nested_cr3"));
}

TEST(dump_json, of_svm_has_the_vmcbs_intercepts) {
    auto dump = make_dump();
    dump.exit_reason = 0x400;
    auto const json = dumped("svm", dump);
    EXPECT_EQ(json["exit_reason"], "nested_page_fault");
    EXPECT_EQ(json["cr_intercepts"], "0x1");
    EXPECT_EQ(json["intercepts_1"], "0x2");
    EXPECT_EQ(json["intercepts_2"], "0x3");
    EXPECT_EQ(json["exception_intercepts"], "0x4");
    EXPECT_EQ(json["nested_cr3"], "0x1000");
    EXPECT_EQ(json["exit_info_1"], "0x6");
    EXPECT_EQ(json["exit_info_2"], "0x7");
    EXPECT_FALSE(json.contains("ept_pointer"));
    EXPECT_FALSE(json.contains("cr4_mask"));
}

TEST(dump_json, of_svm_names_what_one_code_stands_for) {
    auto dump = make_dump();
    dump.exit_reason = ~0ull;
    EXPECT_EQ(dumped("svm", dump)["exit_reason"], "entry_failed_guest_state");
    dump.exit_reason = 0x7c;
    dump.exit_qualification = 1;
    EXPECT_EQ(dumped("svm", dump)["exit_reason"], "msr_write");
    dump.exit_qualification = 0;
    EXPECT_EQ(dumped("svm", dump)["exit_reason"], "msr_read");
}

TEST(dump_json, hides_the_secret_of_a_hypercall) {
    auto dump = make_dump();
    dump.exit_reason = 18;
    EXPECT_EQ(dumped("vmx", dump)["rdi"], "hidden");
    dump.exit_reason = 0x81;
    EXPECT_EQ(dumped("svm", dump)["rdi"], "hidden");
}

TEST(stats_json, counts_by_the_backends_own_names) {
    machine_state state;
    state.backend = "svm";
    state.cpus.resize(1);
    state.cpus[0].counters.resize(HV_COUNTERS);
    state.cpus[0].counters[0x21] = 3;
    state.cpus[0].counters[0x32] = 2;
    EXPECT_EQ(stats_json(state)["reasons"], (ordered_json{{"vmmcall", 3}, {"msr_write", 2}}));
}

TEST(status_json, says_what_differs_under_the_backend_that_runs) {
    EXPECT_EQ(status_of("svm")["backend_notes"].size(), 2u);
    EXPECT_EQ(status_of("vmx")["backend_notes"].size(), 2u);
    EXPECT_NE(status_of("svm")["backend_notes"], status_of("vmx")["backend_notes"]);
    EXPECT_TRUE(status_of("")["backend_notes"].empty());
}

TEST(status_text, names_the_backend_and_what_differs) {
    auto const text = cli::status_text(status_of("svm"), false);
    EXPECT_NE(text.find("hoisted   yes (svm)\n          AMD SVM: "), std::string::npos) << text;
    EXPECT_EQ(cli::status_text(status_of(""), false).find("SVM"), std::string::npos);
}

}
}
