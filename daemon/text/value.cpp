// SPDX-License-Identifier: MIT
#include <algorithm>

#include "daemon/text/document.hpp"
#include "daemon/text/nearest.hpp"
#include "daemon/text/number.hpp"
#include "daemon/text/printable.hpp"

namespace hv {
namespace {

/// What stands there, short enough for one line.
std::string shown(json_node const& node) {
    switch (node.type) {
    case json_node::kind::null:    return "null";
    case json_node::kind::boolean: return node.truth ? "true" : "false";
    case json_node::kind::number:  return std::to_string(node.number);
    case json_node::kind::real:    return "a negative or fractional number";
    case json_node::kind::text:    return "\"" + printable(node.text, 40) + "\"";
    case json_node::kind::array:   return "an array";
    case json_node::kind::object:  return "an object";
    }
    return {};
}

}

void value::fail(std::string const& what) const { in_->fail(node_->offset, path_, what); }

void value::expected(std::string_view what) const {
    fail("expected " + std::string{what} + ", found " + shown(*node_));
}

bool value::boolean() const {
    if (!is(json_node::kind::boolean)) expected("true or false");
    return node_->truth;
}

std::string const& value::text(std::string_view what) const {
    if (!is(json_node::kind::text)) expected(what);
    return node_->text;
}

std::uint64_t value::number(std::string_view what) const {
    if (is(json_node::kind::number)) return node_->number;
    auto const parsed = is(json_node::kind::text) ? parse_number(node_->text) : std::nullopt;
    if (!parsed) expected(what);
    return *parsed;
}

std::uint64_t value::number_between(std::uint64_t least, std::uint64_t most) const {
    auto const what = "a number from " + std::to_string(least) + " to " + std::to_string(most);
    auto const got = number(what);
    if (got < least || got > most) expected(what);
    return got;
}

std::vector<value> value::items() const {
    if (!is(json_node::kind::array)) expected("an array");
    std::vector<value> out;
    for (std::size_t i = 0; i < node_->items.size(); ++i) {
        out.push_back(value{*in_, node_->items[i], path_ + "[" + std::to_string(i) + "]"});
    }
    return out;
}

void value::only(std::span<std::string_view const> known) const {
    if (!is(json_node::kind::object)) expected("an object");
    for (auto const& [key, offset] : node_->keys) {
        if (std::find(known.begin(), known.end(), key) != known.end()) continue;
        std::string list;
        for (auto const each : known) {
            list += (list.empty() ? "" : ", ") + std::string{each};
        }
        in_->fail(offset, path_,
                  "unknown key \"" + printable(key, 40) + "\"" + nearest_hint(key, known) +
                      (list.empty() ? ", none is expected" : ", expected: " + list));
    }
}

std::optional<value> value::find(std::string_view key) const {
    if (!is(json_node::kind::object)) expected("an object");
    for (std::size_t i = 0; i < node_->keys.size(); ++i) {
        if (node_->keys[i].first != key) continue;
        return value{*in_, node_->items[i], path_ + (path_.empty() ? "" : ".") + std::string{key}};
    }
    return std::nullopt;
}

value value::at(std::string_view key) const {
    auto const found = find(key);
    if (!found) fail("key \"" + std::string{key} + "\" is missing");
    return *found;
}

}
