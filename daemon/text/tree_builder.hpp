// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json.hpp>

#include "daemon/text/document.hpp"

namespace hv {

/// Receives the events of nlohmann's parser and builds the tree. The parser says where it failed,
/// not where a value stands, so this walks the same text beside it, from token to token.
class tree_builder {
public:
    using json = nlohmann::json;

    tree_builder(std::string_view text, json_node& root, document_limits const& limits);

    bool null();
    bool boolean(bool truth);
    bool number_integer(json::number_integer_t number);
    bool number_unsigned(json::number_unsigned_t number);
    bool number_float(json::number_float_t, json::string_t const&);
    bool string(json::string_t& text);
    bool binary(json::binary_t&);
    bool start_object(std::size_t);
    bool key(json::string_t& name);
    bool end_object();
    bool start_array(std::size_t);
    bool end_array();
    bool parse_error(std::size_t position, std::string const&, json::exception const& error);

    std::string const& error() const { return error_; }
    std::string const& error_path() const { return error_path_; }
    std::size_t error_offset() const { return error_offset_; }

private:
    std::size_t begin_token();
    void skip_string();
    void skip_word();
    json_node* add(json_node::kind kind);
    bool open(json_node::kind kind);
    bool refuse(std::size_t offset, std::string what);
    std::string path() const;

    std::string_view text_;
    json_node& root_;
    document_limits limits_;
    std::vector<json_node*> open_;
    std::size_t cursor_{};
    std::size_t values_{};
    std::string error_;
    std::string error_path_;
    std::size_t error_offset_{};
};

}
