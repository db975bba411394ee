// SPDX-License-Identifier: MIT
#pragma once

#include "daemon/policy/rule_reader.hpp"
#include "daemon/text/document.hpp"

namespace hv {

// Rules about what instructions do: ports, XCR0, CPUID, and the instructions themselves. Errors of
// all: document_error.

void read_io_rule(value const& entry, read_rule& into);
void read_xcr_rule(value const& entry, compiled_rule& into);
void read_cpuid_rule(value const& entry, compiled_rule& into);
void read_instruction_rule(value const& entry, compiled_rule& into);

}
