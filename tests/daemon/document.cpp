// SPDX-License-Identifier: MIT
#include "daemon/text/document.hpp"

#include <array>

#include <gtest/gtest.h>

#include "daemon/text/nearest.hpp"
#include "daemon/text/number.hpp"
#include "daemon/text/printable.hpp"
#include "temporary_folder.hpp"

namespace hv {
namespace {

std::string refused(std::string const& text, document_limits const& limits = {}) {
    return refusal_of<document_error>([&] { (void)document{"f.json", text, limits}; });
}

TEST(document, knows_where_each_value_stands) {
    document const file{"f.json", "{ \"a\": [1, \"x\\\"y\", {\"b\" : true}],\n  \"c\":null}"};
    value const root{file};
    auto const items = root.at("a").items();
    EXPECT_EQ(items[0].place(), "f.json:1:9");
    EXPECT_EQ(items[1].place(), "f.json:1:12");
    EXPECT_EQ(items[2].at("b").place(), "f.json:1:27");
    EXPECT_EQ(root.at("c").place(), "f.json:2:7");
}

TEST(document, survives_a_byte_order_mark_and_escapes) {
    document const file{"f.json", "\xef\xbb\xbf{\"\\u0061\\\\\": \"\\n\",\"z\":5}"};
    value const root{file};
    EXPECT_EQ(root.at("a\\").text(), "\n");
    EXPECT_EQ(root.at("z").number(), 5u);
    EXPECT_EQ(root.at("z").place(), "f.json:1:26");
}

TEST(document, names_the_place_of_a_syntax_error) {
    EXPECT_EQ(refused("{\"a\":\n  ]}").substr(0, 28), "f.json:2:3: a: not JSON: syn");
    EXPECT_NE(refused("").find("f.json:1:1: not JSON"), std::string::npos);
    EXPECT_NE(refused("{} {}").find("f.json:1:4"), std::string::npos);
    EXPECT_NE(refused("[1e999]").find("number overflow"), std::string::npos);
    EXPECT_NE(refused("\"\xff\"").find("invalid"), std::string::npos);
}

TEST(document, refuses_a_key_given_twice) {
    EXPECT_EQ(refused("{\"a\": {\"b\": 1,\n \"b\": 2}}"),
              "f.json:2:2: a.b: key \"b\" is given twice");
}

TEST(document, bounds_depth_bytes_and_values) {
    EXPECT_EQ(refused("[[[1]]]", {.bytes = 100, .depth = 2, .values = 10}),
              "f.json:1:3: [0][0]: nested deeper than 2 levels");
    EXPECT_EQ(refused("[1,2,3]", {.bytes = 100, .depth = 2, .values = 3}),
              "f.json:1:6: [1]: more than 3 values");
    EXPECT_EQ(refused("[1,2,3]", {.bytes = 6, .depth = 2, .values = 9}),
              "f.json:1:1: longer than 6 bytes");
    EXPECT_NE(refused(std::string(200'000, '[')).find("nested deeper"), std::string::npos);
}

TEST(document, a_wrong_kind_says_what_was_expected_and_found) {
    document const file{"f.json", R"({"n": -1, "t": "text", "b": 1, "o": []})"};
    value const root{file};
    auto const of = [](auto call) { return refusal_of<document_error>(call); };
    EXPECT_EQ(of([&] { root.at("n").number(); }),
              "f.json:1:7: n: expected a number or \"0x…\", found a negative or fractional number");
    EXPECT_EQ(of([&] { root.at("b").boolean(); }),
              "f.json:1:29: b: expected true or false, found 1");
    EXPECT_EQ(of([&] { root.at("t").number_between(1, 9); }),
              "f.json:1:16: t: expected a number from 1 to 9, found \"text\"");
    EXPECT_EQ(of([&] { root.at("o").at("x"); }),
              "f.json:1:37: o: expected an object, found an array");
    EXPECT_EQ(of([&] { root.at("x"); }), "f.json:1:1: key \"x\" is missing");
}

TEST(document, an_unknown_key_names_the_nearest) {
    document const file{"", R"({"pollicy": 1})"};
    EXPECT_EQ(refusal_of<document_error>([&] { value{file}.only({"policy", "name"}); }),
              "unknown key \"pollicy\" (nearest: policy), expected: policy, name");
}

TEST(document, an_error_never_carries_control_characters) {
    document const file{"", R"({"\u001b[31mred": 1})"};
    EXPECT_EQ(refusal_of<document_error>([&] { value{file}.only({"name"}); }),
              "unknown key \"?[31mred\", expected: name");
}

TEST(number, is_decimal_or_hexadecimal_and_nothing_else) {
    EXPECT_EQ(parse_number("0xC0000082"), 0xc0000082u);
    EXPECT_EQ(parse_number("18446744073709551615"), ~0ull);
    for (auto const* const bad :
         {"", "0x", "-1", "+1", " 1", "1 ", "1k", "18446744073709551616", "0x10000000000000000"}) {
        EXPECT_FALSE(parse_number(bad)) << bad;
    }
    EXPECT_EQ(hex(0), "0x0");
    EXPECT_EQ(human_bytes(1023), "1023 bytes");
    EXPECT_EQ(human_bytes(2u << 20), "2 MiB");
    EXPECT_EQ(human_bytes(1'990'000), "1.9 MiB");
}

TEST(printable, cuts_between_characters) {
    EXPECT_EQ(printable("ab\u00e4cd", 3), "ab...");
    EXPECT_EQ(printable("ab\u00e4cd", 4), "ab\u00e4...");
    EXPECT_EQ(printable("a\tb"), "a?b");
}

TEST(nearest, wants_a_likely_slip) {
    std::array<std::string_view, 3> const words{"start", "stop", "status"};
    EXPECT_EQ(nearest("statsu", words), "status");
    EXPECT_EQ(nearest("xyzzyx", words), "");
    EXPECT_EQ(nearest(std::string(100'000, 's'), words), "");
}

}
}
