// SPDX-License-Identifier: MIT
#include "daemon/api/json_rpc.hpp"

namespace hv {
namespace {

using nlohmann::ordered_json;

constexpr document_limits request_limits{
    .bytes = request_line_bytes, .depth = 16, .values = 10'000};

ordered_json read_id(value const& from) {
    if (from.is(json_node::kind::null)) return nullptr;
    if (from.is(json_node::kind::number)) return from.node().number;
    if (from.is(json_node::kind::text) && from.text().size() <= 128) return from.text();
    throw rpc_error{rpc_code::invalid_request,
                    "id: expected a whole number or a string of at most 128 bytes"};
}

}

void rpc_request::read(std::string line) {
    try {
        document_.emplace("", std::move(line), request_limits);
    } catch (document_error const& error) {
        throw rpc_error{rpc_code::parse_error, error.what()};
    }
    try {
        read_envelope(value{*document_});
    } catch (document_error const& error) {
        throw rpc_error{rpc_code::invalid_request, error.what()};
    }
}

void rpc_request::read_envelope(value const& root) {
    if (root.is(json_node::kind::array)) {
        throw rpc_error{rpc_code::invalid_request, "batches are not served: send one by one"};
    }
    auto const id = root.find("id");
    notification_ = !id.has_value();
    if (id) id_ = read_id(*id);
    root.only({"jsonrpc", "id", "method", "params"});
    if (root.at("jsonrpc").text() != "2.0") root.at("jsonrpc").fail("expected \"2.0\"");
    method_ = root.at("method").text();
    params_ = root.find("params");
    if (params_ && !params_->is(json_node::kind::object)) params_->fail("expected an object");
}

std::string encode_line(ordered_json const& object) {
    return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

ordered_json answer_object(ordered_json const& id, ordered_json result) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}};
}

ordered_json error_object(ordered_json const& id, rpc_error const& error) {
    ordered_json body{{"code", static_cast<int>(error.code())}, {"message", error.what()}};
    if (error.number() != 0) body["data"] = {{"errno", error.number()}};
    return {{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(body)}};
}

ordered_json notification_object(std::string const& method, ordered_json params) {
    return {{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}};
}

}
