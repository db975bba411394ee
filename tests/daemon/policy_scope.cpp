// SPDX-License-Identifier: MIT
// What rules of every kind may say: CPUs, from when on, how long, and to keep what is written.
#include <gtest/gtest.h>

#include "daemon/policy/rule_book.hpp"
#include "policy_fixture.hpp"

namespace hv {
namespace {

std::string msr_rule(std::string const& rest, std::string const& access = R"(["write"])") {
    return R"({"name":"a","kind":"msr","msr":1,"access":)" + access + "," + rest + "}";
}

std::vector<std::string> rules_of_all_kinds(std::string const& rest) {
    std::vector<std::string> out;
    for (auto const* each :
         {R"("kind":"msr","msr":1,"access":["write"])",
          R"("kind":"cr","register":"cr4","bits":["smep"])", R"("kind":"dtr","tables":["gdt"])",
          R"("kind":"io","ports":1,"access":["write"])",
          R"("kind":"xcr","register":"xcr0","bits":["avx"])", R"("kind":"cpuid","leaf":7)",
          R"("kind":"instruction","instructions":["wbinvd"])",
          R"("kind":"dr","registers":["dr0","dr7"])",
          R"("kind":"memory","range":{"first":0,"bytes":4096},"access":["write"])"}) {
        out.push_back(R"({"name":"a",)" + std::string{each} + "," + rest + "}");
    }
    return out;
}

TEST(policy_scope, cpus_are_a_list_or_a_range) {
    EXPECT_EQ(compile_rule(msr_rule(R"("action":"deny","cpus":[0, 2, "0x3f"])")).cpus,
              1ull | 4 | 1ull << 63);
    EXPECT_EQ(compile_rule(msr_rule(R"("action":"deny","cpus":{"first":1,"last":3})")).cpus, 14u);
    EXPECT_EQ(compile_rule(msr_rule(R"("action":"deny")")).cpus, 0u);
}

TEST(policy_scope, every_kind_but_memory_may_name_cpus) {
    auto rules = rules_of_all_kinds(R"("action":"deny","cpus":[1])");
    EXPECT_NE(refused_rule(rules.back()).find("rules[0].cpus: a memory rule is for all CPUs"),
              std::string::npos);
    rules.pop_back();
    for (auto const& each : rules) {
        EXPECT_EQ(compile_rule(each).cpus, 2u) << each;
    }
}

TEST(policy_scope, cpus_that_cannot_be_are_refused) {
    for (auto const& [cpus, why] :
         {std::pair{"[]", "expected at least one CPU"}, std::pair{"[1, 1]", "given twice"},
          std::pair{"[64]", "a rule can name the CPUs 0 to 63, found 64"},
          std::pair{R"({"first":3,"last":2})", "the range ends before it starts"},
          std::pair{R"({"first":3})", "last"}, std::pair{"\"all\"", "expected"}}) {
        auto const text = refused_rule(msr_rule(R"("action":"deny","cpus":)" + std::string{cpus}));
        EXPECT_NE(text.find(why), std::string::npos) << cpus << ": " << text;
    }
}

TEST(policy_scope, when_and_lifetime_are_flags_of_every_kind) {
    for (auto const& each : rules_of_all_kinds(R"("action":"log","when":"seal")")) {
        EXPECT_EQ(marker_of(compile_rule(each)), HV_MARKER_SEAL) << each;
    }
    for (auto const& each :
         rules_of_all_kinds(R"("action":"log","when":"now","lifetime":"hoisted")")) {
        EXPECT_EQ(compile_rule(each).flags, std::uint32_t{HV_RULE_STAYS}) << each;
    }
    EXPECT_EQ(compile_rule(msr_rule(R"("action":"deny","value":"unchanged","when":"seal",
        "lifetime":"ratchet")"))
                  .flags,
              std::uint32_t{HV_RULE_PASSES | HV_RULE_UNCHANGED | HV_RULE_RATCHET |
                            HV_MARKER_SEAL << HV_RULE_MARKER_SHIFT});
    EXPECT_EQ(compile_rule(msr_rule(R"("action":"deny","lifetime":"revocable")")).flags, 0u);
    EXPECT_NE(
        refused_rule(msr_rule(R"("action":"deny","when":"later")"))
            .find(R"(rules[0].when: expected "now", "seal" or {"marker": NAME}, found "later")"),
        std::string::npos);
    EXPECT_NE(refused_rule(msr_rule(R"("action":"deny","lifetime":"boot")"))
                  .find(R"(expected one of "revocable", "hoisted", "ratchet", found "boot")"),
              std::string::npos);
}

TEST(policy_scope, only_what_has_a_value_can_keep_it) {
    auto const rules = rules_of_all_kinds(R"("action":"keep")");
    for (std::size_t const i : {0u, 1u, 2u, 4u, 7u}) {
        EXPECT_EQ(compile_rule(rules[i]).action, HV_ACTION_KEEP) << rules[i];
    }
    for (std::size_t const i : {3u, 5u, 6u, 8u}) {
        EXPECT_NE(refused_rule(rules[i]).find("rules[0].action: only what has a value can keep it"),
                  std::string::npos)
            << rules[i];
    }
    EXPECT_NE(refused_rule(msr_rule(R"("action":"keep")", R"(["read","write"])"))
                  .find("\"keep\" is about what is written"),
              std::string::npos);
}

TEST(policy_scope, rules_of_different_cpus_do_not_contradict) {
    auto const two = [](std::string const& first, std::string const& second) {
        return with_rules(R"({"name":"a","kind":"cr","register":"cr4","bits":["smep"],)" + first +
                          R"(},{"name":"b","kind":"cr","register":"cr4","bits":["smep"],)" +
                          second + "}");
    };
    EXPECT_NO_THROW(compile(two(R"("action":"deny","cpus":[0])", R"("action":"log","cpus":[1])")));
    auto const text = refused(
        two(R"("action":"deny","cpus":[0, 1])", R"("action":"keep","cpus":[1, 2])"));
    EXPECT_NE(text.find("both are about cr4 smep on CPU 1: change one of them"), std::string::npos)
        << text;
    EXPECT_NE(refused(two(R"("action":"deny")", R"("action":"log","cpus":[1])"))
                  .find("on CPU 1: change one"),
              std::string::npos);
    EXPECT_NO_THROW(compile(two(R"("action":"deny")", R"("action":"deny","lifetime":"ratchet")")));
}

TEST(policy_scope, an_object_says_where) {
    auto const policy = compile(with_rules(msr_rule(R"("action":"deny","cpus":[0, 2])")));
    EXPECT_EQ(policy.rules[0].object, "msr 0x1 on CPUs 0, 2");
}

TEST(policy_scope, is_saved_with_the_rules) {
    rule_book book;
    book = book.with(compile(
        with_rules(msr_rule(R"("action":"keep","cpus":[2],"when":"seal","lifetime":"ratchet")"))));
    auto const again = rule_book::from_json(book.to_json()).rules();
    ASSERT_EQ(again.size(), 1u);
    EXPECT_EQ(again[0].rules.at(0).cpus, 4u);
    EXPECT_EQ(again[0].rules.at(0).action, HV_ACTION_KEEP);
    EXPECT_EQ(again[0].rules.at(0).flags,
              std::uint32_t{HV_RULE_RATCHET | HV_MARKER_SEAL << HV_RULE_MARKER_SHIFT});
}

}
}
