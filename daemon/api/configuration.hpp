// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "daemon/log/event_log.hpp"
#include "daemon/log/rate_limit.hpp"
#include "daemon/vm/vm_keeper.hpp"

namespace hv {

/// /etc/hv/hvd.json; configs/schema/hvd.schema.json says the same.
struct configuration {
    std::string socket = "/run/hv/hvd.sock";
    std::string state = "/run/hv/policies.json";
    std::string policies = "/etc/hv/policies.d";
    std::string group = "hv";
    bool hoist_at_start = false;
    bool apply_at_start = true;
    bool journal = true;
    unsigned clients = 64;
    log_options log;
    rate_options rate;    // of records, by rule
    vm_options vms;
};

/// Errors: document_error, policy_error (the file cannot be read).
configuration read_configuration(std::string const& path);
configuration parse_configuration(std::string const& path, std::string text);

}
