// SPDX-License-Identifier: MIT
#pragma once

#include "daemon/policy/rule_reader.hpp"

namespace hv {

/// Rules about memory, by any of the names that it has. Errors: document_error.
void read_memory_rule(value const& entry, read_rule& into);
void read_hash_rule(value const& entry, read_rule& into);

}
