// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

namespace hv {

/// What is different under this backend, for people: a line each, none for a backend that is not
/// known (or where Linux is not hoisted).
std::span<std::string_view const> backend_notes(std::string_view backend);

}
