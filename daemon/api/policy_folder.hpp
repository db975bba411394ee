// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "daemon/policy/rule_book.hpp"
#include "daemon/policy/symbols.hpp"

namespace hv {

/// Every *.json of a folder, in the order of their names; none when the folder is not there.
std::vector<std::string> policy_files(std::string const& folder);
/// The book with this file's policy added. Errors: document_error, policy_error.
rule_book with_policy_file(rule_book const& book, std::string const& path,
                           symbol_resolver& symbols);
/// Throws policy_error for a policy whose symbols are not known.
void require_resolved(compiled_policy const& policy);

}
