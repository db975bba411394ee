// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>

namespace hv {

struct rate_options {
    double per_second = 1000;
    std::uint64_t burst = 10'000;    // 0: no limit
};

/// How many lines a rule may still write: `burst` at once, and `per_second` in the long run.
class rate_limit {
public:
    using instant = std::chrono::steady_clock::time_point;

    explicit rate_limit(rate_options options) : options_{options} {}

    /// Whether one more is within the limit; it is taken off then.
    bool allows(std::uint64_t rule, instant now) { return allows(rule, now, options_); }
    /// The same, by the rule's own limit.
    bool allows(std::uint64_t rule, instant now, rate_options const& own) {
        if (own.burst == 0) return true;
        auto const full = static_cast<double>(own.burst);
        auto& left = left_.try_emplace(rule, allowance{full, now}).first->second;
        std::chrono::duration<double> const passed = now - left.at;
        left.lines += passed.count() * own.per_second;
        left = {std::min(full, left.lines), now};
        if (left.lines < 1) return false;
        left.lines -= 1;
        return true;
    }

private:
    struct allowance {
        double lines;
        instant at;
    };

    rate_options options_;
    std::map<std::uint64_t, allowance> left_;
};

}
