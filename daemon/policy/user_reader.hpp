// SPDX-License-Identifier: MIT
#pragma once

#include "daemon/policy/compiled.hpp"
#include "daemon/text/document.hpp"

namespace hv {

/// "all", a user's number or name, or {"first": …, "last": …}, numbers, both inclusive.
/// Errors: document_error.
user_range read_users(value const& from);

}
