// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "policy_fixture.hpp"

namespace hv {
namespace {

constexpr auto lstar_write = R"({"name":"a","kind":"msr","msr":"ia32_lstar","access":["write"],)";

TEST(policy_compiler, an_msr_is_a_name_a_number_or_a_range) {
    auto const by_name = compile_rule(lstar_write + std::string{R"("action":"deny"})"});
    EXPECT_EQ(by_name.kind, HV_RULE_MSR);
    EXPECT_EQ(by_name.first, 0xc0000082);
    EXPECT_EQ(by_name.last, 0xc0000082);
    EXPECT_EQ(by_name.access, HV_ACCESS_WRITE);
    EXPECT_EQ(by_name.action, HV_ACTION_DENY);
    auto const range = compile_rule(R"({"name":"a","kind":"msr","msr":{"first":16,"last":"0x20"},
        "access":["read","write"],"action":"log"})");
    EXPECT_EQ(range.first, 16u);
    EXPECT_EQ(range.last, 32u);
    EXPECT_EQ(range.access, HV_ACCESS_READ | HV_ACCESS_WRITE);
    EXPECT_EQ(range.action, HV_ACTION_LOG);
}

TEST(policy_compiler, amds_own_msrs_have_names_and_a_range) {
    auto const vm_cr = compile_rule(
        R"({"name":"a","kind":"msr","msr":"vm_cr","access":["read","write"],"action":"log"})");
    EXPECT_EQ(vm_cr.first, 0xc0010114u);
    auto const whole = compile_rule(R"({"name":"a","kind":"msr","msr":{"first":"0xc0010000",
        "last":"0xc0011fff"},"access":["write"],"action":"deny"})");
    EXPECT_EQ(whole.first, 0xc0010000u);
    EXPECT_EQ(whole.last, 0xc0011fffu);
    for (auto const* const across :
         {R"({"first":"0x1fff","last":"0x2000"})", R"({"first":0,"last":"0xc0000000"})",
          R"({"first":"0xc0001fff","last":"0xc0010000"})"}) {
        EXPECT_NE(refused_rule(R"({"name":"a","kind":"msr","msr":)" + std::string{across} +
                               R"(,"access":["write"],"action":"log"})")
                      .find("one of the ranges that can be watched"),
                  std::string::npos)
            << across;
    }
}

TEST(policy_compiler, bits_of_a_control_register_become_a_mask) {
    auto const named = compile_rule(
        R"({"name":"a","kind":"cr","register":"cr4","bits":["smep","smap"],"action":"deny"})");
    EXPECT_EQ(named.kind, HV_RULE_CR);
    EXPECT_EQ(named.first, 4u);
    EXPECT_EQ(named.mask, 1ull << 20 | 1ull << 21);
    EXPECT_EQ(named.access, HV_ACCESS_WRITE);
    auto const mask = compile_rule(
        R"({"name":"a","kind":"cr","register":"cr0","bits":"0x10000","action":"deny"})");
    EXPECT_EQ(mask.mask, 1u << 16);
}

TEST(policy_compiler, each_rule_has_its_cost) {
    auto const cost = [](std::string const& rule) { return cost_text(compile_rule(rule)); };
    EXPECT_EQ(cost(R"({"name":"a","kind":"msr","msr":1,"access":["read","write"],"action":"log"})"),
              "an exit per read, per write");
    EXPECT_EQ(cost(R"({"name":"a","kind":"cr","register":"cr0","bits":["wp"],"action":"deny"})"),
              "an exit per write that changes such a bit (SVM: per write)");
    EXPECT_EQ(cost(R"({"name":"a","kind":"memory","range":{"first":0,"bytes":4096},
        "access":["execute"],"action":"deny"})"),
              "an exit per execution");
    for (auto const* const access : {R"(["read"])", R"(["read","write","execute"])"}) {
        EXPECT_EQ(cost(R"({"name":"a","kind":"memory","range":{"first":0,"bytes":4096},
            "access":)" +
                       std::string{access} + R"(,"action":"log"})"),
                  "an exit per access");
    }
}

struct bad_rule {
    char const* rule;
    char const* said;
};

class policy_compiler_refuses : public testing::TestWithParam<bad_rule> {};

TEST_P(policy_compiler_refuses, and_names_place_key_and_expectation) {
    EXPECT_EQ(refused_rule(GetParam().rule), GetParam().said);
}

