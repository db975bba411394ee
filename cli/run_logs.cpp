// SPDX-License-Identifier: MIT
#include <array>
#include <cstdio>
#include <ctime>

#include <nlohmann/json.hpp>

#include "cli/render.hpp"
#include "cli/run.hpp"
#include "daemon/log/event_log.hpp"
#include "daemon/log/schema.hpp"
#include "daemon/text/number.hpp"

namespace hv::cli {
namespace {

using nlohmann::ordered_json;

constexpr auto time_help = ": expected a time such as 2025-01-31T12:00:00Z, or how long ago: 90s, "
                           "10m, 2h, 1d";

bool looks_like_time(std::string const& text) {
    constexpr std::string_view shape = "dddd-dd-ddTdd:dd:dd";
    if (text.size() < shape.size() + 1 || text.back() != 'Z') return false;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        bool const digit = text[i] >= '0' && text[i] <= '9';
        if (shape[i] == 'd' ? !digit : text[i] != shape[i]) return false;
    }
    auto const fraction = text.substr(shape.size(), text.size() - shape.size() - 1);
    return fraction.empty() || (fraction.size() > 1 && fraction.front() == '.' &&
                                fraction.find_first_not_of("0123456789", 1) == fraction.npos);
}

/// hvd compares times as text, so all have the same form: no fraction sorts before any.
std::string read_time(std::string const& option, std::string const& text) {
    if (looks_like_time(text)) return text.substr(0, text.size() - 1);
    constexpr std::array<std::pair<char, std::uint64_t>, 4> units{
        {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}}};
    for (auto const& [letter, seconds] : units) {
        if (text.empty() || text.back() != letter) continue;
        auto const number = parse_number(text.substr(0, text.size() - 1));
        if (!number || *number > 1'000'000'000) break;
        auto const then = std::time(nullptr) - static_cast<time_t>(*number * seconds);
        tm parts{};
        std::array<char, 32> out{};
        if (then < 0 || gmtime_r(&then, &parts) == nullptr) break;
        return {out.data(), std::strftime(out.data(), out.size(), "%Y-%m-%dT%H:%M:%S", &parts)};
    }
    throw usage_error{option + time_help};
}

void print_record(context& with, ordered_json const& record) {
    if (with.json) with.print_json(record);
    if (!with.json) with.print(record_text(record, with.colour));
}

int follow(context& with, client& hvd) {
    for (;;) {
        std::fflush(with.out);
        auto const next = hvd.next_notification();
        if (next.is_null()) throw refusal{"hvd ended the connection: see its log"};
        auto const method = next.value("method", "");
        if (method == "log") print_record(with, next.at("params"));
        if (method == "log.skipped") {
            with.remark(std::to_string(next.at("params").value("count", 0)) +
                        " records were left out: this reader is too slow; hvctl logs has them");
        }
        if (std::ferror(with.out) != 0) return done;
    }
}

}

int run_logs(context& with, invocation const& what) {
    if (what.has("verify")) {
        if (what.given.size() > 1 + (what.has("file") ? 1 : 0))
            throw usage_error{"--verify goes with --file only"};
        return verify_logs(with, what.has("file") ? what.text("file") : log_options{}.path);
    }
    if (what.has("file")) throw usage_error{"--file goes with --verify only"};
    bool const follows = what.has("follow");
    auto params = ordered_json::object();
    for (std::string const each : {"since", "until"}) {
        if (what.has(each)) params[each] = read_time("--" + each, what.text(each));
    }
    for (std::string const each : {"rule", "vm", "level"}) {
        if (what.has(each)) params[each] = what.text(each);
    }
    if (what.has("level") && !parse_level(what.text("level")))
        throw usage_error{"--level: expected info, warning or error"};
    if (what.has("lines")) {
        auto const lines = parse_number(what.text("lines"));
        if (!lines || *lines > 1'000'000) throw usage_error{"--lines: expected 0 to 1000000"};
        params["last"] = *lines;
    }
    auto const hvd = with.hvd();
    for (;;) {
        auto const page = hvd->call(follows ? "logs.follow" : "logs.read", params);
        for (auto const& each : page.at("records")) {
            print_record(with, each);
        }
        if (!page.value("more", false)) break;
        params.erase("last");
        params["cursor"] = page.at("cursor");
    }
    return follows ? follow(with, *hvd) : done;
}

}
