// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "daemon/policy/compiled.hpp"
#include "daemon/policy/symbols.hpp"
#include "daemon/text/document.hpp"

namespace hv {

constexpr std::size_t policy_file_bytes = 1u << 20;

/// The rules of one policy file (docs/policy.md). Every error names file, line, column, key and
/// what was expected.
/// path      what messages call the file
/// symbols   where kernel symbols lie; where that cannot be told, the policy is left unresolved
/// Errors    document_error
compiled_policy compile_policy(std::string const& path, std::string text, symbol_resolver& symbols);

/// Reads a whole file of at most policy_file_bytes. Errors: policy_error.
std::string read_policy_file(std::string const& path);

/// Throws policy_error when two rules say log and deny of the same object.
void refuse_contradictions(std::vector<compiled_rule const*> const& rules);

}
