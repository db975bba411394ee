// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace hv {

/// The first line that does not stand in the chain as it should.
struct chain_fault {
    std::string path;
    std::uint64_t line{};    // from 1
    std::string what;
};

struct chain_report {
    std::uint64_t files{};
    std::uint64_t lines{};
    std::uint64_t unchained{};    // at the start, of a version of hvd that did not chain
    bool from_the_start{};        // no line before the first one was rotated away
    bool half_line{};             // at the end: being written, or left by a crash
    std::string hash;             // of the last line
    std::optional<chain_fault> fault;
};

/// Reads the log and its older files, and checks that each line follows the one before it.
/// path     of the youngest file
/// Errors   std::system_error: a file cannot be read, or there is none.
chain_report verify_log(std::string const& path);

}
