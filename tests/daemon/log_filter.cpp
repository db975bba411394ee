// SPDX-License-Identifier: MIT
#include "daemon/log/log_filter.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "daemon/service/systemd.hpp"

namespace hv {
namespace {

std::string line(std::string const& kind, char const* policy, char const* rule,
                 std::string const& vm = "root", std::string const& message = "m") {
    nlohmann::ordered_json out{{"time", "2025-01-31T12:00:00.500000Z"}};
    add_common_fields(out, kind);
    out["vm"] = vm;
    if (policy != nullptr) out["policy"] = policy;
    if (rule != nullptr) out["rule"] = rule;
    out["message"] = message;
    return out.dump();
}

TEST(log_filter, takes_all_at_first) { EXPECT_TRUE(log_filter{}.matches("anything")); }

TEST(log_filter, by_policy_and_rule) {
    log_filter policy;
    policy.only_rule("entry");
    EXPECT_TRUE(policy.matches(line("msr_denied", "entry", "lstar")));
    EXPECT_FALSE(policy.matches(line("msr_denied", "entry2", "lstar")));
    EXPECT_FALSE(policy.matches(line("msr_denied", nullptr, nullptr)));
    log_filter rule;
    rule.only_rule("entry/lstar");
    EXPECT_TRUE(rule.matches(line("msr_denied", "entry", "lstar")));
    EXPECT_FALSE(rule.matches(line("msr_denied", "entry", "star")));
}

TEST(log_filter, by_vm_and_not_by_what_a_message_says) {
    log_filter only;
    only.only_vm("web");
    EXPECT_TRUE(only.matches(line("vm_started", nullptr, nullptr, "web")));
    EXPECT_FALSE(only.matches(line("vm_started", nullptr, nullptr, "root", R"("vm":"web")")));
    EXPECT_FALSE(only.matches(line("vm_started", nullptr, nullptr, "web2")));
}

TEST(log_filter, by_vm_also_where_the_user_is_told) {
    log_filter only;
    only.only_vm("web");
    EXPECT_TRUE(only.matches(line("guest_denied", "p", "r", "user 1000 (web)")));
    EXPECT_FALSE(only.matches(line("guest_denied", "p", "r", "user 1000 (web2)")));
    EXPECT_FALSE(only.matches(line("guest_denied", "p", "r", "user 1000")));
    EXPECT_FALSE(
        only.matches(line("vm_started", nullptr, nullptr, "root", " (web)\",\"reason\":")));
}

TEST(log_filter, by_level_and_worse) {
    log_filter only;
    only.only_level(log_level::warning);
    EXPECT_FALSE(only.matches(line("launched", nullptr, nullptr)));
    EXPECT_TRUE(only.matches(line("cr_denied", nullptr, nullptr)));
    EXPECT_TRUE(only.matches(line("lost", nullptr, nullptr)));
    only.only_level(log_level::error);
    EXPECT_FALSE(only.matches(line("cr_denied", nullptr, nullptr)));
}

TEST(log_filter, by_time_with_bounds_that_belong_to_it) {
    auto const text = line("launched", nullptr, nullptr);
    log_filter only;
    only.since = only.until = "2025-01-31T12:00:00";
    EXPECT_TRUE(only.matches(text));
    only.since = "2025-01-31T12:00:01";
    EXPECT_FALSE(only.matches(text));
    only.since.clear();
    only.until = "2025-01-31T11:59:59";
    EXPECT_FALSE(only.matches(text));
}

TEST(journal_fields, has_each_field_that_says_something) {
    auto const text = line("msr_denied", "entry", "lstar");
    auto const fields = journal_fields(text);
    auto const has = [&](std::string const& wanted) {
        return std::count(fields.begin(), fields.end(), wanted) == 1;
    };
    EXPECT_TRUE(has("MESSAGE=m"));
    EXPECT_TRUE(has("PRIORITY=4"));
    EXPECT_TRUE(has("HV_KIND=msr_denied"));
    EXPECT_TRUE(has("HV_POLICY=entry"));
    EXPECT_TRUE(has("HV_RULE=lstar"));
    EXPECT_TRUE(has("HV_SCHEMA=1"));
    EXPECT_TRUE(has("HV_RECORD=" + text));
    for (auto const& each : fields) {
        EXPECT_EQ(each.find("null"), each.starts_with("HV_RECORD") ? each.find("null") : each.npos);
    }
    EXPECT_TRUE(journal_fields("no record").empty());
}

}
}
