// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace hv {

/// Of the lines of the log: one more whenever a field changes its meaning or goes.
inline constexpr unsigned log_schema = 1;

enum class log_level : std::uint8_t { info, warning, error };

/// How bad it is that something of this kind happened.
log_level level_of(std::string_view kind);
std::string_view level_name(log_level level);
std::optional<log_level> parse_level(std::string_view name);

/// The fields that every line has, behind those that the line begins with. All but schema, level
/// and kind are null, for the caller to fill in what there is to say; docs/rpc.md documents them.
void add_common_fields(nlohmann::ordered_json& line, std::string const& kind);

}
