// SPDX-License-Identifier: MIT
// Rules that wait for markers: the names, and the numbers that the core knows them by.
#include <gtest/gtest.h>

#include "daemon/policy/rule_book.hpp"
#include "policy_fixture.hpp"

namespace hv {
namespace {

std::string waits_for(std::string const& marker, unsigned msr = 1, std::string const& more = "") {
    return R"({"name":"r)" + std::to_string(msr) + R"(","kind":"msr","msr":)" +
           std::to_string(msr) + R"(,"access":["write"],"action":"deny","when":{"marker":")" +
           marker + "\"}" + more + "}";
}
compiled_policy policy(std::string const& name, std::string const& rules) {
    return compile(R"({"version":1,"name":")" + name + R"(","rules":[)" + rules + "]}");
}
std::uint32_t number_in(rule_book const& book, std::size_t at, std::size_t rule = 0) {
    return marker_of(book.rules().at(at).rules.at(rule));
}
rule_book reached(rule_book const& book, std::uint64_t markers) {
    return book.adjusted_to({false, markers, book.rules()});
}

TEST(policy_markers, a_marker_is_a_name) {
    auto const rule = compile(with_rules(waits_for("up"))).rules.at(0);
    EXPECT_EQ(rule.marker, "up");
    EXPECT_EQ(when_text(rule), "marker up");
    EXPECT_EQ(refused_rule(waits_for("U p")),
              "2:87: rules[0].when.marker: expected a name of 1 to 63 of a-z, 0-9 and \"-\", found "
              "\"U p\"");
    EXPECT_EQ(refused_rule(waits_for("seal")),
              "2:87: rules[0].when.marker: the seal is no such marker: expected another name, or "
              "\"when\": \"seal\"");
    EXPECT_NE(refused_rule(R"({"name":"a","kind":"msr","msr":1,"access":["write"],
        "action":"deny","when":{}})")
                  .find("rules[0].when: key \"marker\" is missing"),
              std::string::npos);
    EXPECT_NE(refused_rule(R"({"name":"a","kind":"msr","msr":1,"access":["write"],
        "action":"deny","when":7})")
                  .find("rules[0].when: expected \"now\", \"seal\" or {\"marker\": NAME}, found 7"),
              std::string::npos);
}

TEST(policy_markers, the_same_name_has_the_same_number_in_all_policies) {
    auto const book = rule_book{}
                          .with(policy("a", waits_for("up") + "," + waits_for("net", 2)))
                          .with(policy("b", waits_for("net", 3) + "," + waits_for("up", 4)));
    EXPECT_EQ(number_in(book, 0, 0), 2u);
    EXPECT_EQ(number_in(book, 0, 1), 3u);
    EXPECT_EQ(number_in(book, 1, 0), 3u);
    EXPECT_EQ(number_in(book, 1, 1), 2u);
    EXPECT_EQ(book.waited_for(), (std::vector<std::string>{"up", "net"}));
    EXPECT_EQ(book.marker_called("net"), 3u);
    EXPECT_EQ(book.marker_called("other"), std::nullopt);
    EXPECT_EQ(book.marker_name(2), "up");
    EXPECT_EQ(book.marker_name(9), "");
}

TEST(policy_markers, a_rule_keeps_its_id_and_its_number) {
    auto const book = rule_book{}.with(policy("a", waits_for("up")));
    auto const again = book.with(policy("a", waits_for("net", 2) + "," + waits_for("up")));
    EXPECT_EQ(number_in(again, 0, 1), 2u);
    EXPECT_EQ(number_in(again, 0, 0), 3u);
    EXPECT_EQ(again.rules().at(0).rules.at(1).id, book.rules().at(0).rules.at(0).id);
}

TEST(policy_markers, a_number_is_free_when_nothing_waits_and_it_was_not_reached) {
    auto const first = rule_book{}.with(policy("a", waits_for("up")));
    auto const other = first.without("a").with(policy("b", waits_for("net")));
    EXPECT_EQ(number_in(other, 0), 2u);
    EXPECT_EQ(other.marker_called("up"), std::nullopt) << "nothing waits for it any more";
    auto const kept = reached(first, 1u << 2).without("a").with(policy("b", waits_for("net")));
    EXPECT_EQ(number_in(kept, 0), 3u);
    EXPECT_EQ(kept.reached(), std::vector<std::string>{"up"});
    EXPECT_EQ(kept.marker_called("up"), 2u);
    EXPECT_EQ(kept.waited_for(), std::vector<std::string>{"net"});
}

TEST(policy_markers, reached_ones_are_told_without_the_seal) {
    auto const book = reached(rule_book{}.with(policy("a", waits_for("up"))), 0x26);
    EXPECT_TRUE(book.sealed());
    EXPECT_EQ(book.reached(), (std::vector<std::string>{"up", "marker 5"}));
    EXPECT_TRUE(book.waited_for().empty());
    EXPECT_FALSE(rule_book{}.sealed());
}

TEST(policy_markers, without_names_they_are_told_by_number_and_left_alone) {
    auto const saved = rule_book{}.with(policy("a", waits_for("up")));
    auto const book = rule_book{}.adjusted_to({false, 1u << 3, saved.rules()});
    EXPECT_EQ(when_text(book.policies().at(0).rules.at(0)), "marker 2");
    EXPECT_EQ(book.waited_for(), std::vector<std::string>{"marker 2"});
    EXPECT_EQ(book.reached(), std::vector<std::string>{"marker 3"});
    auto const next = book.with(policy("b", waits_for("up", 2)));
    EXPECT_EQ(number_in(next, 1), 4u);
}

TEST(policy_markers, names_are_saved) {
    auto const book = rule_book{}.with(policy("a", waits_for("up")));
    auto const again = rule_book::from_json(book.to_json());
    EXPECT_EQ(again.to_json(), book.to_json());
    EXPECT_EQ(again.marker_called("up"), 2u);
    // A sleep takes the policies away, and hv.ko brings them back.
    auto const back = again.adjusted_to({}).adjusted_to({false, 0, book.rules()});
    EXPECT_EQ(back.waited_for(), std::vector<std::string>{"up"});
    EXPECT_EQ(when_text(back.policies().at(0).rules.at(0)), "marker up");
}

TEST(policy_markers, there_are_as_many_as_the_core_knows) {
    std::string rules;
    for (unsigned i = 2; i < HV_MARKERS; ++i) {
        rules += (i == 2 ? "" : ",") + waits_for("m" + std::to_string(i), i);
    }
    auto const full = rule_book{}.with(policy("a", rules));
    EXPECT_EQ(number_in(full, 0, 61), 63u);
    EXPECT_EQ(
        refusal_of<policy_error>([&] { (void)full.with(policy("b", waits_for("more", 99))); }),
        "there are 62 markers that rules wait for or that were reached, as many as the core "
        "knows: no number is left for the marker \"more\"");
    EXPECT_NO_THROW((void)full.with(policy("b", waits_for("m7", 99))));
}

TEST(policy_markers, a_lasting_rule_lasts_from_its_marker_on) {
    auto const book = rule_book{}.with(policy("a", waits_for("up", 1, R"(,"lifetime":"hoisted")")));
    EXPECT_NO_THROW(book.emptied().require_lasting(book));
    EXPECT_NO_THROW(book.emptied().require_lasting(reached(book, 1u << 1)));
    EXPECT_NE(refusal_of<policy_error>([&] {
                  book.emptied().require_lasting(reached(book, 1u << 2));
              }).find("can be neither removed nor changed"),
              std::string::npos);
}

}
}
