// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hv {

/// What the start of a line of the log says about which record it is.
struct line_key {
    std::uint64_t session{};
    std::uint32_t ring{};
    std::optional<std::uint64_t> sequence;    // of a record
    std::uint64_t dropped_total{};            // of a line that counts what is missing
};

/// Nothing for lines that stand for no record, and for anything hvd did not write.
std::optional<line_key> read_line_key(std::string_view line);

}
