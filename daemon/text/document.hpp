// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hv {

/// "FILE:LINE:COLUMN: KEY: what is wrong and what was expected".
class document_error : public std::runtime_error {
public:
    using runtime_error::runtime_error;
};

struct json_node {
    enum class kind : std::uint8_t { null, boolean, number, real, text, array, object };

    kind type{};
    bool truth{};
    std::size_t offset{};
    std::uint64_t number{};
    std::string text;
    std::vector<std::pair<std::string, std::size_t>> keys;    // of an object, with their offsets
    std::vector<json_node> items;                             // of an array, or the keys' values
};

struct document_limits {
    std::size_t bytes = 1u << 20;
    std::size_t depth = 16;
    std::size_t values = 100'000;
};

/// JSON text whose every value knows where it stands. Refuses what JSON leaves open: keys given
/// twice, and anything beyond the limits.
class document {
public:
    /// name   goes before each error; empty: neither name nor place is said.
    document(std::string name, std::string text, document_limits const& limits = {});

    json_node const& root() const { return root_; }
    std::string const& name() const { return name_; }
    /// "FILE:LINE:COLUMN", empty for a document without a name.
    std::string place(std::size_t offset) const;
    [[noreturn]] void fail(std::size_t offset, std::string const& path,
                           std::string const& what) const;

private:
    std::string name_;
    std::string text_;
    json_node root_;
};

/// One value of a document together with its key path: what a reader of files holds.
class value {
public:
    explicit value(document const& in) : in_{&in}, node_{&in.root()} {}

    json_node const& node() const { return *node_; }
    std::string const& path() const { return path_; }
    bool is(json_node::kind kind) const { return node_->type == kind; }
    std::string place() const { return in_->place(node_->offset); }
    [[noreturn]] void fail(std::string const& what) const;

    bool boolean() const;
    std::string const& text(std::string_view expected = "a string") const;
    /// A JSON integer, or a string as "0x…" or decimal.
    std::uint64_t number(std::string_view expected = "a number or \"0x…\"") const;
    std::uint64_t number_between(std::uint64_t least, std::uint64_t most) const;
    std::vector<value> items() const;

    /// Each key must be one of these, and the value an object.
    void only(std::span<std::string_view const> known) const;
    void only(std::initializer_list<std::string_view> known) const {
        only(std::span{known.begin(), known.size()});
    }
    std::optional<value> find(std::string_view key) const;
    value at(std::string_view key) const;

private:
    value(document const& in, json_node const& node, std::string path)
        : in_{&in}, node_{&node}, path_{std::move(path)} {}
    [[noreturn]] void expected(std::string_view what) const;

    document const* in_;
    json_node const* node_;
    std::string path_;
};

}