INSTANTIATE_TEST_SUITE_P(
    policy_compiler, policy_compiler_refuses,
    testing::Values(
        bad_rule{"1", "2:1: rules[0]: expected an object, found 1"},
        bad_rule{"{}", "2:1: rules[0]: key \"name\" is missing"},
        bad_rule{R"({"name":"A B"})", "2:9: rules[0].name: expected a name of 1 to 63 of a-z, 0-9 "
                                      "and \"-\", found \"A B\""},
        bad_rule{R"({"name":"a","kind":"mrs"})",
                 "2:20: rules[0].kind: expected one of \"msr\", "
                 "\"cr\", \"memory\", \"dtr\", \"io\", "
                 "\"xcr\", \"cpuid\", \"instruction\", \"dr\", \"vm\", \"hash\", found "
                 "\"mrs\" "
                 "(nearest: msr)"},
        bad_rule{
            R"({"name":"a","kind":"msr","msr":"ia32_lstr","access":["write"],"action":"log"})",
            "2:32: rules[0].msr: no MSR is called \"ia32_lstr\" (nearest: ia32_lstar): give an "
            "MSR's number or name, such as \"0xc0000082\" or \"ia32_lstar\""},
        bad_rule{R"({"name":"a","kind":"msr","msr":4294967296,"access":["write"],"action":"log"})",
                 "2:32: rules[0].msr: an MSR's number has 32 bits, found 0x100000000"},
        bad_rule{
            R"({"name":"a","kind":"msr","msr":{"first":9,"last":8},"access":["write"]})",
            "2:32: rules[0].msr: the range ends before it starts: last 0x8 is below first 0x9"},
        bad_rule{R"({"name":"a","kind":"msr","msr":1,"access":[],"action":"log"})",
                 "2:43: rules[0].access: expected at least one kind of access"},
        bad_rule{
            R"({"name":"a","kind":"msr","msr":1,"access":["execute"],"action":"log"})",
            "2:44: rules[0].access[0]: expected one of \"read\", \"write\", found \"execute\""},
        bad_rule{R"({"name":"a","kind":"msr","msr":1,"access":["read","read"],"action":"log"})",
                 "2:51: rules[0].access[1]: \"read\" is given twice"},
        bad_rule{R"({"name":"a","kind":"msr","msr":1,"access":["read"]})",
                 "2:1: rules[0]: key \"action\" is missing"},
        bad_rule{R"({"name":"a","kind":"msr","msr":1,"access":["read"],"action":"allow"})",
                 "2:61: rules[0].action: expected one of \"log\", \"deny\", \"keep\", "
                 "\"report-only\", \"pause\", \"kill\", found \"allow\""},
        bad_rule{
            R"({"name":"a","kind":"cr","register":"cr3","bits":["wp"],"action":"deny"})",
            "2:36: rules[0].register: expected one of \"cr0\", \"cr4\", found \"cr3\" (nearest: "
            "cr0)"},
        bad_rule{R"({"name":"a","kind":"cr","register":"cr4","bits":["wp"],"action":"deny"})",
                 "2:50: rules[0].bits[0]: no bit that can be kept is called \"wp\""},
        bad_rule{
            R"({"name":"a","kind":"cr","register":"cr4","bits":["vmxe"],"action":"deny"})",
            "2:50: rules[0].bits[0]: no bit that can be kept is called \"vmxe\" (nearest: vme)"},
        bad_rule{R"({"name":"a","kind":"cr","register":"cr4","bits":0,"action":"deny"})",
                 "2:49: rules[0].bits: expected at least one bit"},
        bad_rule{R"({"name":"a","kind":"cr","register":"cr4","bits":"0x80002000","action":"deny"})",
                 "2:49: rules[0].bits: bits that cannot be kept: 0x80002000"},
        bad_rule{R"({"name":"a","kind":"cr","register":"cr4","bits":["smep"],"access":[]})",
                 "2:58: rules[0]: unknown key \"access\", expected: name, kind, register, bits, "
                 "value, except, action, cpus, when, lifetime, rate"},
        bad_rule{R"({"name":"a","kind":"memory","access":["write"],"action":"deny"})",
                 "2:1: rules[0]: expected one of \"range\", \"virtual\", \"symbols\", \"section\" "
                 "and \"module\""},
        bad_rule{R"({"name":"a","kind":"memory","access":["reed"],"action":"deny"})",
                 "2:39: rules[0].access[0]: expected one of \"read\", \"write\", \"execute\", "
                 "found \"reed\" (nearest: read)"}));

