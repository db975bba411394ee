// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "cli/context.hpp"

namespace hv::cli {

// What hvd answers about VMs (docs/rpc.md), as people read it.
std::string vm_list_text(nlohmann::ordered_json const& answer);
std::string vm_text(nlohmann::ordered_json const& vm);
std::string vm_stats_text(nlohmann::ordered_json const& all);
/// "VM NAME: OUTCOME", or the JSON.
void print_vm(context& with, nlohmann::ordered_json const& vm, std::string const& outcome);
/// A string of the object, or `otherwise` when it is null or not there.
std::string text_or(nlohmann::ordered_json const& of, char const* key,
                    std::string const& otherwise);

}
