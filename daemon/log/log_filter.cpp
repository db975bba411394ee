// SPDX-License-Identifier: MIT
#include "daemon/log/log_filter.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace hv {
namespace {

std::string field_text(char const* key, std::string_view value) {
    using nlohmann::json;
    auto const text = json(value).dump(-1, ' ', false, json::error_handler_t::replace);
    return std::string{"\""} + key + "\":" + text;
}

}

void log_filter::only_rule(std::string const& name) {
    auto const slash = name.find('/');
    wanted_.push_back({field_text("policy", name.substr(0, slash))});
    if (slash != name.npos) wanted_.push_back({field_text("rule", name.substr(slash + 1))});
}

/// What a guest brought about has its user, too, and the field that follows.
void log_filter::only_vm(std::string const& name) {
    wanted_.push_back({field_text("vm", name), " (" + name + ")\",\"reason\":"});
}

void log_filter::only_level(log_level least) {
    std::vector<std::string> any;
    for (auto const each : {log_level::info, log_level::warning, log_level::error}) {
        if (each >= least) any.push_back(field_text("level", level_name(each)));
    }
    wanted_.push_back(std::move(any));
}

bool log_filter::matches(std::string_view line) const {
    auto const time = time_of(line);
    if (!since.empty() && time < since) return false;
    if (!until.empty() && time.substr(0, until.size()) > until) return false;
    auto const has = [&](std::string const& text) { return line.find(text) != line.npos; };
    return std::all_of(wanted_.begin(), wanted_.end(),
                       [&](auto const& any) { return std::any_of(any.begin(), any.end(), has); });
}

std::string_view time_of(std::string_view line) {
    constexpr std::string_view start = "{\"time\":\"";
    if (!line.starts_with(start)) return {};
    line.remove_prefix(start.size());
    return line.substr(0, line.find('"'));
}

}
