// SPDX-License-Identifier: MIT
// Rules about debug registers, LDTR and TR, and about values that change one way only.
#include <gtest/gtest.h>

#include "daemon/policy/names.hpp"
#include "daemon/policy/rule_book.hpp"
#include "policy_fixture.hpp"

namespace hv {
namespace {

std::string dr(std::string const& more, std::string const& action = "deny",
               std::string const& name = "a") {
    return R"({"name":")" + name + R"(","kind":"dr","action":")" + action + "\"," + more + "}";
}
std::string dtr(std::string const& tables) {
    return R"({"name":"a","kind":"dtr","action":"deny","tables":)" + tables + "}";
}
std::string cr(std::string const& more, std::string const& action = "deny",
               std::string const& name = "a") {
    return R"({"name":")" + name + R"(","kind":"cr","register":"cr4","bits":["smep"],"action":")" +
           action + "\"," + more + "}";
}
std::string msr(std::string const& value, std::string const& which = "5",
                std::string const& access = R"(["write"])") {
    return R"({"name":"a","kind":"msr","msr":)" + which + R"(,"access":)" + access +
           R"(,"action":"deny","value":)" + value + "}";
}
std::string object_of(std::string const& text) {
    return compile(with_rules(text)).rules.at(0).object;
}
void expect_refusal(std::string const& text, std::string const& said) {
    EXPECT_EQ(refused_rule(text), said) << text;
}

TEST(policy_registers, debug_registers_have_bits_of_a_mask) {
    auto const some = compile_rule(dr(R"("registers":["dr0","dr3"])"));
    EXPECT_EQ(some.kind, HV_RULE_DR);
    EXPECT_EQ(some.access, std::uint32_t{HV_ACCESS_WRITE});
    EXPECT_EQ(some.mask, 1ull << 32 | 1ull << 35);
    EXPECT_EQ(some.first, 0u);
    EXPECT_EQ(some.last, 0u);
    EXPECT_EQ(compile_rule(dr(R"("registers":["dr7"])")).mask, 0xffff03ffull);
    EXPECT_EQ(compile_rule(dr(R"("registers":["dr7"],"bits":["l0","rw3"])")).mask, 0x30000001ull);
}

TEST(policy_registers, debug_registers_are_told_by_name) {
    EXPECT_EQ(object_of(dr(R"("registers":["dr0","dr1","dr2","dr3","dr7"])")),
              "dr0 dr1 dr2 dr3 dr7");
    EXPECT_EQ(object_of(dr(R"("registers":["dr7","dr0"],"bits":["g0","len0"])")),
              "dr0 dr7 g0 len0");
    EXPECT_EQ(object_of(dr(R"("registers":["dr7"],"bits":"0x10001")")), "dr7 l0 0x10000")
        << "half of a field has no name";
    EXPECT_EQ(kind_text(HV_RULE_DR), "dr");
    EXPECT_EQ(whole_fields(dr7_bits(), 0x10000), 0x30000u);
}

TEST(policy_registers, what_is_no_debug_register_is_refused) {
    expect_refusal(dr(R"("registers":[])"),
                   "2:53: rules[0].registers: expected at least one debug register");
    expect_refusal(
        dr(R"("registers":["dr6"])"),
        "2:54: rules[0].registers[0]: expected one of \"dr0\", \"dr1\", \"dr2\", \"dr3\", "
        "\"dr7\", found \"dr6\" (nearest: dr0)");
    expect_refusal(dr(R"("registers":["dr0"],"bits":["l0"])"),
                   "2:68: rules[0].bits: are those of dr7: expected \"dr7\" among the "
                   "\"registers\"");
    expect_refusal(
        dr(R"("registers":["dr7"],"bits":["gd"])"),
        "2:69: rules[0].bits[0]: no bit that can be kept is called \"gd\" (nearest: g0)");
    expect_refusal(dr(R"("registers":["dr7"],"bits":"0x2000")"),
                   "2:68: rules[0].bits: bits that cannot be kept: 0x2000");
    expect_refusal(dr(R"("bits":["l0"])"), "2:1: rules[0]: key \"registers\" is missing");
}

