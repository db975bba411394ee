// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "daemon/policy/compiled.hpp"
#include "daemon/policy/rule_reader.hpp"
#include "daemon/text/document.hpp"

namespace hv {

// What a rule lets through. Errors of all: document_error.

/// "value" of an MSR rule, where it is given: what may still be written.
void read_value(value const& entry, compiled_rule& into);
/// "value" of a rule about bits, where it is given: which way they may still change.
void read_direction(value const& entry, compiled_rule& into);

/// "except", where it is given: the instructions that may do it, a function of the kernel, whose
/// addresses are not known here, or a range of them.
std::optional<writer_symbol> read_except(value const& entry, compiled_rule& into);

/// The name of a symbol of the kernel.
std::string read_symbol(value const& from);

}
