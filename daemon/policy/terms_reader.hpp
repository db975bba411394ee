// SPDX-License-Identifier: MIT
#pragma once

#include "daemon/policy/compiled.hpp"
#include "daemon/text/document.hpp"

namespace hv {

// What rules of every kind may say. Errors of all: document_error.

/// "action", which the rule's kind must know, and "rate".
void read_terms(value const& entry, compiled_rule& into);

/// "mode" of a file; true: "report-only", nothing is denied.
bool read_mode(value const& root);

}
