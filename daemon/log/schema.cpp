// SPDX-License-Identifier: MIT
#include "daemon/log/schema.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

namespace hv {
namespace {

constexpr std::array<std::string_view, 3> level_names{"info", "warning", "error"};

// The machine or the log itself is not as it should be.
constexpr std::array<std::string_view, 8> bad{"unexpected_exit", "entry_failed", "triple_fault",
                                              "machine_check",   "root_fault",   "lost",
                                              "dropped",         "hash_mismatch"};

}

log_level level_of(std::string_view kind) {
    if (std::find(bad.begin(), bad.end(), kind) != bad.end()) return log_level::error;
    bool const refused = kind.ends_with("_denied") || kind.ends_with("_kept") ||
                         kind.starts_with("core_") || kind == "guest_paused" ||
                         kind == "guest_killed";
    return refused || kind == "limited" || kind == "shootdown_slow" ? log_level::warning
                                                                    : log_level::info;
}

std::string_view level_name(log_level level) {
    return level_names.at(static_cast<std::size_t>(level));
}

std::optional<log_level> parse_level(std::string_view name) {
    auto const at = std::find(level_names.begin(), level_names.end(), name);
    if (at == level_names.end()) return std::nullopt;
    return static_cast<log_level>(at - level_names.begin());
}

void add_common_fields(nlohmann::ordered_json& line, std::string const& kind) {
    line["schema"] = log_schema;
    line["level"] = level_name(level_of(kind));
    line["kind"] = kind;
    for (auto const* each :
         {"cpu", "vm", "reason", "policy", "rule", "rule_id", "object", "address", "value", "old",
          "access", "rip", "symbol", "process", "pid"}) {
        line[each] = nullptr;
    }
}

}
