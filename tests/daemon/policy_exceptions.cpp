// SPDX-License-Identifier: MIT
// What rules let through: "value" of MSRs, "except" of control registers and memory.
#include <gtest/gtest.h>

#include "daemon/policy/rule_book.hpp"
#include "policy_fixture.hpp"

namespace hv {
namespace {

std::string msr(std::string const& more, std::string const& access = R"(["write"])") {
    return R"({"name":"a","kind":"msr","msr":"ia32_lstar","action":"deny","access":)" + access +
           "," + more + "}";
}
std::string cr(std::string const& more) {
    return R"({"name":"a","kind":"cr","register":"cr4","bits":["smep"],"action":"deny",)" + more +
           "}";
}
std::string page(std::string const& more, std::string const& access = R"(["write"])") {
    return R"({"name":"a","kind":"memory","range":{"first":0,"bytes":4096},"action":"deny",)"
           R"("access":)" +
           access + "," + more + "}";
}

void expect_pass(std::string const& rule, std::uint64_t first, std::uint64_t last,
                 std::uint32_t flags = HV_RULE_PASSES) {
    auto const compiled = compile_rule(rule);
    EXPECT_EQ(compiled.flags, flags);
    EXPECT_EQ(compiled.pass_first, first);
    EXPECT_EQ(compiled.pass_last, last);
}

TEST(policy_exceptions, a_value_is_one_a_range_or_what_is_there) {
    expect_pass(msr(R"("value":{"allowed":"0x1234"})"), 0x1234, 0x1234);
    expect_pass(msr(R"("value":{"allowed":{"first":1,"last":"0xffffffffffffffff"}})"), 1, ~0ull);
    expect_pass(msr(R"("value":"unchanged")"), 0, 0, HV_RULE_PASSES | HV_RULE_UNCHANGED);
}

TEST(policy_exceptions, a_writer_is_a_function_or_a_range) {
    expect_pass(cr(R"("except":[{"symbol":"small"}])"), 0x1000010, 0x100001f);
    expect_pass(page(R"("except":[{"symbol":"small"}])"), 0x1000010, 0x100001f);
    expect_pass(page(R"("except":[{"symbols":{"first":"small","last":"smaller"}}])"), 0x1000010,
                0x100010f);
    expect_pass(page(R"("except":[{"first":"0xffffffff81000000","last":"0xffffffff81000fff"}])"),
                0xffffffff81000000, 0xffffffff81000fff);
}

TEST(policy_exceptions, without_symbols_the_policy_is_unresolved) {
    fixed_symbols symbols;
    symbols.unavailable = "nothing is known here";
    auto const policy = compile_policy("p", with_rules(cr(R"("except":[{"symbol":"small"}])")),
                                       symbols);
    EXPECT_FALSE(policy.resolved);
    EXPECT_EQ(policy.notes.at(0), "functions are not resolved: nothing is known here");
}

TEST(policy_exceptions, errors_name_the_key_and_what_was_expected) {
    auto const expect = [](std::string const& rule, std::string const& said) {
        EXPECT_NE(refused_rule(rule).find(said), std::string::npos) << rule << "\n"
                                                                    << refused_rule(rule);
    };
    expect(
        msr(R"("value":"kept")"),
        "rules[0].value: expected \"unchanged\", \"growing\", \"shrinking\" or {\"allowed\": …}");
    expect(msr(R"("value":{"allowed":{"first":2,"last":1}})"),
           "rules[0].value.allowed: the range ends before it starts: last 0x1 is below first 0x2");
    expect(msr(R"("value":{"pinned":1})"), "pinned");
    expect(msr(R"("value":"unchanged")", R"(["read","write"])"),
           "rules[0].value: is about what is written: expected \"access\": [\"write\"]");
    expect(R"({"name":"a","kind":"msr","msr":{"first":1,"last":2},"access":["write"],)"
           R"("value":"unchanged","action":"deny"})",
           "rules[0].value: \"unchanged\" is for one MSR");
    expect(cr(R"("except":[])"), "rules[0].except: expected one range of addresses");
    expect(cr(R"("except":[{"first":1,"last":2},{"first":3,"last":4}])"),
           "rules[0].except: expected one range of addresses: the core holds one for each rule");
    expect(cr(R"("except":[{"symbol":"no_such"}])"),
           "rules[0].except[0].symbol: the kernel has no symbol no_such");
    expect(cr(R"("except":[{"symbol":"a b"}])"), "expected the name of a kernel symbol");
    expect(cr(R"("except":[{"symbols":{"first":"small","last":"no_such"}}])"),
           "rules[0].except[0].symbols.last: the kernel has no symbol no_such");
    expect(cr(R"("except":[{"symbols":{"first":"smaller","last":"small"}}])"),
           "rules[0].except[0].symbols.last: small lies before smaller: exchange the two");
    expect(page(R"("except":[{"first":1,"last":2}])", R"(["execute"])"),
           "rules[0].except: is about who writes: expected \"access\": [\"write\"]");
    expect(R"({"name":"a","kind":"dtr","tables":["ldtr"],"action":"deny"})",
           "expected one of \"gdt\", \"idt\", \"ldt\", \"tr\", found \"ldtr\"");
}

TEST(policy_exceptions, of_two_rules_on_one_object_must_be_the_same) {
    auto const two = [](std::string const& value) {
        return with_rules(msr(R"("value":{"allowed":1})") + "," +
                          R"({"name":"b","kind":"msr","msr":{"first":"0xc0000080",)"
                          R"("last":"0xc0000084"},"access":["write"],"action":"deny")" +
                          value + "}");
    };
    EXPECT_EQ(refused(two(R"(,"value":{"allowed":1})")), "");
    for (auto const* const other : {"", R"(,"value":{"allowed":2})"}) {
        EXPECT_NE(refused(two(other))
                      .find("both are about write of ia32_lstar, with other "
                            "exceptions: give both the same \"value\" or \"except\""),
                  std::string::npos)
            << refused(two(other));
    }
}

TEST(policy_exceptions, are_kept_with_the_names) {
    auto const policy = compile(with_rules(msr(R"("value":{"allowed":{"first":5,"last":6}})")));
    auto const book = rule_book{}.with(policy);
    auto const again = rule_book::from_json(book.to_json());
    ASSERT_EQ(again.policies().size(), 1u);
    auto const& rule = again.policies().at(0).rules.at(0).rule;
    EXPECT_EQ(rule.flags, HV_RULE_PASSES);
    EXPECT_EQ(rule.pass_first, 5u);
    EXPECT_EQ(rule.pass_last, 6u);
}

}
}
