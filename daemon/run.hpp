// SPDX-License-Identifier: MIT
#pragma once

#include "daemon/api/configuration.hpp"

namespace hv {

/// Serves until SIGTERM or SIGINT; gives the exit status.
int run_daemon(configuration const& config);
/// Reads every policy that `start` would apply; says what is wrong with the first bad one.
int check_policies(configuration const& config);

}
