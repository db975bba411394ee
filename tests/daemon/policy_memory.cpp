// SPDX-License-Identifier: MIT
// Memory rules of the policy compiler.
#include <gtest/gtest.h>

#include "policy_fixture.hpp"

namespace hv {
namespace {

TEST(policy_compiler, a_memory_range_ends_with_its_last_byte) {
    auto const rule = compile_rule(R"({"name":"a","kind":"memory",
        "range":{"first":"0x2000","bytes":8192},"access":["execute"],"action":"deny"})");
    EXPECT_EQ(rule.kind, HV_RULE_MEMORY);
    EXPECT_EQ(rule.first, 0x2000u);
    EXPECT_EQ(rule.last, 0x3fffu);
    EXPECT_EQ(rule.access, HV_ACCESS_EXECUTE);
}

TEST(policy_compiler, symbols_are_rounded_inward_and_that_is_said) {
    auto const policy = compile(with_rules(R"({"name":"text","kind":"memory",
        "symbols":{"first":"_stext","end":"_etext"},"access":["write"],"action":"log"})"));
    EXPECT_EQ(policy.rules[0].rule.first, 0x1000000u);
    EXPECT_EQ(policy.rules[0].rule.last, 0x1dfffffu);
    ASSERT_EQ(policy.notes.size(), 1u);
    EXPECT_EQ(policy.notes[0], "rule \"text\": _stext.._etext is 0x1000000..0x1e00e67, rounded "
                               "inward to whole pages 0x1000000..0x1e00000");
}

TEST(policy_compiler, a_section_is_the_symbols_around_it) {
    auto const policy = compile(with_rules(
        R"({"name":"t","kind":"memory","section":"text","access":["write"],"action":"log"})"));
    EXPECT_EQ(policy.rules[0].rule.first, 0x1000000u);
    EXPECT_EQ(policy.rules[0].rule.last, 0x1e00fffu) << "the rest of its last page is padding";
    EXPECT_EQ(policy.rules[0].object, "memory text");
    ASSERT_EQ(policy.notes.size(), 1u);
    EXPECT_NE(policy.notes[0].find("rounded outward"), std::string::npos);
    auto const idt = compile_rule(
        R"({"name":"t","kind":"memory","section":"idt","access":["write"],"action":"deny"})");
    EXPECT_EQ(idt.first, 0x3000000u);
    EXPECT_EQ(idt.last, 0x3000fffu);
    EXPECT_EQ(refused_rule(R"({"name":"t","kind":"memory","section":"rodata","access":["write"],
        "action":"deny"})"),
              "2:1: rules[0].section: the kernel has no symbol __start_rodata");
    EXPECT_NE(refused_rule(R"({"name":"t","kind":"memory","section":"data","access":["write"],
        "action":"deny"})")
                  .find("expected one of \"text\", \"rodata\", \"ro-after-init\", \"idt\""),
              std::string::npos);
}

TEST(policy_compiler, unknown_symbols_and_ranges_without_a_page_are_refused) {
    auto const symbols = [](std::string const& first, std::string const& end) {
        return refused_rule(R"({"name":"t","kind":"memory","symbols":{"first":")" + first +
                            R"(","end":")" + end + R"("},"access":["write"],"action":"log"})");
    };
    EXPECT_EQ(symbols("_stext", "nope"),
              "2:1: rules[0].symbols.end: the kernel has no symbol nope");
    EXPECT_EQ(symbols("small", "smaller"),
              "2:1: rules[0].symbols.end: small..smaller is 0x1000010..0x1000100 and holds no "
              "whole page: the rule would protect nothing");
    EXPECT_EQ(symbols("_etext", "_stext").find("holds no whole page") != std::string::npos, true);
    EXPECT_NE(symbols("a b", "c").find("expected the name of a kernel symbol"), std::string::npos);
}

TEST(policy_compiler, symbols_that_cannot_be_seen_leave_the_policy_unresolved) {
    fixed_symbols symbols;
    symbols.unavailable = "/proc/kallsyms does not tell addresses to this process: run as root";
    auto const policy = compile_policy(
        "p.json", with_rules(R"({"name":"t","kind":"memory","symbols":{"first":"_stext",
                              "end":"_etext"},"access":["write"],"action":"log"})"),
        symbols);
    EXPECT_FALSE(policy.resolved);
    EXPECT_EQ(policy.notes.at(0), "symbols are not resolved: " + symbols.unavailable);
}

