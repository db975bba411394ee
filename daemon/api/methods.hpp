// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

#include "daemon/api/json_rpc.hpp"
#include "daemon/api/service.hpp"

namespace hv {

enum class right : bool { read, change };

struct method {
    std::string_view name;
    right needs;
    nlohmann::ordered_json (service::*run)(value const& params, peer const& who);
};

std::span<method const> methods();

/// Runs a request; every refusal comes as rpc_error.
nlohmann::ordered_json call_method(service& on, rpc_request const& request, peer const& who);

}
