// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <string_view>

#include "daemon/policy/compiled.hpp"
#include "daemon/text/document.hpp"

namespace hv {

// What rules of every kind may say. Errors of all: document_error.

/// The rule has no other keys than its kind's `own` and those of every rule.
void only_rule_keys(value const& entry, std::initializer_list<std::string_view> own);

/// "cpus", "when" and "lifetime", where they are given: where and how long it is in force.
void read_scope(value const& entry, compiled_rule& into);

}
