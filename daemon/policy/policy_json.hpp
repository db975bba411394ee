// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "daemon/policy/compiled.hpp"

namespace hv {

/// What `policy show` answers: name, description, path, and all that is known of each rule.
nlohmann::ordered_json policy_json(compiled_policy const& policy);

}
