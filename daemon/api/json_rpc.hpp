// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>

#include <nlohmann/json.hpp>

#include "daemon/text/document.hpp"

namespace hv {

// A policy file of 1 MiB, every byte of it escaped, and the envelope around it.
constexpr std::size_t request_line_bytes = (2u << 20) + 4096;

enum class rpc_code : int {
    parse_error = -32700,
    invalid_request = -32600,
    method_not_found = -32601,
    invalid_params = -32602,
    internal_error = -32603,
    refused = 1,          // hv.ko or hvd refuses or fails: data.errno where there is one
    not_permitted = 2,    // this peer may not ask for that
    bad_policy = 3,       // a policy file, or a VM file, that is not sound
};

class rpc_error : public std::runtime_error {
public:
    rpc_error(rpc_code code, std::string const& text, int number = 0)
        : std::runtime_error{text}, code_{code}, number_{number} {}
    rpc_code code() const { return code_; }
    int number() const { return number_; }

private:
    rpc_code code_;
    int number_;
};

/// One request of JSON-RPC 2.0. Holds its document, which `params` looks into.
class rpc_request {
public:
    rpc_request() = default;
    rpc_request(rpc_request const&) = delete;
    rpc_request& operator=(rpc_request const&) = delete;

    /// Errors: rpc_error, with the id known as far as it was read.
    void read(std::string line);

    std::string const& method() const { return method_; }
    /// An object, always: a request without params has an empty one.
    value params() const { return params_ ? *params_ : value{none_}.at("params"); }
    nlohmann::ordered_json const& id() const { return id_; }
    /// A request without an id wants no answer.
    bool notification() const { return notification_; }

private:
    void read_envelope(value const& root);

    std::optional<document> document_;
    document const none_{"", R"({"params":{}})"};
    std::optional<value> params_;
    nlohmann::ordered_json id_ = nullptr;
    std::string method_;
    bool notification_ = false;
};

/// One line, the newline included.
std::string encode_line(nlohmann::ordered_json const& object);
nlohmann::ordered_json answer_object(nlohmann::ordered_json const& id,
                                     nlohmann::ordered_json result);
nlohmann::ordered_json error_object(nlohmann::ordered_json const& id, rpc_error const& error);
nlohmann::ordered_json notification_object(std::string const& method,
                                           nlohmann::ordered_json params);

}
