// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "daemon/text/document.hpp"

namespace hv {

/// A VM's name: lower-case letters, digits, and - _ . within; at most 32 bytes.
/// Errors: document_error.
std::string read_vm_name(value const& from);

}
