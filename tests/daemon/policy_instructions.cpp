// SPDX-License-Identifier: MIT
// Rules about ports, XCR0, CPUID and instructions: what they compile to, and what is refused.
#include <gtest/gtest.h>

#include "daemon/policy/rule_book.hpp"
#include "policy_fixture.hpp"

namespace hv {
namespace {

std::string rule(std::string const& kind, std::string const& more, std::string const& name = "a",
                 std::string const& action = "deny") {
    return R"({"name":")" + name + R"(","kind":")" + kind + R"(","action":")" + action + "\"," +
           more + "}";
}
std::string io(std::string const& ports, std::string const& access = R"(["read","write"])") {
    return rule("io", R"("ports":)" + ports + R"(,"access":)" + access);
}

std::string object_of(std::string const& text) {
    return compile(with_rules(text)).rules.at(0).object;
}

TEST(policy_instructions, ports_are_one_or_a_range) {
    auto const one = compile_rule(io("\"0x70\""));
    EXPECT_EQ(one.kind, HV_RULE_IO);
    EXPECT_EQ(one.first, 0x70u);
    EXPECT_EQ(one.last, 0x70u);
    EXPECT_EQ(one.access, std::uint32_t{HV_ACCESS_READ | HV_ACCESS_WRITE});
    auto const range = compile_rule(io(R"({"first":112,"last":"0xffff"})", R"(["write"])"));
    EXPECT_EQ(range.last, 0xffffu);
    EXPECT_EQ(range.access, std::uint32_t{HV_ACCESS_WRITE});
    EXPECT_EQ(object_of(io("112")), "port 0x70");
    EXPECT_EQ(object_of(io(R"({"first":112,"last":113})")), "ports 0x70..0x71");
}

TEST(policy_instructions, cpuid_hides_all_or_some_bits) {
    auto const all = compile_rule(rule("cpuid", R"("leaf":7)"));
    EXPECT_EQ(all.first, 7ull << 32);
    EXPECT_EQ(all.last, 7ull << 32 | 0xffffffff);
    EXPECT_EQ(all.mask, ~0ull);
    EXPECT_EQ(all.pass_first, ~0ull);
    EXPECT_EQ(all.flags, 0u);
    auto const some = compile_rule(
        rule("cpuid", R"("leaf":"0x80000001","subleaf":2,"bits":{"ebx":3,"edx":"0x100"})"));
    EXPECT_EQ(some.first, 0x8000000100000002);
    EXPECT_EQ(some.last, some.first);
    EXPECT_EQ(some.mask, 3ull << 32);
    EXPECT_EQ(some.pass_first, 0x100ull << 32);
    EXPECT_EQ(object_of(rule("cpuid", R"("leaf":{"first":1,"last":3})")), "cpuid 0x1..0x3");
    EXPECT_EQ(object_of(rule("cpuid", R"("leaf":7,"subleaf":1)")), "cpuid 0x7 sub-leaf 0x1");
}

TEST(policy_instructions, bits_and_instructions_have_names) {
    EXPECT_EQ(compile_rule(rule("xcr", R"("register":"xcr0","bits":["sse","avx"])")).mask, 6u);
    EXPECT_EQ(compile_rule(rule("xcr", R"("register":"xcr0","bits":"0x200")")).mask, 0x200u);
    auto const two = compile_rule(rule("instruction", R"("instructions":["wbinvd","rdtsc"])"));
    EXPECT_EQ(two.mask, 1u << HV_INSTRUCTION_WBINVD | 1u << HV_INSTRUCTION_RDTSC);
    EXPECT_EQ(two.access, std::uint32_t{HV_ACCESS_EXECUTE});
    EXPECT_EQ(object_of(rule("instruction", R"("instructions":["wbinvd","rdtsc"])")),
              "rdtsc wbinvd");
}

TEST(policy_instructions, errors_name_the_key_and_what_was_expected) {
    auto const expect = [](std::string const& text, std::string const& said) {
        EXPECT_NE(refused_rule(text).find(said), std::string::npos) << refused_rule(text);
    };
    expect(io("65536"), "rules[0].ports: expected a port's number, at most 0xffff, found 0x10000");
    expect(io(R"({"first":9,"last":8})"),
           "rules[0].ports: the range ends before it starts: last 0x8 is below first 0x9");
    expect(io("1", R"(["execute"])"),
           R"(rules[0].access[0]: expected one of "read", "write", found "execute")");
    expect(rule("cpuid", R"("leaf":{"first":1,"last":2},"subleaf":0)"),
           "rules[0].subleaf: is of one leaf: expected one \"leaf\"");
    expect(rule("cpuid", R"("leaf":1,"bits":{"eax":0})"),
           "rules[0].bits: expected at least one bit");
    expect(rule("cpuid", R"("leaf":1,"bits":{"rax":1})"), "rules[0].bits");
    expect(rule("cpuid", R"("leaf":"0x100000000")"), "rules[0].leaf: expected a leaf of CPUID");
    expect(rule("xcr", R"("register":"xcr1","bits":["avx"])"),
           R"(rules[0].register: expected one of "xcr0", found "xcr1")");
    expect(rule("xcr", R"("register":"xcr0","bits":["axv"])"), "(nearest: avx)");
    expect(rule("instruction", R"("instructions":["hlt"])"),
           R"(rules[0].instructions[0]: expected one of "rdtsc")");
    expect(rule("instruction", R"("instructions":[])"),
           "rules[0].instructions: expected at least one instruction");
    expect(rule("instruction", R"("instructions":3)"), "rules[0].instructions");
}

TEST(policy_instructions, that_contradict_are_refused) {
    auto const two = [](std::string const& kind, std::string const& a, std::string const& b) {
        return refused(with_rules(rule(kind, a) + "," + rule(kind, b, "b", "log")));
    };
    EXPECT_NE(two("io", R"("ports":{"first":1,"last":5},"access":["read"])",
                  R"("ports":5,"access":["read"])")
                  .find("both are about port 0x5"),
              std::string::npos);
    EXPECT_EQ(two("io", R"("ports":5,"access":["write"])", R"("ports":5,"access":["read"])"), "");
    EXPECT_NE(two("instruction", R"("instructions":["rdtsc","rdpmc"])",
                  R"("instructions":["rdpmc","mwait"])")
                  .find("both are about rdpmc"),
              std::string::npos);
    EXPECT_EQ(two("instruction", R"("instructions":["rdtsc"])", R"("instructions":["rdpmc"])"), "");
    EXPECT_NE(two("cpuid", R"("leaf":7)", R"("leaf":7,"bits":{"eax":1})").find("cpuid 0x7"),
              std::string::npos);
    EXPECT_EQ(two("cpuid", R"("leaf":7,"bits":{"ebx":1})", R"("leaf":7,"bits":{"eax":1})"), "");
    EXPECT_NE(two("xcr", R"("register":"xcr0","bits":["sse"])",
                  R"("register":"xcr0","bits":["sse","avx"])")
                  .find("both are about xcr0 sse"),
              std::string::npos);
}

TEST(policy_instructions, survive_being_saved) {
    auto const policy = compile(
        with_rules(io("112") + "," + rule("cpuid", R"("leaf":7,"bits":{"edx":1})", "b") + "," +
                   rule("instruction", R"("instructions":["rdpmc"])", "c") + "," +
                   rule("xcr", R"("register":"xcr0","bits":["avx"])", "d")));
    auto const book = rule_book{}.with(policy);
    EXPECT_EQ(rule_book::from_json(book.to_json()).to_json(), book.to_json());
    for (auto const& each : policy.rules) EXPECT_FALSE(cost_text(each.rule).empty());
}

}
}
