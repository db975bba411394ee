// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace hv::cli {

// The JSON that hvd answers (docs/rpc.md), as people read it.
std::string status_text(nlohmann::ordered_json const& status, bool colour);
std::string stats_text(nlohmann::ordered_json const& stats);
/// Exits per second between two answers that lie `seconds` apart.
std::string rates_text(nlohmann::ordered_json const& before, nlohmann::ordered_json const& now,
                       double seconds);
std::string dump_text(nlohmann::ordered_json const& dump);
std::string record_text(nlohmann::ordered_json const& record, bool colour);

}
