// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"

namespace hv::cli {

struct parsed {
    invocation what;
    bool json = false;
    /// Set when the words asked for help: print it, exit 0.
    std::optional<std::string> help;
};

/// Errors: usage_error.
parsed parse(std::vector<std::string> const& words);

/// Parses and runs; gives the exit status. Every refusal becomes its line on standard error.
int run(context& with, std::vector<std::string> const& words);

}