TEST(policy_compiler, refuses_what_is_wrong_with_the_file) {
    EXPECT_EQ(refused("[]"), "1:1: expected an object, found an array");
    EXPECT_EQ(refused("{}"), "1:1: key \"version\" is missing");
    EXPECT_EQ(refused(R"({"version":2,"name":"x","rules":[]})"),
              "1:12: version: this hvd reads version 1 of policy files: expected 1");
    EXPECT_EQ(refused(R"({"version":1,"name":"x","rules":[]})"),
              "1:33: rules: expected at least one rule");
    EXPECT_EQ(refused(R"({"version":1,"name":"x","rules":{}})"),
              "1:33: rules: expected an array, found an object");
    EXPECT_EQ(refused(R"({"version":1,"name":"x","extra":1,"rules":[]})"),
              "1:25: unknown key \"extra\", expected: version, name, description, mode, rules");
    EXPECT_NE(refused(std::string(2u << 20, ' ')).find("longer than 1048576 bytes"),
              std::string::npos);
}

TEST(policy_compiler, refuses_two_rules_of_one_name) {
    auto const rule = lstar_write + std::string{R"("action":"deny"})"};
    EXPECT_EQ(refused_rule(rule + ",\n" + rule),
              "3:9: rules[1].name: rule \"a\" is already at p.json:2:1: give each rule a name of "
              "its own");
}

TEST(policy_compiler, contradicting_rules_are_both_named_with_their_places) {
    auto const deny = lstar_write + std::string{R"("action":"deny"})"};
    EXPECT_EQ(refused_rule(deny + R"(,
 {"name":"b","kind":"msr","msr":{"first":"0xc0000080","last":"0xc0000090"},"access":["write"],
  "action":"log"})"),
              "3:2: rule \"b\" (log) contradicts rule \"a\" (deny) at p.json:2:1: both are about "
              "write of ia32_lstar: change one of them");
    EXPECT_NE(
        refused_rule(
            R"({"name":"a","kind":"cr","register":"cr4","bits":["smep","smap"],"action":"log"},
 {"name":"b","kind":"cr","register":"cr4","bits":["smap"],"action":"deny"})")
            .find("both are about cr4 smap"),
        std::string::npos);
    EXPECT_NE(refused_rule(R"({"name":"a","kind":"memory","range":{"first":0,"bytes":8192},
 "access":["write"],"action":"log"},
 {"name":"b","kind":"memory","range":{"first":4096,"bytes":8192},"access":["write"],
 "action":"deny"})")
                  .find("both are about write at 0x1000"),
              std::string::npos);
}

TEST(policy_compiler, rules_about_different_things_do_not_contradict) {
    auto const policy = compile(with_rules(
        R"({"name":"a","kind":"msr","msr":1,"access":["read"],"action":"log"},
        {"name":"b","kind":"msr","msr":1,"access":["write"],"action":"deny"},
        {"name":"c","kind":"cr","register":"cr0","bits":["wp"],"action":"deny"},
        {"name":"d","kind":"cr","register":"cr0","bits":["am"],"action":"log"})"));
    EXPECT_EQ(policy.rules.size(), 4u);
}

TEST(policy_compiler, takes_no_more_rules_than_the_core_holds) {
    std::string rules;
    for (unsigned i = 0; i <= HV_MAX_RULES; ++i) {
        rules += (i == 0 ? "" : ",\n") + std::string{R"({"name":"r)"} + std::to_string(i) +
                 R"(","kind":"msr","msr":)" + std::to_string(i) +
                 R"(,"access":["read"],"action":"log"})";
    }
    EXPECT_NE(refused_rule(rules).find("rules[1024]: more than 1024 rules"), std::string::npos);
}

TEST(policy_file, is_a_plain_file_of_at_most_1_mib) {
    temporary_folder folder;
    auto const said = [](std::string const& path) {
        return refusal_of<policy_error>([&] { read_policy_file(path); });
    };
    EXPECT_NE(said(folder.path("none")).find("no such file"), std::string::npos);
    EXPECT_NE(said(folder.path()).find("no such file"), std::string::npos);
    EXPECT_NE(said("/dev/zero").find("no such file"), std::string::npos);
    EXPECT_NE(said(folder.write("big", std::string((1u << 20) + 1, ' '))).find("longer"),
              std::string::npos);
    EXPECT_EQ(read_policy_file(folder.write("ok", "text")), "text");
}

}
}
