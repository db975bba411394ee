// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace hv {

/// The whole file, empty where there is none.
std::string read_state_file(std::string const& path);
/// Old or new content, never a mix, whenever the process is killed.
/// Errors: std::system_error.
void write_state_file(std::string const& path, std::string const& text);

}