TEST(policy_registers, tables_are_bits_of_a_mask) {
    auto const two = compile_rule(dtr(R"(["tr","gdt"])"));
    EXPECT_EQ(two.mask, 1u << HV_TABLE_TR | 1u << HV_TABLE_GDT);
    EXPECT_EQ(two.first, 0u);
    EXPECT_EQ(two.last, 0u);
    EXPECT_EQ(object_of(dtr(R"(["tr","gdt","ldt","idt"])")), "gdt idt ldt tr");
    expect_refusal(dtr("[]"), "2:51: rules[0].tables: expected at least one table");
    expect_refusal(dtr(R"(["ldtr"])"),
                   "2:52: rules[0].tables[0]: expected one of \"gdt\", \"idt\", \"ldt\", \"tr\", "
                   "found \"ldtr\" (nearest: ldt)");
    EXPECT_NE(cost_text(compile_rule(dtr(R"(["ldt"])"))).find("two exits per LLDT or LTR"),
              std::string::npos);
    EXPECT_NE(cost_text(two).find("two exits per LGDT, LIDT, LLDT or LTR"), std::string::npos);
    EXPECT_NE(cost_text(compile_rule(dr(R"("registers":["dr0"])"))).find("debug register"),
              std::string::npos);
}

TEST(policy_registers, of_one_object_contradict) {
    auto const two = [](std::string const& a, std::string const& b) {
        return refused(with_rules(dr(a) + "," + dr(b, "keep", "b")));
    };
    EXPECT_EQ(two(R"("registers":["dr0"])", R"("registers":["dr1","dr7"])"), "");
    EXPECT_EQ(two(R"("registers":["dr7"],"bits":["l0"])", R"("registers":["dr7"],"bits":["l1"])"),
              "");
    EXPECT_NE(two(R"("registers":["dr0","dr7"])", R"("registers":["dr7"],"bits":["l1"])")
                  .find("both are about dr7 l1: change one of them"),
              std::string::npos);
}

TEST(policy_registers, values_may_go_one_way) {
    EXPECT_EQ(compile_rule(msr(R"("growing")")).flags, std::uint32_t{HV_RULE_GROWS});
    auto const range = compile_rule(msr(R"("shrinking")", R"({"first":1,"last":9})"));
    EXPECT_EQ(range.flags, std::uint32_t{HV_RULE_SHRINKS});
    EXPECT_EQ(range.pass_first | range.pass_last, 0u);
    EXPECT_EQ(compile_rule(cr(R"("value":"growing")", "keep")).flags, std::uint32_t{HV_RULE_GROWS});
    EXPECT_EQ(compile_rule(R"({"name":"a","kind":"xcr","register":"xcr0","bits":["avx"],
        "value":"shrinking","action":"deny"})")
                  .flags,
              std::uint32_t{HV_RULE_SHRINKS});
    EXPECT_NE(refused_rule(msr(R"("growing")", "5", R"(["read","write"])"))
                  .find("rules[0].value: is about what is written: expected \"access\""),
              std::string::npos);
    expect_refusal(cr(R"("value":"unchanged")"),
                   "2:82: rules[0].value: expected one of \"growing\", \"shrinking\", found "
                   "\"unchanged\"");
    expect_refusal(cr(R"("value":"growing","except":[{"first":1,"last":2}])"),
                   "2:82: rules[0].value: a rule has one exception, \"value\" or \"except\": leave "
                   "one of them out");
}

TEST(policy_registers, two_ways_of_one_bit_are_two_exceptions) {
    auto const said = refused(
        with_rules(cr(R"("value":"growing")") + "," + cr(R"("value":"shrinking")", "deny", "b")));
    EXPECT_NE(said.find("both are about cr4 smep, with other exceptions"), std::string::npos)
        << said;
}

TEST(policy_registers, survive_being_saved) {
    auto const policy = compile(with_rules(dr(R"("registers":["dr0","dr7"])", "keep") + "," +
                                           cr(R"("value":"shrinking")", "deny", "b")));
    auto const book = rule_book{}.with(policy);
    auto const again = rule_book::from_json(book.to_json());
    EXPECT_EQ(again.to_json(), book.to_json());
    EXPECT_EQ(again.rules().at(0).rules.at(0).mask, 0x1ffff03ffull);
    EXPECT_EQ(again.rules().at(0).rules.at(1).flags, std::uint32_t{HV_RULE_SHRINKS});
}

}
}
