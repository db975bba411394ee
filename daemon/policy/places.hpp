// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "daemon/policy/rule_reader.hpp"
#include "daemon/policy/symbols.hpp"

namespace hv {

/// Where the memory lies that hv.ko has to find, one answer for each rule (empty: of none).
/// Errors: document_error where hv.ko says that there is no such memory.
using found_places = std::vector<place_answer>;
found_places find_places(std::vector<read_rule> const& rules, symbol_resolver& symbols,
                         compiled_policy& policy);

/// Adds to the policy what the core is to have of this rule: one for each piece of its memory.
void add_rule(read_rule const& rule, place_answer const& place, compiled_policy& policy);

/// Adds a rule of kind hash with the sum of its memory.
/// Errors: document_error where the file names another.
void add_hash(read_rule const& rule, place_answer const& place, symbol_resolver& symbols,
              compiled_policy& policy);

/// That something cannot be told here, said once.
void note_unavailable(compiled_policy& policy, std::string const& what, std::string const& why);

[[noreturn]] void fail_at(compiled_rule const& rule, std::string const& path,
                          std::string const& what);

}
