// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "daemon/policy/rule_book.hpp"
#include "policy_fixture.hpp"

namespace hv {
namespace {

std::string lstar(std::string const& terms, std::string const& name = "l") {
    return R"({"name":")" + name + R"(","kind":"msr","msr":"ia32_lstar","access":["write"],)" +
           terms + "}";
}

compiled_rule compile_terms(std::string const& terms) {
    return compile(with_rules(lstar(terms))).rules.at(0);
}

std::string with_mode(std::string const& mode, std::string const& rules) {
    return R"({"version":1,"name":"p","mode":)" + mode + ",\"rules\":[\n" + rules + "]}";
}

TEST(policy_terms, a_rule_that_only_reports_is_one_that_logs_for_the_core) {
    auto const rule = compile_terms(R"("action":"report-only")");
    EXPECT_EQ(rule.rule.action, HV_ACTION_LOG);
    EXPECT_TRUE(rule.terms.report_only);
    EXPECT_EQ(action_text(rule), "report-only");
    EXPECT_FALSE(compile_terms(R"("action":"log")").terms.report_only);
}

TEST(policy_terms, a_file_that_only_reports_denies_nothing) {
    auto const rules =
        lstar(R"("action":"deny")") + "," +
        R"({"name":"c","kind":"cr","register":"cr4","bits":["smep"],"action":"log"})";
    auto const policy = compile(with_mode(R"("report-only")", rules));
    EXPECT_EQ(action_text(policy.rules.at(0)), "report-only");
    EXPECT_EQ(action_text(policy.rules.at(1)), "log");
    EXPECT_EQ(policy.rules.at(0).rule.action, HV_ACTION_LOG);
    auto const enforced = compile(with_mode(R"("enforce")", rules));
    EXPECT_EQ(enforced.rules.at(0).rule.action, HV_ACTION_DENY);
    EXPECT_NE(refused(with_mode(R"("maybe")", rules)).find("mode: expected one of"),
              std::string::npos);
}

TEST(policy_terms, a_rate_is_so_many_records_in_a_time) {
    auto const rule = compile_terms(R"("action":"log","rate":{"records":10,"per":"minute"})");
    EXPECT_EQ(rule.terms.rate, (rule_rate{10, 60}));
    auto const refused_rate = [](std::string const& rate) {
        return refused_rule(lstar(R"("action":"log","rate":)" + rate));
    };
    EXPECT_NE(refused_rate(R"({"records":0,"per":"hour"})").find("rate.records: expected a number"),
              std::string::npos);
    EXPECT_NE(refused_rate(R"({"records":1,"per":"day"})").find("rate.per: expected one of"),
              std::string::npos);
    EXPECT_NE(refused_rate(R"({"records":1})").find("\"per\" is missing"), std::string::npos);
    EXPECT_NE(refused_rate("7").find("expected an object"), std::string::npos);
}

TEST(policy_terms, what_only_reports_contradicts_what_logs_or_denies) {
    for (auto const* other : {"log", "deny"}) {
        auto const said = refused_rule(lstar(R"("action":"report-only")") + "," +
                                       lstar(R"("action":")" + std::string{other} + "\"", "m"));
        EXPECT_NE(said.find("(report-only)"), std::string::npos) << said;
        EXPECT_NE(said.find("contradicts"), std::string::npos) << said;
    }
}

TEST(policy_terms, are_kept_with_the_names_of_the_rules) {
    auto book = rule_book{}.with(
        compile(with_rules(lstar(R"("action":"report-only","rate":{"records":3,"per":"hour"})"))));
    auto const id = book.rules().at(0).rules.at(0).id;
    auto const again = rule_book::from_json(book.to_json());
    ASSERT_NE(again.name_of(id), nullptr);
    EXPECT_EQ(again.name_of(id)->terms, (rule_terms{true, {3, 3600}}));
    EXPECT_EQ(again.policies().at(0).rules.at(0).terms, (rule_terms{true, {3, 3600}}));
    enforced_policies enforced;
    enforced.policies = again.rules();
    EXPECT_TRUE(again.adjusted_to(enforced).policies().at(0).rules.at(0).terms.report_only);
}

TEST(policy_terms, other_terms_make_another_rule) {
    auto const book = rule_book{}.with(compile(with_rules(lstar(R"("action":"log")"))));
    auto const next = book.with(compile(with_rules(lstar(R"("action":"report-only")"))));
    EXPECT_NE(next.rules().at(0).rules.at(0).id, book.rules().at(0).rules.at(0).id)
        << "records of the one are not told as those of the other";
}

}
}
