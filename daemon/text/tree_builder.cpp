// SPDX-License-Identifier: MIT
#include "daemon/text/tree_builder.hpp"

#include <algorithm>

#include "daemon/text/printable.hpp"

namespace hv {

tree_builder::tree_builder(std::string_view text, json_node& root, document_limits const& limits)
    : text_{text}, root_{root}, limits_{limits} {
    if (text_.starts_with("\xef\xbb\xbf")) cursor_ = 3;
}

bool tree_builder::null() {
    auto* const node = add(json_node::kind::null);
    skip_word();
    return node != nullptr;
}

bool tree_builder::boolean(bool truth) {
    auto* const node = add(json_node::kind::boolean);
    skip_word();
    if (node != nullptr) node->truth = truth;
    return node != nullptr;
}

bool tree_builder::number_integer(json::number_integer_t) {
    auto* const node = add(json_node::kind::real);
    skip_word();
    return node != nullptr;
}

bool tree_builder::number_unsigned(json::number_unsigned_t number) {
    auto* const node = add(json_node::kind::number);
    skip_word();
    if (node != nullptr) node->number = number;
    return node != nullptr;
}

bool tree_builder::number_float(json::number_float_t, json::string_t const&) {
    auto* const node = add(json_node::kind::real);
    skip_word();
    return node != nullptr;
}

bool tree_builder::string(json::string_t& text) {
    auto* const node = add(json_node::kind::text);
    skip_string();
    if (node != nullptr) node->text = std::move(text);
    return node != nullptr;
}

bool tree_builder::binary(json::binary_t&) { return false; }
bool tree_builder::start_object(std::size_t) { return open(json_node::kind::object); }
bool tree_builder::start_array(std::size_t) { return open(json_node::kind::array); }

bool tree_builder::key(json::string_t& name) {
    auto const offset = begin_token();
    skip_string();
    auto& keys = open_.back()->keys;
    auto const same = [&](auto const& each) { return each.first == name; };
    if (std::any_of(keys.begin(), keys.end(), same)) {
        return refuse(offset, "key \"" + printable(name) + "\" is given twice");
    }
    // Looking for a double is a walk over all keys before it: bound the square.
    if (keys.size() >= 256) return refuse(offset, "more than 256 keys in one object");
    keys.emplace_back(std::move(name), offset);
    return true;
}

bool tree_builder::end_object() {
    begin_token();
    ++cursor_;
    open_.pop_back();
    return true;
}

bool tree_builder::end_array() { return end_object(); }

bool tree_builder::parse_error(std::size_t position, std::string const&,
                               json::exception const& error) {
    // "[json.exception…] parse error at line 1, column 2: …": the place is ours to say.
    std::string_view text = error.what();
    if (auto const end = text.find("] "); end != text.npos) text.remove_prefix(end + 2);
    if (auto const end = text.find(": "); text.starts_with("parse error") && end != text.npos) {
        text.remove_prefix(end + 2);
    }
    return refuse(std::min(position == 0 ? 0 : position - 1, text_.size()),
                  "not JSON: " + printable(text, 200));
}

std::size_t tree_builder::begin_token() {
    cursor_ = std::min(text_.find_first_not_of(" \t\r\n,:", cursor_), text_.size());
    return cursor_;
}

void tree_builder::skip_string() {
    for (++cursor_; cursor_ < text_.size() && text_[cursor_] != '"'; ++cursor_) {
        if (text_[cursor_] == '\\') ++cursor_;
    }
    ++cursor_;
}

void tree_builder::skip_word() {
    cursor_ = std::min(text_.find_first_of(" \t\r\n,:]}", cursor_), text_.size());
}

json_node* tree_builder::add(json_node::kind kind) {
    auto const offset = begin_token();
    if (++values_ > limits_.values) {
        refuse(offset, "more than " + std::to_string(limits_.values) + " values");
        return nullptr;
    }
    json_node* node = &root_;
    if (!open_.empty()) node = &open_.back()->items.emplace_back();
    node->type = kind;
    node->offset = offset;
    return node;
}

bool tree_builder::open(json_node::kind kind) {
    auto* const node = add(kind);
    ++cursor_;
    if (node == nullptr) return false;
    if (open_.size() == limits_.depth) {
        return refuse(node->offset,
                      "nested deeper than " + std::to_string(limits_.depth) + " levels");
    }
    open_.push_back(node);
    return true;
}

bool tree_builder::refuse(std::size_t offset, std::string what) {
    error_path_ = path();
    error_ = std::move(what);
    error_offset_ = offset;
    return false;
}

std::string tree_builder::path() const {
    std::string out;
    for (auto const* const each : open_) {
        if (each->type == json_node::kind::array) {
            if (!each->items.empty()) out += "[" + std::to_string(each->items.size() - 1) + "]";
        } else if (!each->keys.empty()) {
            out += (out.empty() ? "" : ".") + printable(each->keys.back().first);
        }
    }
    return out;
}

}
