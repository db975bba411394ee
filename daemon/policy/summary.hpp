// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "daemon/policy/compiled.hpp"

namespace hv {

/// What `policy check` and `policy apply` answer: name, number of rules, notes, and for each rule
/// what it costs.
nlohmann::ordered_json summary_json(compiled_policy const& policy);

}
