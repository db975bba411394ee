// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace hv {

/// The candidate that takes the fewest edits to become `word`; empty when none comes close.
std::string_view nearest(std::string_view word, std::span<std::string_view const> candidates);
/// " (nearest: x)" or nothing.
std::string nearest_hint(std::string_view word, std::span<std::string_view const> candidates);

}
