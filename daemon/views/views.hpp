// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>

#include <nlohmann/json_fwd.hpp>

#include "daemon/device/device.hpp"

namespace hv {

// What hvd answers and hvctl prints with --json; docs/rpc.md documents each field. hvctl builds the
// same from hv.ko's own answers when hvd is down.
/// reached   names of markers
nlohmann::ordered_json status_json(machine_state const& state, enforced_policies const& enforced,
                                   std::vector<std::string> const& reached,
                                   std::optional<hv_audit> const& audit);
nlohmann::ordered_json stats_json(machine_state const& state);
nlohmann::ordered_json audit_json(hv_audit const& audit);
nlohmann::ordered_json dump_json(std::string const& backend, std::span<hv_cpu_dump const> dumps);

/// The CPUs' dumps: of one, or of all that are there.
std::vector<hv_cpu_dump> read_dumps(device& from, machine_state const& state,
                                    std::optional<std::uint32_t> cpu_id);

}
