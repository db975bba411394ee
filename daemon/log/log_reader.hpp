// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "daemon/log/log_filter.hpp"

namespace hv {

struct log_page {
    std::vector<std::string> lines;
    std::string cursor;    // where the next page starts
    bool more{};
};

/// Lines of the log and its older files, oldest first.
/// path    of the youngest file; keep: how many older ones there may be
/// only    lines that match; the others are passed over
/// cursor  of the page before; empty: from the start
/// Errors  std::invalid_argument: a cursor that is none
log_page read_log(std::string const& path, unsigned keep, log_filter const& only,
                  std::string const& cursor, std::size_t most_lines, std::size_t most_bytes);

/// The cursor of the last `lines` lines that match.
std::string tail_of_log(std::string const& path, unsigned keep, log_filter const& only,
                        std::size_t lines);

}