TEST(policy_compiler, a_range_that_is_not_of_whole_pages_names_the_nearest) {
    EXPECT_EQ(refused_rule(R"({"name":"a","kind":"memory","range":{"first":"0x1234","bytes":4096},
        "access":["write"],"action":"deny"})"),
              "2:46: rules[0].range.first: 0x1234 is not a multiple of the page size 4096: the "
              "nearest are 0x1000 and 0x2000");
    EXPECT_NE(refused_rule(R"({"name":"a","kind":"memory","range":{"first":0,"bytes":0},
        "access":["write"],"action":"deny"})")
                  .find("rules[0].range.bytes: the rule protects no page"),
              std::string::npos);
    EXPECT_NE(refused_rule(R"({"name":"a","kind":"memory",
        "range":{"first":"0xffffffffff000","bytes":"0x2000"},"access":["write"],"action":"deny"})")
                  .find("beyond 52 bits"),
              std::string::npos);
    EXPECT_NE(refused_rule(R"({"name":"a","kind":"memory",
        "range":{"first":"0x1000","bytes":"0xfffffffffffff000"},"access":["write"],
        "action":"deny"})")
                  .find("beyond 52 bits"),
              std::string::npos);
}

std::string page(std::string const& access, std::string const& action,
                 std::string const& more = "") {
    return R"({"name":"a","kind":"memory","range":{"first":0,"bytes":4096},"access":)" + access +
           R"(,"action":")" + action + "\"" + more + "}";
}

TEST(policy_compiler, a_page_that_is_not_read_is_not_reached_at_all) {
    auto const all = compile_rule(page(R"(["execute","read","write"])", "deny"));
    EXPECT_EQ(all.access, HV_ACCESS_READ | HV_ACCESS_WRITE | HV_ACCESS_EXECUTE);
    EXPECT_EQ(access_text(all.access), "read,write,execute");
    for (auto const* const access :
         {R"(["read"])", R"(["read","write"])", R"(["execute","read"])"}) {
        auto const said = refused_rule(page(access, "deny"));
        EXPECT_NE(
            said.find(
                "rules[0].access: a page that is closed to reading is closed altogether, as AMD's "
                "CPUs and some of Intel's know no other: to deny, expected \"access\": [\"read\", "
                "\"write\", \"execute\"]"),
            std::string::npos)
            << said;
    }
}

TEST(policy_compiler, reading_is_logged_with_other_access_and_without) {
    for (auto const* const action : {"log", "report-only"}) {
        EXPECT_EQ(compile_rule(page(R"(["read"])", action)).access, HV_ACCESS_READ);
        EXPECT_EQ(compile_rule(page(R"(["write","read"])", action)).access,
                  HV_ACCESS_READ | HV_ACCESS_WRITE);
        EXPECT_EQ(compile_rule(page(R"(["read","execute"])", action)).access,
                  HV_ACCESS_READ | HV_ACCESS_EXECUTE);
    }
}

TEST(policy_compiler, a_file_that_only_reports_is_one_that_could_be_enforced) {
    auto const file = [](std::string const& access) {
        return R"({"version":1,"name":"p","mode":"report-only","rules":[)" + page(access, "deny") +
               "]}";
    };
    EXPECT_EQ(refused(file(R"(["read","write","execute"])")), "");
    EXPECT_NE(refused(file(R"(["read"])")).find("is closed altogether"), std::string::npos);
}

TEST(policy_compiler, who_reads_is_no_exception) {
    for (auto const* const access : {R"(["read"])", R"(["read","write"])"}) {
        auto const said = refused_rule(page(access, "log", R"(,"except":[{"first":1,"last":2}])"));
        EXPECT_NE(said.find("rules[0].except: is about who writes: expected \"access\": "
                            "[\"write\"]"),
                  std::string::npos)
            << said;
    }
}

TEST(policy_compiler, execution_is_not_told_by_who_executes) {
    for (std::string const mode : {"user", "supervisor"}) {
        auto const said = refused_rule(page(R"(["write","execute-)" + mode + "\"]", "deny"));
        EXPECT_NE(said.find("rules[0].access[1]: execution by user and by supervisor are told "
                            "apart on no CPU (mode-based execute control is not used): expected "
                            "\"execute\""),
                  std::string::npos)
            << said;
    }
    EXPECT_NE(refused_rule(page(R"(["exec"])", "log"))
                  .find("expected one of \"read\", \"write\", \"execute\", found \"exec\""),
              std::string::npos);
}

TEST(policy_compiler, rules_on_a_page_contradict_where_they_share_an_access) {
    auto const two = [](std::string const& first, std::string const& second) {
        auto log = page(second, "log");
        log.replace(log.find("\"a\""), 3, "\"b\"");
        return refused(with_rules(page(first, "deny") + "," + log));
    };
    EXPECT_EQ(two(R"(["write"])", R"(["read"])"), "") << "reading is told, writing denied";
    EXPECT_EQ(two(R"(["write","execute"])", R"(["read"])"), "");
    EXPECT_NE(two(R"(["read","write","execute"])", R"(["read"])")
                  .find("both are about read at 0x0: change one of them"),
              std::string::npos);
}

}
}
