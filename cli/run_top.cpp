// SPDX-License-Identifier: MIT
#include <cerrno>
#include <charconv>
#include <cmath>
#include <ctime>

#include <nlohmann/json.hpp>

#include "cli/render.hpp"
#include "cli/run.hpp"
#include "daemon/text/number.hpp"

namespace hv::cli {
namespace {

double now_seconds() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

void pause_for(double seconds) {
    timespec left{};
    left.tv_sec = static_cast<time_t>(seconds);
    left.tv_nsec = static_cast<long>((seconds - std::floor(seconds)) * 1e9);
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {}
}

double read_interval(invocation const& what) {
    if (!what.has("interval")) return 1;
    auto const& text = what.text("interval");
    double seconds = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || end != text.data() + text.size() || !(seconds >= 0.05) ||
        seconds > 3600) {
        throw usage_error{"--interval: expected seconds from 0.05 to 3600"};
    }
    return seconds;
}

std::uint64_t read_count(invocation const& what) {
    if (!what.has("count")) return ~std::uint64_t{0};
    auto const count = parse_number(what.text("count"));
    if (!count || *count == 0) throw usage_error{"--count: expected a number from 1"};
    return *count;
}

}

int run_top(context& with, invocation const& what) {
    auto const interval = read_interval(what);
    auto const count = read_count(what);
    auto before = fetch_stats(with);
    auto start = now_seconds();
    for (std::uint64_t i = 0; i < count; ++i) {
        pause_for(interval);
        auto now = fetch_stats(with);
        auto const end = now_seconds();
        if (with.json) {
            with.print_json(now);
        } else {
            // Home, the text, then clear what the longer text before it left.
            if (with.terminal) with.print(i == 0 ? "\033[2J\033[H" : "\033[H");
            with.print(rates_text(before, now, end - start));
            with.print(with.terminal ? "\033[J" : i + 1 < count ? "\n" : "");
        }
        std::fflush(with.out);
        before = std::move(now);
        start = end;
    }
    return done;
}

}
