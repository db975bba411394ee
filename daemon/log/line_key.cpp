// SPDX-License-Identifier: MIT
#include "daemon/log/line_key.hpp"

#include "daemon/text/number.hpp"

namespace hv {
namespace {

/// Takes `start` and what follows it up to `end` off the line.
std::optional<std::uint64_t> take(std::string_view& line, std::string_view start, char end) {
    if (!line.starts_with(start)) return std::nullopt;
    line.remove_prefix(start.size());
    auto const stop = line.find(end);
    if (stop == line.npos) return std::nullopt;
    auto const number = parse_number(line.substr(0, stop));
    line.remove_prefix(stop + 1);
    return number;
}

}

// {"time":"…","session":"0x…","ring":N,"sequence":N, or "dropped_total":N, in that order.
std::optional<line_key> read_line_key(std::string_view line) {
    constexpr std::string_view time = "{\"time\":\"";
    if (!line.starts_with(time)) return std::nullopt;
    line.remove_prefix(time.size());
    auto const stop = line.find('"');
    if (stop == line.npos) return std::nullopt;
    line.remove_prefix(stop + 1);
    auto const session = take(line, ",\"session\":\"", '"');
    auto const ring = take(line, ",\"ring\":", ',');
    if (!session || !ring || *ring > 0xffffffff) return std::nullopt;
    line_key key{*session, static_cast<std::uint32_t>(*ring), std::nullopt, 0};
    key.sequence = take(line, "\"sequence\":", ',');
    if (!key.sequence) key.dropped_total = take(line, "\"dropped_total\":", ',').value_or(0);
    return key;
}

}
