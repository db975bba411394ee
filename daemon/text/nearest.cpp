// SPDX-License-Identifier: MIT
#include "daemon/text/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace hv {
namespace {

std::size_t edits(std::string_view from, std::string_view to) {
    std::vector<std::size_t> row(to.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= from.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= to.size(); ++j) {
            auto const change = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

}

std::string_view nearest(std::string_view word, std::span<std::string_view const> candidates) {
    std::string_view best;
    if (word.size() < 2 || word.size() > 64) return best;
    // A word that must change in every letter is another word.
    auto fewest = std::min(std::max<std::size_t>(2, word.size() / 3), word.size() - 1) + 1;
    for (auto const each : candidates) {
        if (auto const count = edits(word, each); count < fewest) {
            fewest = count;
            best = each;
        }
    }
    return best;
}

std::string nearest_hint(std::string_view word, std::span<std::string_view const> candidates) {
    auto const found = nearest(word, candidates);
    return found.empty() ? std::string{} : " (nearest: " + std::string{found} + ")";
}

}
